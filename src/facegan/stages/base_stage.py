"""The base class of all four stages: training step, metrics with confidence intervals, checkpoints."""

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
from facegan.stages.ema import ExponentialMovingAverage
from facegan.stages.memory import checkpoint_activations, disable_malloc_trim
from facegan.stages.muon import Muon
from facegan.stages.validation_metrics import MeanWithConfidence, MetricValues

if TYPE_CHECKING:
    from pytorch_lightning.core.optimizer import LightningOptimizer
    from torch import Tensor

    from facegan.data import FacePair
    from facegan.stages.config import OptimizerConfig

CHECKPOINT_VERSION = 2
VERSION_KEY, STAGE_KEY, CONFIG_KEY = "facegan_version", "facegan_stage", "facegan_config"
PROGRESS_KEY = "facegan_progress"
PROGRESS = ("batches", "steps", "skipped_steps", "consecutive_nan_steps")

POSITIVE_ARGUMENTS = ("sigma", "width")
"""Arguments of stages that cannot be zero."""

SPEED_INTERVAL = 2.0
"""Seconds over which ``images_per_second`` is measured."""


class BaseStage(pl.LightningModule):
    """Base class of the training stages.

    A subclass sets ``network`` (trained, averaged and passed to the next stage), ``optimizer``, and the
    hooks below. Generators and discriminators get their gradients in ONE backward pass, in which each
    parameter takes part exactly once; so distributed training has no unused parameters.

    Checkpoints contain the stage's name, the arguments of its networks, the hyperparameters, the moving
    average and the number of batches done, which determines the order of the data: a resumed run equals an
    uninterrupted one.
    """

    network: nn.Module
    optimizer: OptimizerConfig

    result_title: ClassVar[str]
    """The title, in ``visualize``, of the stage's result."""
    monitor: ClassVar[str] = "perceptual"
    """The metric whose lowest value selects the best checkpoint."""
    is_motion_conditioned: bool = False
    """Whether the result depends on the driving motion, not on the driving landmarks or image."""
    excluded_from_checkpoint: ClassVar[tuple[str, ...]] = ()
    """Prefixes of frozen networks, which are loaded from their own files."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.ema: ExponentialMovingAverage | None = None
        self.batches = 0
        self.steps = 0
        self.skipped_steps = 0
        self.consecutive_nan_steps = 0
        self._metrics: dict[str, MeanWithConfidence] = {}

    # Hooks of subclasses

    def network_config(self) -> dict[str, Any]:
        """Return the arguments of the trained networks, as plain numbers and strings."""
        raise NotImplementedError

    def optimizer_groups(self) -> dict[str, list[nn.Module]]:
        """Return the networks of each optimizer: ``generator``, and ``discriminator`` if there are any."""
        raise NotImplementedError

    def compute_losses(self, pair: FacePair) -> dict[str, dict[str, Tensor]]:
        """Compute the weighted losses of each optimizer group; no gradient reaches the other group."""
        raise NotImplementedError

    def compute_metrics(self, pair: FacePair) -> MetricValues:
        """Compute the validation metrics of N pairs, with those of baselines as ``metric/baseline``."""
        raise NotImplementedError

    def visualize(self, pair: FacePair) -> dict[str, Tensor]:
        """Return inputs and outputs as images, the source first: title to N×3×H×W or N×1×H×W, -1..1."""
        raise NotImplementedError

    @property
    def inference_network(self) -> nn.Module:
        """The network in training mode, its moving average otherwise."""
        return self.network if self.training or self.ema is None else self.ema.network

    # Training

    def setup(self, stage: str) -> None:
        """Check the trainer's settings, create the moving average and prepare the networks."""
        if self.trainer.precision in ("16-mixed", "16-true", "bf16-true"):
            msg = f"trainer.precision {self.trainer.precision} is not supported: use bf16-mixed or 32-true"
            raise InputError(msg)
        if self.optimizer.lr_decay_start_epoch is not None and (self.trainer.max_epochs or -1) < 0:
            msg = (
                "optimizer.lr_decay_start_epoch needs trainer.max_epochs: the learning rates reach zero there"
            )
            raise InputError(msg)
        if stage == "fit" and self.trainer.strategy.root_device.type == "cpu":
            disable_malloc_trim()
        if self.optimizer.ema_halflife and self.ema is None:
            self.ema = ExponentialMovingAverage(self.network, self.optimizer.ema_halflife)
        if self.optimizer.channels_last:
            self.to(memory_format=torch.channels_last)
        if stage == "fit":
            for network in (network for group in self.optimizer_groups().values() for network in group):
                if self.optimizer.checkpoint_activations:
                    checkpoint_activations(network)
                if self.optimizer.compile:
                    network.compile()

    def on_after_batch_transfer(self, pair: FacePair, dataloader_idx: int) -> FacePair:
        """Convert images to the networks' memory format."""
        if not self.optimizer.channels_last:
            return pair
        order = torch.channels_last
        images = {
            name: value for name, value in pair._asdict().items() if value is not None and value.ndim == 4
        }
        return pair._replace(**{k: v.contiguous(memory_format=order) for k, v in images.items()})

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Create Adam for each group, or Muon for the generators."""
        config = self.optimizer
        lr, betas = config.learning_rate, config.betas
        optimizers: list[torch.optim.Optimizer] = []
        for group, networks in self.optimizer_groups().items():
            if group == "generator" and config.muon_lr is not None:
                optimizers.append(Muon(networks, config.muon_lr, lr, betas))
            else:
                trained = [p for network in networks for p in network.parameters() if p.requires_grad]
                optimizers.append(torch.optim.Adam(trained, lr=lr, betas=betas, fused=True))
        return optimizers

    def on_train_start(self) -> None:
        """Start measuring the speed; a run resumed within an epoch has no ``on_train_epoch_start``."""
        self._clock, self._num_images = time.perf_counter(), 0

    def training_step(self, pair: FacePair, batch_index: int) -> None:
        """Run one backward pass for all groups and, after the last accumulated batch, the optimizers."""
        losses = self.compute_losses(pair)
        totals = {group: torch.stack(list(terms.values())).sum() for group, terms in losses.items()}
        first = batch_index - batch_index % self.optimizer.accumulate
        # Fewer at the end of an epoch.
        accumulated = min(self.optimizer.accumulate, int(self.trainer.num_training_batches) - first)
        completes = batch_index + 1 == first + accumulated
        loss = torch.stack(list(totals.values())).sum() / accumulated
        # A non-finite loss makes the gradient non-finite on every process.
        loss = loss * torch.where(loss.isfinite(), 1.0, torch.nan).detach()
        model = self.trainer.model
        accumulates = not completes and isinstance(model, DistributedDataParallel)
        with model.no_sync() if accumulates else nullcontext():  # type: ignore[operator, union-attr]
            self.manual_backward(loss)
        self.batches += 1
        num_images = len(pair.source_landmarks) * self.trainer.world_size
        if completes:
            self._step(batch_index, num_images * accumulated)
        for group, terms in losses.items():
            self.log_dict({f"train/{group}/{name}": value.detach() for name, value in terms.items()})
            self.log(f"train/{group}/total", totals[group].detach(), prog_bar=True)
        self._log_speed(num_images)

    def parameters_to_skip(self) -> list[nn.Parameter]:
        """Return trainable parameters that are not updated in this epoch."""
        return []

    def _step(self, batch_index: int, num_images: int) -> None:
        """Update the weights, unless a gradient is not finite."""
        optimizers = dict(zip(self.optimizer_groups(), self.trainer.optimizers, strict=True))
        for parameter in self.parameters_to_skip():
            parameter.grad = None
        with_gradient = {
            group: [p for p in _parameters(optimizer) if p.grad is not None]
            for group, optimizer in optimizers.items()
        }
        norms = {
            group: get_total_norm([p.grad for p in parameters if p.grad is not None])
            for group, parameters in with_gradient.items()
        }
        if torch.stack(list(norms.values())).isfinite().all():
            for group, optimizer in optimizers.items():
                if self.optimizer.gradient_clip is not None:
                    limit = self.optimizer.gradient_clip
                    clip_grads_with_norm_(with_gradient[group], limit, norms[group])
                self._set_learning_rate(optimizer, batch_index)
            # Through Lightning once, so that its global step counts steps and not optimizers.
            first, *others = _as_list(self.optimizers())
            first.step()
            for other in others:
                other.optimizer.step()
            self.steps += 1
            self.consecutive_nan_steps = 0
            if self.ema is not None:
                self.ema.update(self.network, num_images, self.steps * num_images)
        else:
            self._skip()
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        self.log_dict({f"train/{group}/gradient_norm": norm for group, norm in norms.items()})
        self.log("train/learning_rate", optimizers["generator"].param_groups[0]["lr"])
        self.log("train/skipped_steps", float(self.skipped_steps))

    def _skip(self) -> None:
        self.skipped_steps += 1
        self.consecutive_nan_steps += 1
        if self.consecutive_nan_steps >= self.optimizer.max_consecutive_nan_steps:
            msg = (
                f"{self.consecutive_nan_steps} consecutive steps had a loss or gradient that is not finite, "
                f"after {self.steps} valid ones: lower optimizer.learning_rate, set optimizer.gradient_clip "
                "or use --trainer.precision=32-true, and resume from an earlier checkpoint"
            )
            raise InputError(msg)

    def _set_learning_rate(self, optimizer: torch.optim.Optimizer, batch_index: int) -> None:
        config = self.optimizer
        factor = 1.0
        if config.lr_decay_start_epoch is not None:
            epochs = float(self.trainer.max_epochs or 0)
            done = self.trainer.current_epoch + batch_index / self.trainer.num_training_batches
            factor = min(1.0, (epochs - done) / max(epochs - config.lr_decay_start_epoch, 1e-9))
        for group in optimizer.param_groups:
            lr = config.muon_lr if group.get("matrices") else None
            group["lr"] = factor * (config.learning_rate if lr is None else lr)

    def _log_speed(self, num_images: int) -> None:
        self._num_images += num_images
        elapsed = time.perf_counter() - self._clock
        if elapsed > SPEED_INTERVAL:
            self.log("train/images_per_second", self._num_images / elapsed, prog_bar=True)
            self._clock, self._num_images = time.perf_counter(), 0

    # Validation, test, prediction

    def validation_step(self, pair: FacePair, batch_index: int) -> None:
        """Update the metrics with a batch."""
        self._update_metrics(pair)

    def on_validation_epoch_end(self) -> None:
        """Log the means as ``val/…``, half the width of their 95 % interval as ``val/…/ci95_half_width``."""
        self._log_metrics("val")

    def on_validation_end(self) -> None:
        """Exclude validation from the speed."""
        self._clock, self._num_images = time.perf_counter(), 0

    def test_step(self, pair: FacePair, batch_index: int) -> None:
        """Update the metrics with a batch."""
        self._update_metrics(pair)

    def on_test_epoch_end(self) -> None:
        """Log the means as ``test/…``."""
        self._log_metrics("test")

    def predict_step(self, pair: FacePair, batch_index: int) -> Any:
        """Return the networks' outputs for a batch."""
        return self(pair)

    def _update_metrics(self, pair: FacePair) -> None:
        for name, values in self.compute_metrics(pair).items():
            if name not in self._metrics:
                self._metrics[name] = MeanWithConfidence().to(self.device)
            self._metrics[name].update(*(values if isinstance(values, tuple) else (values,)))

    def _log_metrics(self, prefix: str) -> None:
        for name, metric in self._metrics.items():
            mean, half_width = metric.compute()
            self.log(f"{prefix}/{name}", mean, prog_bar=name == self.monitor, sync_dist=True)
            self.log(f"{prefix}/{name}/ci95_half_width", half_width, sync_dist=True)
        self._metrics = {}

    # Checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add stage, configuration and progress; remove frozen networks."""
        checkpoint[VERSION_KEY] = CHECKPOINT_VERSION
        checkpoint[STAGE_KEY] = type(self).__name__
        checkpoint[CONFIG_KEY] = self.network_config()
        checkpoint[PROGRESS_KEY] = {name: getattr(self, name) for name in PROGRESS}
        weights, excluded = checkpoint["state_dict"], self.excluded_from_checkpoint
        checkpoint["state_dict"] = {k: v for k, v in weights.items() if not k.startswith(excluded)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the progress; refuse the checkpoint of another stage, or of networks of other sizes."""
        require_stage(checkpoint, type(self).__name__)
        saved, own = checkpoint["state_dict"], self.state_dict()
        saved |= {
            name: value for name, value in own.items() if name.startswith(self.excluded_from_checkpoint)
        }
        if self.ema is None:
            checkpoint["state_dict"] = {k: v for k, v in saved.items() if not k.startswith("ema.")}
        else:
            for name in own:
                trained = name.removeprefix("ema.")
                if name.startswith("ema.") and name not in saved and trained in saved:
                    saved[name] = saved[trained].clone()
        _require_same_sizes(checkpoint["state_dict"], own)
        for name, value in checkpoint[PROGRESS_KEY].items():
            setattr(self, name, value)


def require_stage(checkpoint: dict[str, Any], name: str, path: object = "this") -> None:
    """Raise InputError unless a checkpoint is one of the named stage in this release's format."""
    found = checkpoint.get(STAGE_KEY)
    if found != name:
        kind = f"a checkpoint of {found}" if found else "no checkpoint of facegan"
        msg = f"{path} is {kind}; one of {name} is needed"
        raise InputError(msg)
    version = checkpoint.get(VERSION_KEY, 1)
    if version != CHECKPOINT_VERSION:
        msg = f"{path} has checkpoint format {version}, not {CHECKPOINT_VERSION}: train that stage again"
        raise InputError(msg)


def _require_same_sizes(saved: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    for name in sorted(saved.keys() | own.keys()):
        theirs, ours = (tuple(some[name].shape) if name in some else "absent" for some in (saved, own))
        if theirs != ours:
            msg = f"the checkpoint is of networks of other sizes: {name} is {theirs} there, {ours} here"
            raise InputError(msg)


def as_hyperparameters(arguments: dict[str, Any]) -> dict[str, Any]:
    """Convert a stage's arguments (its ``locals()``) to numbers, strings and dicts, for checkpoints.

    Raises:
        InputError: for a negative number, or a size of zero.
    """
    for name, value in arguments.items():
        if isinstance(value, int | float) and not (
            value > 0 or (value == 0 and name not in POSITIVE_ARGUMENTS)
        ):
            least = "above" if name in POSITIVE_ARGUMENTS else "at least"
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


def _as_list(optimizers: Any) -> list[LightningOptimizer]:
    return list(optimizers) if isinstance(optimizers, list) else [optimizers]
