"""Adversarial losses over the logits of several discriminators: L_radv, L_badv.

``log`` is the paper's form; its generator takes -log D instead of log(1 - D), which has the same
fixed point and a gradient where the discriminator wins (Goodfellow et al., 2014, section 3).
``least_squares`` is pix2pixHD's (Mao et al., 2017), ``hinge`` from Lim and Ye (2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor

AdversarialForm = Literal["log", "least_squares", "hinge"]


def discriminator_loss(
    real: Sequence[Tensor], fake: Sequence[Tensor], form: AdversarialForm = "log"
) -> Tensor:
    """Sum over the discriminators of their mean loss.

    Args:
        real: logits on true pictures, one map a scale.
        fake: logits on generated pictures.
        form: which loss.
    """
    return _total(_discriminator(r.float(), f.float(), form) for r, f in zip(real, fake, strict=True))


def generator_loss(fake: Sequence[Tensor], form: AdversarialForm = "log") -> Tensor:
    """Sum over the discriminators of the generator's mean loss. Arguments as above."""
    return _total(_generator(f.float(), form) for f in fake)


def _discriminator(real: Tensor, fake: Tensor, form: AdversarialForm) -> Tensor:
    if form == "log":
        return functional.softplus(-real).mean() + functional.softplus(fake).mean()
    if form == "least_squares":
        return (real - 1).square().mean() + fake.square().mean()
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


def _generator(fake: Tensor, form: AdversarialForm) -> Tensor:
    if form == "log":
        return functional.softplus(-fake).mean()
    if form == "least_squares":
        return (fake - 1).square().mean()
    return -fake.mean()


def _total(losses: Iterable[Tensor]) -> Tensor:
    first, *others = losses
    for loss in others:
        first = first + loss
    return first
