"""What all four stages share: one step over all networks, measures with confidence, checkpoints."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from facegan.errors import InputError
from facegan.stages.ema import Average
from facegan.stages.memory import checkpoint_activations, disable_malloc_trim
from facegan.stages.muon import Muon
from facegan.stages.validation_metrics import MeanWithConfidence, Measured, Weighted

if TYPE_CHECKING:
    from pytorch_lightning.core.optimizer import LightningOptimizer
    from torch import Tensor

    from facegan.data import FacePair
    from facegan.stages.config import OptimizerConfig

STAGE_KEY, CONFIG_KEY, PROGRESS_KEY = "facegan_stage", "facegan_config", "facegan_progress"
PROGRESS = ("batches", "steps", "skipped", "consecutive_nan_steps")

SIZES = ("sigma", "width")
"""Arguments of stages that cannot be zero."""

SPEED_INTERVAL = 2.0
"""Seconds over which pictures are counted."""


class Stage(pl.LightningModule):
    """One of the training stages.

    A subclass sets ``network`` (what is trained, averaged and handed on), ``optimization``, and the
    hooks below. Generators and discriminators get their gradients in ONE backward pass, in which each
    parameter takes part exactly once; so distributed training has no unused parameters.

    Checkpoints carry the stage's name, the arguments of its networks, the settings, the running average
    and the number of batches done, from which the order of the data follows: a resumed run goes on
    as if it had not stopped.
    """

    network: nn.Module
    optimizer: OptimizerConfig

    result_panel: ClassVar[str]
    """The title, in ``panels``, of what the stage makes."""
    watched: ClassVar[str] = "perceptual"
    """The measure whose lowest value makes the best checkpoint."""
    answers_motion: bool = False
    """Whether the result follows the driver's motion; otherwise its landmarks or picture."""
    frozen: ClassVar[tuple[str, ...]] = ()
    """Networks that are not trained and not kept in checkpoints, since they come from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.average: Average | None = None
        self.batches = 0
        self.steps = 0
        self.skipped = 0
        self.consecutive_nan_steps = 0
        self._measured: dict[str, MeanWithConfidence] = {}

    # What a subclass says of itself

    def network_config(self) -> dict[str, Any]:
        """Arguments of the trained networks, as plain numbers and strings."""
        raise NotImplementedError

    def sides(self) -> dict[str, list[nn.Module]]:
        """The networks of each optimizer: ``generator``, and ``discriminator`` if there are any."""
        raise NotImplementedError

    def objectives(self, pair: FacePair) -> dict[str, dict[str, Tensor]]:
        """The weighted loss terms of each side for a batch; no term's gradient reaches the other side."""
        raise NotImplementedError

    def measure(self, pair: FacePair) -> Measured:
        """What pairs that are not trained on are measured by, beside naive baselines: N numbers each."""
        raise NotImplementedError

    def panels(self, pair: FacePair) -> dict[str, Tensor]:
        """Pictures that show what the stage does: title to N×3×H×W or N×1×H×W, in -1..1."""
        raise NotImplementedError

    @property
    def in_use(self) -> nn.Module:
        """The network while it is trained, its average otherwise."""
        return self.network if self.training or self.average is None else self.average.network

    # Training

    def setup(self, stage: str) -> None:
        """Makes the average and settles how the networks compute."""
        if self.trainer.precision in ("16-mixed", "16-true", "bf16-true"):
            msg = f"trainer.precision {self.trainer.precision} is not supported: use bf16-mixed or 32-true"
            raise InputError(msg)
        if self.optimizer.lr_decay_start_epoch is not None and (self.trainer.max_epochs or -1) < 0:
            msg = "optimizer.lr_decay_start_epoch needs trainer.max_epochs: the rates fall to zero there"
            raise InputError(msg)
        if stage == "fit" and self.trainer.strategy.root_device.type == "cpu":
            disable_malloc_trim()
        if self.optimizer.ema_halflife and self.average is None:
            self.average = Average(self.network, self.optimizer.ema_halflife)
        if self.optimizer.channels_last:
            self.to(memory_format=torch.channels_last)
        if self.optimizer.checkpoint_activations and stage == "fit":
            for network in (network for side in self.sides().values() for network in side):
                checkpoint_activations(network)
        if self.optimizer.compile and stage == "fit":
            for network in (network for side in self.sides().values() for network in side):
                network.compile()

    def on_after_batch_transfer(self, pair: FacePair, dataloader_idx: int) -> FacePair:
        """Pictures in the order that the networks have."""
        if not self.optimizer.channels_last:
            return pair
        order = torch.channels_last
        images = {
            name: value for name, value in pair._asdict().items() if value is not None and value.ndim == 4
        }
        return pair._replace(**{k: v.contiguous(memory_format=order) for k, v in images.items()})

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for each side, or Muon for the generators."""
        settings = self.optimizer
        rates = {"discriminator": settings.discriminator_lr}
        optimizers: list[torch.optim.Optimizer] = []
        for side, networks in self.sides().items():
            rate = rates.get(side) or settings.learning_rate
            if side == "generator" and settings.muon_lr is not None:
                optimizers.append(Muon(networks, settings.muon_lr, rate, settings.betas))
            else:
                trained = [p for network in networks for p in network.parameters() if p.requires_grad]
                optimizers.append(torch.optim.Adam(trained, lr=rate, betas=settings.betas, fused=True))
        return optimizers

    def on_train_start(self) -> None:
        """Starts the clock; a run resumed within an epoch does not start one."""
        self._clock, self._pictures = time.perf_counter(), 0

    def training_step(self, pair: FacePair, batch_index: int) -> None:
        """One backward pass for all sides; where the batch completes a step, also that step."""
        objectives = self.objectives(pair)
        totals = {side: torch.stack(list(terms.values())).sum() for side, terms in objectives.items()}
        first = batch_index - batch_index % self.optimizer.accumulate
        # Fewer at the end of an epoch.
        together = min(self.optimizer.accumulate, int(self.trainer.num_training_batches) - first)
        completes = batch_index + 1 == first + together
        loss = torch.stack(list(totals.values())).sum() / together
        # A loss that is not finite leaves a gradient that is not, on every process.
        loss = loss * torch.where(loss.isfinite(), 1.0, torch.nan).detach()
        model = self.trainer.model
        waits = not completes and isinstance(model, DistributedDataParallel)
        with model.no_sync() if waits else nullcontext():  # type: ignore[operator, union-attr]
            self.manual_backward(loss)
        self.batches += 1
        pictures = len(pair.source_landmarks) * self.trainer.world_size
        if completes:
            self._step(batch_index, pictures * together)
        terms = {f"train/{name}": value for side in objectives.values() for name, value in side.items()}
        self.log_dict({name: value.detach() for name, value in terms.items()})
        self.log_dict({f"train/{side}": value.detach() for side, value in totals.items()}, prog_bar=True)
        self._log_speed(pictures)

    def held(self) -> list[nn.Parameter]:
        """Trained parameters that stand still for now."""
        return []

    def _step(self, batch_index: int, pictures: int) -> None:
        """Moves the weights, unless a gradient is not finite."""
        optimizers = dict(zip(self.sides(), self.trainer.optimizers, strict=True))
        for parameter in self.held():
            parameter.grad = None
        grads = {
            side: [p for p in _parameters(optimizer) if p.grad is not None]
            for side, optimizer in optimizers.items()
        }
        norms = {
            side: get_total_norm([p.grad for p in ps if p.grad is not None]) for side, ps in grads.items()
        }
        if torch.stack(list(norms.values())).isfinite().all():
            for side, optimizer in optimizers.items():
                if self.optimizer.gradient_clip is not None:
                    clip_grads_with_norm_(grads[side], self.optimizer.gradient_clip, norms[side])
                self._set_learning_rate(side, optimizer, batch_index)
            # Through Lightning once, so that its global step counts steps and not optimizers.
            first, *others = _listed(self.optimizers())
            first.step()
            for other in others:
                other.optimizer.step()
            self.steps += 1
            self.consecutive_nan_steps = 0
            if self.average is not None:
                self.average.update(self.network, pictures, self.steps * pictures)
        else:
            self._skip()
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        self.log_dict({f"train/gradient_norm_{side}": norm for side, norm in norms.items()})
        self.log("train/learning_rate", optimizers["generator"].param_groups[0]["lr"])
        self.log("train/skipped_steps", float(self.skipped))

    def _skip(self) -> None:
        self.skipped += 1
        self.consecutive_nan_steps += 1
        if self.consecutive_nan_steps >= self.optimizer.max_consecutive_nan_steps:
            msg = (
                f"{self.consecutive_nan_steps} steps in a row had a loss or gradient that is not finite, "
                f"after {self.steps} good ones: lower optimizer.learning_rate, set optimizer.gradient_clip "
                "or use --trainer.precision=32-true, and go on from an earlier checkpoint"
            )
            raise InputError(msg)

    def _set_learning_rate(self, side: str, optimizer: torch.optim.Optimizer, batch_index: int) -> None:
        settings = self.optimizer
        rate = settings.learning_rate
        if side == "discriminator" and settings.discriminator_lr is not None:
            rate = settings.discriminator_lr
        share = 1.0
        if settings.lr_decay_start_epoch is not None:
            epochs = float(self.trainer.max_epochs or 0)
            done = self.trainer.current_epoch + batch_index / self.trainer.num_training_batches
            share = min(1.0, (epochs - done) / max(epochs - settings.lr_decay_start_epoch, 1e-9))
        for group in optimizer.param_groups:
            own = settings.muon_lr if group.get("matrices") else rate
            group["lr"] = share * (rate if own is None else own)

    def _log_speed(self, pictures: int) -> None:
        self._pictures += pictures
        elapsed = time.perf_counter() - self._clock
        if elapsed > SPEED_INTERVAL:
            self.log("train/images_per_second", self._pictures / elapsed, prog_bar=True)
            self._clock, self._pictures = time.perf_counter(), 0

    # Measuring

    def validation_step(self, pair: FacePair, batch_index: int) -> None:
        """Takes ``measure`` of a batch."""
        self._measure(pair)

    def on_validation_epoch_end(self) -> None:
        """Logs the means as ``val/…``, with half the width of their 95 % interval as ``val/…_ci95``."""
        self._log_measures("val")

    def on_validation_end(self) -> None:
        """Leaves validation out of the speed."""
        self._clock, self._pictures = time.perf_counter(), 0

    def test_step(self, pair: FacePair, batch_index: int) -> None:
        """Takes ``measure`` of a batch."""
        self._measure(pair)

    def on_test_epoch_end(self) -> None:
        """Logs the means as ``test/…``."""
        self._log_measures("test")

    def predict_step(self, pair: FacePair, batch_index: int) -> Any:
        """What the stage's networks make of a batch."""
        return self(pair)

    def _measure(self, pair: FacePair) -> None:
        for name, values in self.measure(pair).items():
            if name not in self._measured:
                self._measured[name] = MeanWithConfidence().to(self.device)
            self._measured[name].update(*(values if isinstance(values, Weighted) else (values,)))

    def _log_measures(self, prefix: str) -> None:
        for name, metric in self._measured.items():
            mean, half_width = metric.compute()
            self.log(f"{prefix}/{name}", mean, prog_bar=name == self.watched, sync_dist=True)
            self.log(f"{prefix}/{name}_ci95", half_width, sync_dist=True)
        self._measured = {}

    # Checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds what is said in the class; leaves frozen networks out."""
        checkpoint[STAGE_KEY] = type(self).__name__
        checkpoint[CONFIG_KEY] = self.network_config()
        checkpoint[PROGRESS_KEY] = {name: getattr(self, name) for name in PROGRESS}
        weights = checkpoint["state_dict"]
        checkpoint["state_dict"] = {k: v for k, v in weights.items() if not k.startswith(self.frozen)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes it back; refuses the checkpoint of another stage, or of networks of other sizes."""
        require_stage(checkpoint, type(self).__name__)
        saved, own = checkpoint["state_dict"], self.state_dict()
        saved |= {name: value for name, value in own.items() if name.startswith(self.frozen)}
        if self.average is None:
            checkpoint["state_dict"] = {k: v for k, v in saved.items() if not k.startswith("average.")}
        else:
            for name in own:
                trained = name.removeprefix("average.")
                if name.startswith("average.") and name not in saved and trained in saved:
                    saved[name] = saved[trained].clone()
        _require_same_sizes(checkpoint["state_dict"], own)
        for name, value in checkpoint[PROGRESS_KEY].items():
            setattr(self, name, value)


def require_stage(checkpoint: dict[str, Any], name: str, path: object = "this") -> None:
    """Raises InputError unless a checkpoint is one of the named stage."""
    found = checkpoint.get(STAGE_KEY)
    if found != name:
        kind = f"a checkpoint of {found}" if found else "no checkpoint of facegan"
        msg = f"{path} is {kind}; one of {name} is needed"
        raise InputError(msg)


def _require_same_sizes(saved: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    for name in sorted(saved.keys() | own.keys()):
        theirs, ours = (tuple(some[name].shape) if name in some else "absent" for some in (saved, own))
        if theirs != ours:
            msg = f"the checkpoint is of networks of other sizes: {name} is {theirs} there, {ours} here"
            raise InputError(msg)


def plain(arguments: dict[str, Any]) -> dict[str, Any]:
    """A stage's arguments (its ``locals()``) as numbers, strings and dicts, for loggers and checkpoints.

    Raises:
        InputError: for a negative number, or a size of zero.
    """
    for name, value in arguments.items():
        if isinstance(value, int | float) and not (value > 0 or (value == 0 and name not in SIZES)):
            least = "above" if name in SIZES else "at least"
            msg = f"model.init_args.{name} is {value}: it must be {least} 0"
            raise InputError(msg)
    return {
        name: asdict(value)
        if is_dataclass(value) and not isinstance(value, type)
        else str(value)
        if isinstance(value, Path)
        else value
        for name, value in arguments.items()
        if name not in ("self", "__class__")
    }


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _listed(optimizers: Any) -> list[LightningOptimizer]:
    return list(optimizers) if isinstance(optimizers, list) else [optimizers]
