"""The one optimizer of a stage: parameter groups, decay of the rates, clipping, steps that are not finite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from facegan.errors import InputError
from facegan.stages.muon import Muon, muon_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytorch_lightning as pl

    from facegan.stages.config import OptimizerConfig


def build_optimizer(
    networks: Mapping[str, Sequence[nn.Module]], config: OptimizerConfig, *, fused: bool
) -> torch.optim.Adam:
    """Create Adam for all networks, with Muon for the generators' convolutions if it has a rate.

    Generators and discriminators get their gradients in one backward pass, so that one optimizer makes the
    steps of two.

    Args:
        networks: ``generator`` and ``discriminator``, the latter if there are any; written into each
            parameter group as ``side``.
        config: rates and betas.
        fused: use the fused implementation, which cannot be combined with a gradient scaler and clipping.
    """
    groups: list[dict[str, Any]] = []
    for side, members in networks.items():
        if side == "generator" and config.muon_lr is not None:
            groups += [{**group, "side": side} for group in muon_groups(members, config.muon_lr)]
        else:
            trained = [p for network in members for p in network.parameters() if p.requires_grad]
            groups.append({"params": trained, "side": side})
    if config.muon_lr is not None:
        return Muon(groups, config.learning_rate, config.betas, fused=fused)
    return torch.optim.Adam(groups, lr=config.learning_rate, betas=config.betas, fused=fused)


class LinearDecay(torch.optim.lr_scheduler.LambdaLR):
    """Constant learning rates, then a linear decay over the steps to zero at ``trainer.max_epochs``.

    Args:
        optimizer: whose groups' rates decay.
        trainer: gives the length of an epoch.
        start_epoch: number of epochs at constant rates.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, trainer: pl.Trainer, start_epoch: int) -> None:
        epochs = float(trainer.max_epochs or 0)

        def factor(step: int) -> float:
            steps_per_epoch = (
                math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches)
                if math.isfinite(trainer.num_training_batches)
                else math.inf
            )
            return min(1.0, (epochs - step / steps_per_epoch) / max(epochs - start_epoch, 1e-9))

        super().__init__(optimizer, factor)


def set_learning_rates(
    optimizer: torch.optim.Optimizer, scheduler: LinearDecay | None, config: OptimizerConfig
) -> None:
    """Replace the rates that a checkpoint restored by those of the configuration."""
    rates = [
        config.muon_lr if group.get("matrices") and config.muon_lr is not None else config.learning_rate
        for group in optimizer.param_groups
    ]
    if scheduler is not None:
        scheduler.base_lrs = list(rates)
        step = scheduler.last_epoch
        rates = [rate * factor(step) for rate, factor in zip(rates, scheduler.lr_lambdas, strict=True)]
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate


def gradient_norms(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Compute the norm of the gradients of each side."""
    return {side: get_total_norm(_gradients(optimizer, side)) for side in _sides(optimizer)}


def clip_gradients(optimizer: torch.optim.Optimizer, norms: Mapping[str, Tensor], limit: float) -> None:
    """Scale the gradients of each side to a norm of at most ``limit``."""
    for side, norm in norms.items():
        clip_grads_with_norm_(_parameters(optimizer, side), limit, norm)


class FiniteSteps(nn.Module):
    """Skips and counts the steps whose loss or gradient is not finite; checkpoints contain the counts."""

    skipped: Tensor
    consecutive: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("skipped", "consecutive"):
            self.register_buffer(name, torch.zeros((), dtype=torch.long))

    def check(
        self, optimizer: torch.optim.Optimizer, norms: Mapping[str, Tensor], max_consecutive: int
    ) -> None:
        """Remove all gradients if a norm is not finite: Adam leaves parameters without one as they are.

        Raises:
            InputError: after so many skipped steps in a row.
        """
        if torch.stack(list(norms.values())).isfinite().all():
            self.consecutive.zero_()
            return
        optimizer.zero_grad()
        self.skipped += 1
        self.consecutive += 1
        if self.consecutive >= max_consecutive:
            msg = (
                f"{self.consecutive} consecutive steps had a loss or gradient that is not finite: lower "
                "optimizer.learning_rate, set trainer.gradient_clip_val or use --trainer.precision=32-true, "
                "and resume from an earlier checkpoint"
            )
            raise InputError(msg)


def _sides(optimizer: torch.optim.Optimizer) -> list[str]:
    return list(dict.fromkeys(group["side"] for group in optimizer.param_groups))


def _parameters(optimizer: torch.optim.Optimizer, side: str) -> list[nn.Parameter]:
    groups = [group for group in optimizer.param_groups if group["side"] == side]
    return [p for group in groups for p in group["params"] if p.grad is not None]


def _gradients(optimizer: torch.optim.Optimizer, side: str) -> list[Tensor]:
    return [p.grad for p in _parameters(optimizer, side) if p.grad is not None]
