"""Losses between images and between segmentations: L_rr, L_rp, L_ce, and the soft Jaccard loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

PERCEPTUAL_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""pix2pixHD's weights of relu1_1 … relu5_1."""
EPS = 1e-6
"""In pixels."""


def reconstruction_loss(generated: Tensor, target: Tensor) -> Tensor:
    """Compute L_rr = ‖I'_fr - F_d‖₁, as the mean over pixels and channels; N×3×H×W each."""
    return (generated - target).abs().mean()


def perceptual_loss(
    generated: Sequence[Tensor], target: Sequence[Tensor], weights: Sequence[float] = PERCEPTUAL_WEIGHTS
) -> Tensor:
    """Compute L_rp = Σ_i w_i / (C_i H_i W_i) ‖V_i(I'_fr) - V_i(F_d)‖₁.

    Args:
        generated: feature maps of the generated image, N×C_i×H_i×W_i.
        target: those of the target; no gradient flows into them.
        weights: w_i, one a feature map (the paper's formula has none: pix2pixHD's code does).
    """
    terms = [
        weight * functional.l1_loss(ours, theirs.detach())
        for weight, ours, theirs in zip(weights, generated, target, strict=True)
    ]
    return torch.stack(terms).sum()


def segmentation_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Compute L_ce, the cross entropy of S_fr.

    Args:
        logits: N×3×H×W.
        target: N×H×W of 0 background, 1 face, 2 hair.
    """
    return functional.cross_entropy(logits.float(), target.long())


def soft_jaccard_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Compute 1 - mean soft intersection over union (Rahman and Wang, 2016; not in the paper).

    Intersection and union are taken over all pixels of the batch, with the probabilities of S_fr as fractions
    of a pixel. Unlike in L_ce an error counts relative to its region: half of little hair as half
    of much.

    Args:
        logits: N×3×H×W.
        target: N×H×W of 0 background, 1 face, 2 hair.
    """
    probabilities = logits.float().softmax(dim=1)
    one_hot = functional.one_hot(target.long(), logits.shape[1]).movedim(-1, 1)
    intersection = (probabilities * one_hot).sum(dim=(0, 2, 3))
    union = (probabilities + one_hot).sum(dim=(0, 2, 3)) - intersection
    # A label absent from both has no loss.
    return (1 - (intersection + EPS) / (union + EPS)).mean()
