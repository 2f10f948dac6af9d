"""Losses between pictures and between segmentations: L_rr, L_rp, L_ce, and the overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

PERCEPTUAL_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""pix2pixHD's weights of relu1_1 … relu5_1."""
TINY = 1e-6
"""Of a pixel."""


def reconstruction(generated: Tensor, truth: Tensor) -> Tensor:
    """L_rr = ‖I'_fr - F_d‖₁, as the mean over pixels and channels; N×3×H×W each."""
    return (generated - truth).abs().mean()


def perceptual(
    generated: Sequence[Tensor], truth: Sequence[Tensor], weights: Sequence[float] = PERCEPTUAL_WEIGHTS
) -> Tensor:
    """L_rp = Σ_i w_i / (C_i H_i W_i) ‖V_i(I'_fr) - V_i(F_d)‖₁.

    Args:
        generated: feature maps of the generated picture, N×C_i×H_i×W_i.
        truth: those of the true one; no gradient flows into them.
        weights: w_i, one a feature map (the paper's formula has none: pix2pixHD's code does).
    """
    terms = [
        weight * functional.l1_loss(ours, theirs.detach())
        for weight, ours, theirs in zip(weights, generated, truth, strict=True)
    ]
    return torch.stack(terms).sum()


def segmentation_cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """L_ce: cross entropy of S_fr.

    Args:
        logits: N×3×H×W.
        truth: N×H×W of 0 background, 1 face, 2 hair.
    """
    return functional.cross_entropy(logits.float(), truth.long())


def soft_jaccard_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """What the labels' overlaps lack to 1, their mean (Rahman and Wang, 2016; not in the paper).

    Overlap is intersection over union of all pixels of the batch, with the probabilities of S_fr as shares of
    a pixel. Unlike in L_ce an error counts by its share of the region: half of little hair as half of much.

    Args:
        logits: N×3×H×W.
        truth: N×H×W of 0 background, 1 face, 2 hair.
    """
    found = logits.float().softmax(dim=1)
    true = functional.one_hot(truth.long(), logits.shape[1]).movedim(-1, 1)
    both = (found * true).sum(dim=(0, 2, 3))
    either = (found + true).sum(dim=(0, 2, 3)) - both
    # A label that is nowhere, in neither, lacks nothing.
    return (1 - (both + TINY) / (either + TINY)).mean()
