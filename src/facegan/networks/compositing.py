"""Masking and compositing of images: I'_fr, F_d, I_b and I_r of the paper.

A removed region is 0, the middle of -1..1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


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


def mask_predicted_head(face: Tensor, logits: Tensor) -> Tensor:
    """Weight the reenacted face by the probability of not being background: I'_fr.

    Args:
        face: I_fr, N×3×H×W.
        logits: S_fr, N×3×H×W.
    """
    return face * (1 - logits.softmax(dim=1)[:, :1])


def alpha_composite(foreground: Tensor, mask: Tensor, background: Tensor) -> Tensor:
    """Composite foreground over background: I_r = M·I_c + (1 - M)·I_b.

    Args:
        foreground: I_c, N×3×H×W.
        mask: M, N×1×H×W in 0..1.
        background: I_b, N×3×H×W.
    """
    return mask * foreground + (1 - mask) * background
