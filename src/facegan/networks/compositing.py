"""Masking and compositing of images: I'_fr, F_d, I_b and I_r of the paper.

A removed region is 0, the middle of -1..1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

HOLE_GROWTH = 60
"""The hole is grown by this fraction of the image's size before it is filled."""
MIN_ALPHA = 0.1
"""Below it a color divided by its alpha would be mostly rounding."""


def mask_head(image: Tensor, segmentation: Tensor) -> Tensor:
    """Remove the background of an image: F_d.

    Args:
        image: N×3×H×W.
        segmentation: N×H×W of 0 background, 1 face, 2 hair.
    """
    return image * (segmentation > 0)[:, None]


def mask_background(image: Tensor, segmentation: Tensor) -> Tensor:
    """Remove face and hair from an image: I_b. Arguments as for :func:`mask_head`."""
    return image * (segmentation == 0)[:, None]


def head_probability(logits: Tensor) -> Tensor:
    """Compute the probability of not being background, N×1×H×W, of the logits of S_fr, N×3×H×W."""
    return 1 - logits.softmax(dim=1)[:, :1]


def mask_predicted_head(face: Tensor, logits: Tensor) -> Tensor:
    """Weight the reenacted face by the probability of not being background: I'_fr.

    Args:
        face: I_fr, N×3×H×W.
        logits: S_fr, N×3×H×W.
    """
    return face * head_probability(logits)


def unmask_head(head: Tensor, alpha: Tensor) -> Tensor:
    """Divide a head by its alpha, so that its soft border has the head's colors.

    Args:
        head: N×3×H×W, weighted by alpha.
        alpha: N×1×H×W in 0..1; where it is below MIN_ALPHA, the result fades to 0.
    """
    return head / alpha.clamp(min=MIN_ALPHA)


def alpha_composite(foreground: Tensor, mask: Tensor, background: Tensor) -> Tensor:
    """Composite foreground over background: I_r = M·I_c + (1 - M)·I_b.

    Args:
        foreground: I_c, N×3×H×W.
        mask: M, N×1×H×W in 0..1.
        background: I_b, N×3×H×W.
    """
    return mask * foreground + (1 - mask) * background


def fill_hole(background: Tensor) -> Tensor:
    """Fill the removed region from its surroundings, coarse to fine (push-pull; Gortler et al., 1996).

    The region is grown first, so that a head whose mask is not quite one shows a plausible color and no rim.
    It is where all channels are zero, which no 8-bit pixel is.

    Args:
        background: N×3×H×W in -1..1, zero where the head was; returned as it is without such a region.
    """
    margin = round(background.shape[-1] / HOLE_GROWTH)
    hole = (background == 0).all(dim=1, keepdim=True).to(background.dtype)
    known = 1 - functional.max_pool2d(hole, 2 * margin + 1, stride=1, padding=margin)
    return _push_pull(background, known)


def _push_pull(image: Tensor, known: Tensor) -> Tensor:
    """Keep known pixels, and fill the others by those of the next coarser level."""
    size = image.shape[-2:]
    if max(size) == 1:
        return image * known
    weight = functional.avg_pool2d(known, 2, ceil_mode=True)
    coarse = functional.avg_pool2d(image * known, 2, ceil_mode=True) / weight.clamp(min=1e-6)
    filled = _push_pull(coarse, (weight > 0).to(image.dtype))
    filled = functional.interpolate(filled, size=size, mode="bilinear", align_corners=False)
    return image * known + filled * (1 - known)
