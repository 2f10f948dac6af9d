"""Losses of the landmark transformer: L_lr, L_lau, L_lc.

A 1-norm is taken as the mean over all coordinates, a 2-norm of Δ over the 136 coordinates of a face and
then as the mean over faces, so that no weight depends on the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from facegan.geometry.landmarks import EDGES


def landmark_reconstruction_loss(transformed: Tensor, driving: Tensor) -> Tensor:
    """Compute the first term of L_lr: ‖l_t - l_d‖₁.

    Args:
        transformed: l_t, N×68×2.
        driving: l_d, N×68×2.
    """
    return (transformed - driving).abs().mean()


def displacement_loss(displacement: Tensor) -> Tensor:
    """Compute the second term of L_lr: ‖Δ‖₂.

    Args:
        displacement: Δ, N×68×2.
    """
    # The epsilon keeps the gradient at Δ = 0 finite.
    return displacement.float().flatten(1).square().sum(dim=1).add(1e-12).sqrt().mean()


def action_unit_loss(regressed_transformed: Tensor, regressed_driving: Tensor, motion: Tensor) -> Tensor:
    """Compute L_lau = ‖L_a(l_t) - AU_d‖₁ + ‖L_a(l_d) - AU_d‖₁.

    Args:
        regressed_transformed: L_a(l_t), N×20.
        regressed_driving: L_a(l_d), N×20.
        motion: AU_d, N×20.
    """
    return (regressed_transformed - motion).abs().mean() + (regressed_driving - motion).abs().mean()


def landmark_connectivity_loss(transformed: Tensor, reference: Tensor) -> Tensor:
    """Compute L_lc = ‖D_t - D_d‖₁, D the differences between neighbors along the contours.

    Args:
        transformed: l_t, N×68×2.
        reference: l_d by the formula; l_s by the sentence before it. N×68×2.
    """
    return (_neighbor_differences(transformed) - _neighbor_differences(reference)).abs().mean()


def _neighbor_differences(landmarks: Tensor) -> Tensor:
    edges = torch.tensor(EDGES, device=landmarks.device)
    return landmarks[:, edges[:, 0]] - landmarks[:, edges[:, 1]]
