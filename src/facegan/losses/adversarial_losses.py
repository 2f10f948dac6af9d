"""Losses that look through the discriminators: L_radv, L_badv, and two that the paper does not have.

Adversarial losses over the logits of several discriminators, in three forms. ``log`` is the paper's;
its generator takes -log D instead of log(1 - D), which has the same fixed point and a gradient where
the discriminator wins (Goodfellow et al., 2014, section 3). ``least_squares`` is pix2pixHD's (Mao et
al., 2017), ``hinge`` from Lim and Ye (2017). Beside them pix2pixHD's feature matching for the
generator, and the penalty R1 on the discriminators' gradient (Mescheder et al., 2018).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
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


def feature_matching(fake: list[list[Tensor]], real: list[list[Tensor]]) -> Tensor:
    """Distance of the discriminators' activations: pix2pixHD's, for the generator.

    As in pix2pixHD's code (``models/pix2pixHD_model.py``): the mean absolute difference of every
    layer but the logits, added up over the layers times 4 / (number of these layers), and averaged
    over the scales. With pix2pixHD's 4 such layers the first factor is 1. Its weight of the whole,
    10, is not included.

    Args:
        fake: activations on generated pictures, for each scale those of its layers, logits last:
            what :class:`facegan.networks.MultiScaleDiscriminator` returns.
        real: those on the true pictures; no gradient flows into them.
    """
    scales = [
        _total(
            functional.l1_loss(ours.float(), theirs.detach().float())
            for ours, theirs in zip(fakes[:-1], reals[:-1], strict=True)
        )
        * (4 / (len(fakes) - 1))
        for fakes, reals in zip(fake, real, strict=True)
    ]
    return _total(scales) / len(scales)


def gradient_penalty(logits: Sequence[Tensor], real: Tensor) -> Tensor:
    """R1 = ½ E‖∇_x D(x)‖² over true pictures x (Mescheder et al., ICML 2018), for the discriminators.

    D(x) is the sum over the discriminators of their maps' mean logit, as in
    :func:`discriminator_loss`; the squared norm is summed over a picture and averaged over pictures.
    The paper's weight of it, γ, is not included.

    The penalty is a function of a gradient, so its own gradient is a second derivative:
    ``torch.compile`` cannot give one, and the discriminators' forward must be an uncompiled one.

    Args:
        logits: maps N×1×h×w, one a scale, computed from ``real``.
        real: x, N×C×H×W with ``requires_grad``.
    """
    score = _total(map_.float().flatten(1).mean(dim=1).sum() for map_ in logits)
    (gradient,) = torch.autograd.grad(score, real, create_graph=True)
    return gradient.float().square().flatten(1).sum(dim=1).mean() / 2


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
