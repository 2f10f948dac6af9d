"""The base class of a stage's training step: one optimizer, clipping of each side, moving averages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from facegan.errors import InputError
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

if TYPE_CHECKING:
    from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig

    from facegan.stages.config import OptimizerConfig


class OptimizedModule(pl.LightningModule):
    """A module whose generators and discriminators are trained by one optimizer.

    Both sides get their gradients in ONE backward pass, in which each parameter takes part exactly once; so
    one optimizer makes the steps of two, and distributed training has no unused parameters.
    """

    network: nn.Module
    """Trained, averaged and passed to the next stage."""
    optimizer: OptimizerConfig

    def __init__(self) -> None:
        super().__init__()
        self.ema: ExponentialMovingAverage | None = None
        self.finite_steps = FiniteSteps()
        self._images = 0
        self._norms: dict[str, Tensor] = {}

    def trained_networks(self) -> dict[str, list[nn.Module]]:
        """Return the networks of each side: ``generator``, and ``discriminator`` if there are any."""
        return {"generator": [self.network]}

    def averaged_modules(self) -> list[OptimizedModule]:
        """Return the modules whose ``network`` is averaged."""
        return [self]

    def frozen_parameters(self) -> list[nn.Parameter]:
        """Return trained parameters that are not updated in this epoch."""
        return []

    @property
    def inference_network(self) -> nn.Module:
        """The network in training mode, its moving average otherwise."""
        return self.network if self.training or self.ema is None else self.ema.network

    def create_averages(self) -> None:
        """Create the moving averages that are not there, as copies of the networks."""
        halflife = self.optimizer.ema_halflife
        for averaged in self.averaged_modules():
            if halflife and averaged.ema is None:
                averaged.ema = ExponentialMovingAverage(averaged.network, halflife)

    def setup(self, stage: str) -> None:
        """Create the moving averages and prepare the networks."""
        self._check_trainer()
        self.create_averages()
        config = self.optimizer
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

    def total_loss(self, losses: dict[str, Tensor], images: int) -> Tensor:
        """Sum and log the losses of a step, and count its images on all processes.

        Args:
            losses: ``generator/…`` and ``discriminator/…``; neither reaches the parameters of the other side.
            images: number of training images on this process.
        """
        for side in self.trained_networks():
            total = torch.stack([value for name, value in losses.items() if name.startswith(side)]).sum()
            self.log(f"train/{side}/total", total.detach(), prog_bar=True)
        self.log_dict({f"train/{name}": value.detach() for name, value in losses.items()})
        self._images += images * self.trainer.world_size
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
        """Make a step and update the moving averages."""
        super().optimizer_step(*arguments, **keywords)
        for averaged in self.averaged_modules():
            if averaged.ema is not None and not self.finite_steps.consecutive:
                averaged.ema.update(averaged.network, self._images)
        self._images = 0

    def _check_trainer(self) -> None:
        if self.trainer.precision in ("16-true", "bf16-true"):
            msg = f"trainer.precision {self.trainer.precision} is not supported: use bf16-mixed or 32-true"
            raise InputError(msg)
        if self.trainer.gradient_clip_algorithm == "value":
            msg = "trainer.gradient_clip_algorithm value is not supported: use norm, which is of each side"
            raise InputError(msg)
        if self.optimizer.lr_decay_start_epoch is not None and (self.trainer.max_epochs or -1) < 0:
            msg = "optimizer.lr_decay_start_epoch needs trainer.max_epochs: the rates reach zero there"
            raise InputError(msg)
