"""Losses of the landmark transformer: L_lr, L_lau, L_lc.

A 1-norm is taken as the mean over all numbers, a 2-norm of Δ over the 136 numbers of a face and
then as the mean over faces, so that no weight depends on the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from facegan.geometry.landmarks import EDGES


def landmark_reconstruction(transformed: Tensor, driving: Tensor) -> Tensor:
    """First term of L_lr: ‖l_t - l_d‖₁.

    Args:
        transformed: l_t, N×68×2.
        driving: l_d, N×68×2.
    """
    return (transformed - driving).abs().mean()


def displacement_norm(movement: Tensor) -> Tensor:
    """Second term of L_lr: ‖Δ‖₂.

    Args:
        movement: Δ, N×68×2.
    """
    # The smallest number keeps the gradient at Δ = 0 finite.
    return movement.float().flatten(1).square().sum(dim=1).add(1e-12).sqrt().mean()


def action_unit_consistency(seen_transformed: Tensor, seen_driving: Tensor, motion: Tensor) -> Tensor:
    """L_lau = ‖L_a(l_t) - AU_d‖₁ + ‖L_a(l_d) - AU_d‖₁.

    Args:
        seen_transformed: L_a(l_t), N×20.
        seen_driving: L_a(l_d), N×20.
        motion: AU_d, N×20.
    """
    return (seen_transformed - motion).abs().mean() + (seen_driving - motion).abs().mean()


def connectivity(transformed: Tensor, reference: Tensor) -> Tensor:
    """L_lc = ‖D_t - D_d‖₁, D the differences between neighbors along the contours.

    Args:
        transformed: l_t, N×68×2.
        reference: l_d by the formula; l_s by the sentence before it. N×68×2.
    """
    return (_differences(transformed) - _differences(reference)).abs().mean()


def _differences(points: Tensor) -> Tensor:
    edges = torch.tensor(EDGES, device=points.device)
    return points[:, edges[:, 0]] - points[:, edges[:, 1]]
