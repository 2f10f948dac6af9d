"""Adversarial losses L_radv and L_badv, and pix2pixHD's feature matching.

Over the logits of several discriminators, in two forms. ``log`` is the paper's; its generator takes
-log D instead of log(1 - D), which has the same fixed point and a gradient where the discriminator wins
(Goodfellow et al., 2014, section 3). ``least_squares`` is pix2pixHD's (Mao et al., 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor

AdversarialForm = Literal["log", "least_squares"]


def discriminator_loss(
    real: Sequence[Tensor], fake: Sequence[Tensor], form: AdversarialForm = "log"
) -> Tensor:
    """Compute the sum over the discriminators of their mean loss.

    Args:
        real: logits on real images, one map a scale.
        fake: logits on generated images.
        form: which loss.
    """
    return _total(_discriminator_loss(r.float(), f.float(), form) for r, f in zip(real, fake, strict=True))


def generator_loss(fake: Sequence[Tensor], form: AdversarialForm = "log") -> Tensor:
    """Compute the sum over the discriminators of the generator's mean loss. Arguments as above."""
    return _total(_generator_loss(f.float(), form) for f in fake)


def feature_matching_loss(fake: list[list[Tensor]], real: list[list[Tensor]]) -> Tensor:
    """Compute pix2pixHD's distance of the discriminators' activations, for the generator.

    As in pix2pixHD's code (``models/pix2pixHD_model.py``): the mean absolute difference of every
    layer but the logits, added up over the layers times 4 / (number of these layers), and averaged
    over the scales. With pix2pixHD's 4 such layers the first factor is 1. Its weight of the whole,
    10, is not included.

    Args:
        fake: activations on generated images, for each scale those of its layers, logits last:
            what :class:`facegan.networks.MultiScaleDiscriminator` returns.
        real: those on the real images; no gradient flows into them.
    """
    scales = [
        _total(
            functional.l1_loss(fake_layer.float(), real_layer.detach().float())
            for fake_layer, real_layer in zip(fake_layers[:-1], real_layers[:-1], strict=True)
        )
        * (4 / (len(fake_layers) - 1))
        for fake_layers, real_layers in zip(fake, real, strict=True)
    ]
    return _total(scales) / len(scales)


def _discriminator_loss(real: Tensor, fake: Tensor, form: AdversarialForm) -> Tensor:
    if form == "log":
        return functional.softplus(-real).mean() + functional.softplus(fake).mean()
    return (real - 1).square().mean() + fake.square().mean()


def _generator_loss(fake: Tensor, form: AdversarialForm) -> Tensor:
    if form == "log":
        return functional.softplus(-fake).mean()
    return (fake - 1).square().mean()


def _total(losses: Iterable[Tensor]) -> Tensor:
    first, *others = losses
    for loss in others:
        first = first + loss
    return first
