"""The base class of all four stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn
from torch import nn

from facegan.data import NumberedPair
from facegan.errors import InputError
from facegan.stages.checkpoints import add_stage, fit_to_stage
from facegan.stages.ema import ExponentialMovingAverage
from facegan.stages.memory import checkpoint_activations, disable_malloc_trim
from facegan.stages.optimizers import (
    FiniteSteps,
    LinearDecay,
    build_optimizer,
    clip_gradients,
    gradient_norms,
    set_learning_rates,
)
from facegan.stages.stage_metrics import StageMetrics

if TYPE_CHECKING:
    from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
    from torch import Tensor

    from facegan.data import FacePair
    from facegan.stages.config import OptimizerConfig
    from facegan.stages.protocol_metrics import ProtocolImages
    from facegan.stages.validation_metrics import MetricValues


class BaseStage(pl.LightningModule):
    """Base class of the training stages.

    A subclass sets ``network`` (trained, averaged and passed to the next stage) and ``optimizer``, and
    implements ``forward`` (a batch to all outputs) and the hooks below. Generators and discriminators get
    their gradients in ONE backward pass, in which each parameter takes part exactly once; so one optimizer
    makes the steps of two, and distributed training has no unused parameters.
    """

    network: nn.Module
    optimizer: OptimizerConfig
    result_title: ClassVar[str]
    """The title, in ``visualize``, of the stage's result."""
    monitor: ClassVar[str] = "perceptual"
    """The metric whose lowest value selects the best checkpoint."""
    is_motion_conditioned: bool = False
    """Whether the result depends on the driving motion, not on the driving landmarks or image."""
    protocol_interval: int = 1
    """Epochs between two validations with the evaluation protocols."""
    excluded_from_checkpoint: ClassVar[tuple[str, ...]] = ()
    """Prefixes of frozen networks, which are loaded from their own files."""

    def __init__(self) -> None:
        super().__init__()
        self.ema: ExponentialMovingAverage | None = None
        self.finite_steps = FiniteSteps()
        # Not part of the stage's state.
        self._metrics: dict[str, StageMetrics] = {}
        self._images = 0

    # Hooks of subclasses

    def network_config(self) -> dict[str, Any]:
        """Return the arguments of the trained networks, as plain numbers and strings."""
        raise NotImplementedError

    def averaged_stages(self) -> list[BaseStage]:
        """Return the stages whose ``network`` is averaged."""
        return [self]

    def trained_networks(self) -> dict[str, list[nn.Module]]:
        """Return the networks of each side: ``generator``, and ``discriminator`` if there are any."""
        return {"generator": [self.network]}

    def generator_losses(self, pair: FacePair, output: Any) -> dict[str, Tensor]:
        """Compute the weighted losses of the generators, the adversarial ones apart."""
        raise NotImplementedError

    def losses(self, pair: FacePair, output: Any) -> dict[str, Tensor]:
        """Compute the weighted losses ``generator/…`` and ``discriminator/…``; neither reaches the other."""
        return {f"generator/{name}": loss for name, loss in self.generator_losses(pair, output).items()}

    def frozen_parameters(self) -> list[nn.Parameter]:
        """Return trained parameters that are not updated in this epoch."""
        return []

    def compute_metrics(self, pair: FacePair) -> MetricValues:
        """Compute the validation metrics of N pairs, with those of baselines as ``metric/baseline``."""
        raise NotImplementedError

    def protocol_images(self, pair: FacePair, output: Any) -> ProtocolImages:
        """Return the images whose metrics the evaluation protocols have."""
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
        """Create the moving average and prepare the networks."""
        if self.trainer.precision in ("16-true", "bf16-true"):
            msg = f"trainer.precision {self.trainer.precision} is not supported: use bf16-mixed or 32-true"
            raise InputError(msg)
        if self.trainer.gradient_clip_algorithm == "value":
            msg = "trainer.gradient_clip_algorithm value is not supported: use norm, which is of each side"
            raise InputError(msg)
        config = self.optimizer
        if config.lr_decay_start_epoch is not None and (self.trainer.max_epochs or -1) < 0:
            msg = "optimizer.lr_decay_start_epoch needs trainer.max_epochs: the rates reach zero there"
            raise InputError(msg)
        for averaged in self.averaged_stages():
            if config.ema_halflife and averaged.ema is None:
                averaged.ema = ExponentialMovingAverage(averaged.network, config.ema_halflife)
        if config.channels_last:
            self.to(memory_format=torch.channels_last)
        if stage == "fit":
            if self.trainer.strategy.root_device.type == "cpu":
                disable_malloc_trim()
            for network in (network for side in self.trained_networks().values() for network in side):
                if config.checkpoint_activations:
                    checkpoint_activations(network)
                if config.compile:
                    network.compile()

    def configure_optimizers(self) -> torch.optim.Optimizer | OptimizerLRSchedulerConfig:
        """Create the optimizer, and the decay of its rates if there is one."""
        fused = self.trainer.precision != "16-mixed"
        optimizer = build_optimizer(self.trained_networks(), self.optimizer, fused=fused)
        start = self.optimizer.lr_decay_start_epoch
        if start is None:
            return optimizer
        decay = LinearDecay(optimizer, self.trainer, start)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": decay, "interval": "step"}}

    def on_train_start(self) -> None:
        """Use the configured learning rates, also in a resumed run."""
        optimizer = self.trainer.optimizers[0]
        set_learning_rates(optimizer, self.lr_schedulers(), self.optimizer)  # type: ignore[arg-type]

    def training_step(self, pair: FacePair, batch_idx: int) -> Tensor:
        """Compute the sum of all losses."""
        losses = self.losses(pair, self(pair))
        for side in self.trained_networks():
            total = torch.stack([value for name, value in losses.items() if name.startswith(side)]).sum()
            self.log(f"train/{side}/total", total.detach(), prog_bar=True)
        self.log_dict({f"train/{name}": value.detach() for name, value in losses.items()})
        self._images += len(pair.source_landmarks) * self.trainer.world_size
        loss = torch.stack(list(losses.values())).sum()
        # A non-finite loss makes the gradient non-finite on every process.
        return loss * torch.where(loss.isfinite(), 1.0, torch.nan).detach()

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Leave out frozen parameters, and all of them if a gradient is not finite."""
        for parameter in self.frozen_parameters():
            parameter.grad = None
        self._norms = gradient_norms(optimizer)
        self.log_dict({f"train/{side}/gradient_norm": norm for side, norm in self._norms.items()})
        self.log("train/learning_rate", optimizer.param_groups[0]["lr"])
        self.finite_steps.check(optimizer, self._norms, self.optimizer.max_consecutive_nan_steps)
        self.log("train/skipped_steps", self.finite_steps.skipped.float())

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the norm of each side's gradient."""
        if gradient_clip_val is not None:
            clip_gradients(optimizer, self._norms, gradient_clip_val)

    def optimizer_step(self, *arguments: Any, **keywords: Any) -> None:
        """Make a step and update the moving average."""
        super().optimizer_step(*arguments, **keywords)
        for stage in self.averaged_stages():
            if stage.ema is not None and not self.finite_steps.consecutive:
                stage.ema.update(stage.network, self._images)
        self._images = 0

    # Validation, test, prediction

    def on_validation_epoch_start(self) -> None:
        """Decide whether the evaluation protocols are due."""
        interval = self.protocol_interval if self.trainer.state.fn == TrainerFn.FITTING else 1
        due = (self.trainer.current_epoch + 1) % interval == 0 and not self.trainer.sanity_checking
        self._start_metrics("val").protocols_due = due

    def validation_step(
        self, batch: FacePair | NumberedPair, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Update the metrics with a batch of validation pairs, or of pairs of a protocol."""
        self._update_metrics("val", batch, dataloader_idx)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics as ``val/…``."""
        self._log_metrics("val")

    def on_test_epoch_start(self) -> None:
        """Create the metrics."""
        self._start_metrics("test")

    def test_step(self, batch: FacePair | NumberedPair, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Update the metrics with a batch of test pairs, or of pairs of a protocol."""
        self._update_metrics("test", batch, dataloader_idx)

    def on_test_epoch_end(self) -> None:
        """Log the metrics as ``test/…``."""
        self._log_metrics("test")

    def predict_step(self, pair: FacePair, batch_idx: int) -> Any:
        """Return the outputs for a batch."""
        return self(pair)

    def _start_metrics(self, split: str) -> StageMetrics:
        if split not in self._metrics:
            protocols = getattr(self.trainer.datamodule, f"{split}_protocols")  # type: ignore[attr-defined]
            self._metrics[split] = StageMetrics(protocols).to(self.device)
        return self._metrics[split]

    def _update_metrics(self, split: str, batch: FacePair | NumberedPair, loader: int) -> None:
        metrics = self._metrics[split]
        if not isinstance(batch, NumberedPair):
            metrics.update(self.compute_metrics(batch))
        elif metrics.protocols_due:
            metrics.update_protocol(loader, batch, self.protocol_images(batch.pair, self(batch.pair)))

    def _log_metrics(self, split: str) -> None:
        for name, value in self._metrics[split].compute().items():
            self.log(f"{split}/{name}", value, prog_bar=name == self.monitor)

    # Checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the stage and its configuration; remove frozen networks."""
        add_stage(checkpoint, type(self).__name__, self.network_config(), self.excluded_from_checkpoint)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse the checkpoint of another stage, or of networks of other sizes."""
        fit_to_stage(checkpoint, type(self).__name__, self.state_dict(), self.excluded_from_checkpoint)
