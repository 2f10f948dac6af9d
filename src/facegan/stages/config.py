"""Configuration groups that several stages share, as they stand in YAML."""

from __future__ import annotations

from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from facegan.errors import InputError
from facegan.losses import AdversarialForm

if TYPE_CHECKING:
    from collections.abc import Mapping

POSITIVE_ARGUMENTS = ("sigma", "width", "protocol_interval")
"""Arguments of stages that cannot be zero."""


@dataclass(frozen=True)
class OptimizerConfig:
    """Optimizer, learning-rate schedule and averaging: ``model.init_args.optimizer`` in YAML.

    Args:
        learning_rate: of Adam (fixed by the paper: 2e-4).
        betas: of Adam (open; 0.5 and 0.999 are pix2pixHD's).
        muon_lr: learning rate of :class:`facegan.stages.muon.Muon` for the generators' convolutions, which
            is not on Adam's scale (0.02 is usual); null for Adam (open).
        lr_decay_start_epoch: epochs before both learning rates decay, linearly over the batches, to zero
            at ``trainer.max_epochs`` (open; pix2pixHD: half of them); null for a constant rate.
        ema_halflife: half-life, in training images, of the exponential moving average of the weights that is
            validated, passed to the next stage and bundled; at first at most a twentieth of the images
            trained on (Karras et al., 2021). 0 for no average.
        max_consecutive_nan_steps: steps with a non-finite loss or gradient are skipped; after so many in a
            row training stops.
        channels_last: memory format that tensor cores prefer; on CPUs instance norm loses more by it than
            the convolutions gain.
        compile: compile the networks by torch.compile; the first steps take minutes.
        checkpoint_activations: recompute the activations within the networks' blocks in the backward pass:
            less memory, more time, the same result.

    Raises:
        InputError: if a value is impossible.
    """

    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    muon_lr: float | None = None
    lr_decay_start_epoch: int | None = None
    ema_halflife: float = 10_000
    max_consecutive_nan_steps: int = 10
    channels_last: bool = False
    compile: bool = False
    checkpoint_activations: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("learning_rate", "ema_halflife", "muon_lr", "lr_decay_start_epoch"):
            if getattr(self, name) is not None:
                _require_at_least(f"optimizer.{name}", getattr(self, name), 0)
        _require_at_least("optimizer.max_consecutive_nan_steps", self.max_consecutive_nan_steps, 1)
        if not all(0 <= beta < 1 for beta in self.betas):
            msg = f"optimizer.betas is {list(self.betas)}: both must be from 0 to below 1"
            raise InputError(msg)


class LossWeights:
    """Base class of the weights of a stage's losses: ``model.init_args.loss_weights`` in YAML.

    Raises:
        InputError: if a weight is negative.
    """

    def __post_init__(self) -> None:
        """Check the weights."""
        for name, value in vars(self).items():
            if isinstance(value, int | float):
                _require_at_least(f"loss_weights.{name}", value, 0)


@dataclass(frozen=True)
class AdversarialConfig:
    """The discriminators' part of the loss: ``model.init_args.adversarial`` in YAML.

    Args:
        weight: λ_r3 or λ_b4 (open).
        form: ``log`` is the paper's, ``least_squares`` pix2pixHD's.
        feature_matching: weight of the L1 distance between the discriminators' features of generated
            and real images (pix2pixHD: 10; not in the paper: 0).

    Raises:
        InputError: if a value is impossible.
    """

    weight: float = 1.0
    form: AdversarialForm = "log"
    feature_matching: float = 0.0

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("weight", "feature_matching"):
            _require_at_least(f"adversarial.{name}", getattr(self, name), 0)


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


def typed_arguments(stage: type, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a checkpoint's hyperparameters to a stage's arguments: the inverse of ``as_hyperparameters``.

    Arguments that were added after the checkpoint was written are left to their defaults.
    """
    types = get_type_hints(stage.__init__)  # type: ignore[misc]
    return {
        name: types[name](**value) if is_dataclass(types[name]) else value
        for name, value in hyperparameters.items()
    }


def _require_at_least(name: str, value: float, least: float) -> None:
    if not value >= least:
        msg = f"{name} is {value}: it must be at least {least}"
        raise InputError(msg)
