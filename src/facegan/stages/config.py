"""Settings that several stages share, as groups of YAML keys."""

from __future__ import annotations

from dataclasses import dataclass

from facegan.errors import InputError
from facegan.losses import AdversarialForm


@dataclass(frozen=True)
class OptimizerConfig:
    """How the weights are moved: ``model.init_args.optimization`` in YAML.

    Args:
        learning_rate: of Adam (fixed by the paper: 2e-4).
        betas: of Adam (open; 0.5 and 0.999 are pix2pixHD's).
        muon_lr: move the generators' convolutions by :class:`facegan.stages.muon.Muon` with this
            learning rate, which is not of Adam's scale (0.02 is usual); null for Adam (open).
        discriminator_lr: another one for the discriminators, as in the two time-scale rule
            (Heusel et al., 2017); null for the same.
        lr_decay_start_epoch: epochs before both learning rates fall, by the same step at every batch, to
            zero at ``trainer.max_epochs`` (open; pix2pixHD: half of them); null for no fall.
        accumulate: batches whose gradients are averaged into one step.
        gradient_clip: largest norm of each side's gradient; null for no limit.
        ema_halflife: pictures after which a trained weight has half its weight in the running
            average that is validated, handed to the next stage and bundled; in the beginning it is at
            most a twentieth of the pictures seen (Karras et al., 2021). 0 for no average.
        max_consecutive_nan_steps: steps whose loss or gradient is not finite are skipped; after so many
            in a row training stops.
        channels_last: keep pictures and convolutions in the memory order that tensor cores like best; on
            processors instance norm loses more by it than the convolutions win.
        compile: let torch.compile fuse the networks; the first steps take minutes.
        checkpoint_activations: forget what lies between the ends of the networks' blocks and compute it again
            in the backward pass: less memory, more time, the same result.
    """

    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    muon_lr: float | None = None
    discriminator_lr: float | None = None
    lr_decay_start_epoch: int | None = None
    accumulate: int = 1
    gradient_clip: float | None = None
    ema_halflife: float = 10_000
    max_consecutive_nan_steps: int = 10
    channels_last: bool = False
    compile: bool = False
    checkpoint_activations: bool = False

    def __post_init__(self) -> None:
        """Refuses what cannot be meant."""
        for name in ("learning_rate", "ema_halflife"):
            _at_least(name, getattr(self, name), 0)
        optional = ("muon_lr", "discriminator_lr", "lr_decay_start_epoch", "gradient_clip")
        for name in optional:
            if getattr(self, name) is not None:
                _at_least(name, getattr(self, name), 0)
        for name in ("accumulate", "max_consecutive_nan_steps"):
            _at_least(name, getattr(self, name), 1)
        if not all(0 <= beta < 1 for beta in self.betas):
            msg = f"optimizer.betas is {list(self.betas)}: both must be from 0 to below 1"
            raise InputError(msg)


@dataclass(frozen=True)
class AdversarialConfig:
    """The discriminators' part of the loss: ``model.init_args.adversarial`` in YAML.

    Args:
        weight: λ_r3 or λ_b4 (open).
        form: ``log`` is the paper's, ``least_squares`` pix2pixHD's, ``hinge`` Lim and Ye's.
        feature_matching: weight of the L1 distance between the discriminators' features of generated
            and true pictures (pix2pixHD: 10; not in the paper: 0).
        gradient_penalty: weight γ/2 of R1 (Mescheder et al., 2018), taken on true pictures at every
            16th step with 16 times the weight (Karras et al., 2020); not in the paper: 0.
    """

    weight: float = 1.0
    form: AdversarialForm = "log"
    feature_matching: float = 0.0
    gradient_penalty: float = 0.0

    def __post_init__(self) -> None:
        """Refuses negative weights."""
        for name in ("weight", "feature_matching", "gradient_penalty"):
            _at_least(name, getattr(self, name), 0, "adversarial")


def _at_least(name: str, value: float, least: float, group: str = "optimizer") -> None:
    if not value >= least:
        msg = f"{group}.{name} is {value}: it must be at least {least}"
        raise InputError(msg)
