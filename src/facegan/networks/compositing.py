"""What is cut out and put together: I'_fr, F_d, I_b and I_r of the paper.

A removed region is 0, the middle of -1..1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def mask_head(picture: Tensor, segmentation: Tensor) -> Tensor:
    """F_d: the picture without its background.

    Args:
        picture: N×3×H×W.
        segmentation: N×H×W of 0 background, 1 face, 2 hair.
    """
    return picture * (segmentation > 0)[:, None]


def mask_background(picture: Tensor, segmentation: Tensor) -> Tensor:
    """I_b: the picture without face and hair. Arguments as for :func:`mask_head`."""
    return picture * (segmentation == 0)[:, None]


def mask_predicted_head(face: Tensor, logits: Tensor) -> Tensor:
    """I'_fr: the reenacted face weighted by the probability of not being background.

    Args:
        face: I_fr, N×3×H×W.
        logits: S_fr, N×3×H×W.
    """
    return face * (1 - logits.softmax(dim=1)[:, :1])


def mix(painted: Tensor, mask: Tensor, background: Tensor) -> Tensor:
    """I_r = M·I_c + (1 - M)·I_b."""
    return mask * painted + (1 - mask) * background
