"""Regularizers of the background mixer's mask: the two terms of L_bm."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def mask_smoothness_loss(mask: Tensor) -> Tensor:
    """Compute Σ (M_{x+1,y} - M_{x,y})² + (M_{x,y+1} - M_{x,y})², as the mean over differences.

    Args:
        mask: M, N×1×H×W in 0..1.
    """
    mask = mask.float()
    return mask.diff(dim=-1).square().mean() + mask.diff(dim=-2).square().mean()


def mask_norm_loss(mask: Tensor) -> Tensor:
    """Compute ‖M‖₂ of each image, divided by the square root of its pixels: 1 for a mask of ones.

    Args:
        mask: M, N×1×H×W in 0..1.
    """
    # The epsilon keeps the gradient at M = 0 finite; in 16 bits it would vanish.
    return mask.float().flatten(1).square().mean(dim=1).add(1e-12).sqrt().mean()
