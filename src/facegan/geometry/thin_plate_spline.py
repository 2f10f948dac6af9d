"""Thin-plate splines that smooth displacements of points in the plane (Duchon 1977; Bookstein, PAMI 1989)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

NEWTON_ITERATIONS = 24
"""Of the inverse in exported graphs; its error is squared by each, and 16 suffice for heads."""
TINY = 1e-12
"""Squared distance below which the kernel is zero, as its limit is."""


class ThinPlateSpline(NamedTuple):
    """A batch of N splines with K points: Σ_k c_k U(|x - p_k|) + (1, x, y)·a, where U(r) = r² log r².

    Attributes:
        points: p, N×K×2.
        coefficients: c, N×K×2.
        affine: a, N×3×2.
    """

    points: Tensor
    coefficients: Tensor
    affine: Tensor

    def displacement(self, positions: Tensor) -> Tensor:
        """Evaluate at positions M×2 or N×M×2; returns N×M×2."""
        kernel = thin_plate_kernel(squared_distances(positions, self.points))
        return kernel @ self.coefficients + self.affine_displacement(positions)

    def affine_displacement(self, positions: Tensor) -> Tensor:
        """Evaluate the affine part alone, (1, x, y)·a."""
        return _affine_terms(positions) @ self.affine


def fit_spline(points: Tensor, displacements: Tensor, weights: Tensor, stiffness: float) -> ThinPlateSpline:
    """Fit smoothing thin-plate splines: minimize Σ w_k |residual_k|² + stiffness · bending energy.

    Affine displacements are reproduced exactly, zero ones to the last bit. The solution is computed in 32 bit
    or more and is differentiable.

    Args:
        points: N×K×2, not all on one line.
        displacements: at the points, N×K×2.
        weights: of the points, N×K, positive.
        stiffness: 0 interpolates.
    """
    affine_terms = _affine_terms(points)
    transposed = affine_terms.transpose(1, 2)
    pseudo_inverse = _invert_symmetric_3x3(transposed @ affine_terms) @ transposed
    projection = torch.eye(points.shape[1], device=points.device, dtype=points.dtype) - (
        affine_terms @ pseudo_inverse
    )
    kernel = thin_plate_kernel(squared_distances(points, points))
    smoothed_kernel = kernel + torch.diag_embed(stiffness / weights)
    # Coefficients have no affine part. On that subspace the kernel is positive definite; the rest is made so.
    matrix = projection @ smoothed_kernel @ projection + affine_terms @ pseudo_inverse
    coefficients = projection @ _solve_positive_definite(matrix, projection @ displacements)
    affine = pseudo_inverse @ (displacements - smoothed_kernel @ coefficients)
    return ThinPlateSpline(points, coefficients, affine)


def squared_distances(positions: Tensor, points: Tensor) -> Tensor:
    """Compute the squared distances between M×2 or N×M×2 and N×K×2: N×M×K."""
    # Axis by axis: a sum over a last dimension of two is several times slower.
    x, y = (positions[..., axis, None] - points[:, None, :, axis] for axis in (0, 1))
    return x * x + y * y


def thin_plate_kernel(squared: Tensor) -> Tensor:
    """Compute U(r) = r² log r² from squared distances."""
    squared = squared.clamp(min=TINY)
    return squared * squared.log()


def _affine_terms(positions: Tensor) -> Tensor:
    """Return (1, x, y) of N×M×2: N×M×3."""
    return torch.cat((torch.ones_like(positions[..., :1]), positions), dim=-1)


def _invert_symmetric_3x3(matrix: Tensor) -> Tensor:
    """Invert symmetric N×3×3 by their adjugate: the operations exist in every exported format."""
    first, second, third = matrix.unbind(dim=1)
    adjugate = torch.stack((_cross(second, third), _cross(third, first), _cross(first, second)), dim=1)
    determinant = (first * adjugate[:, 0]).sum(dim=-1)
    return adjugate / determinant[:, None, None]


def _cross(left: Tensor, right: Tensor) -> Tensor:
    return torch.stack(
        [
            left[:, (axis + 1) % 3] * right[:, (axis + 2) % 3]
            - left[:, (axis + 2) % 3] * right[:, (axis + 1) % 3]
            for axis in range(3)
        ],
        dim=-1,
    )


def _solve_positive_definite(matrix: Tensor, right_side: Tensor) -> Tensor:
    """Solve N×K×K systems; in exported graphs, whose formats have no solver, by Newton's iteration."""
    if not torch.compiler.is_exporting():
        # Without a check for errors, which would wait for the GPU.
        solution: Tensor = torch.linalg.solve_ex(matrix, right_side)[0]
        return solution
    identity = torch.eye(matrix.shape[1], device=matrix.device, dtype=matrix.dtype)
    # Converges for positive definite matrices, as the largest eigenvalue is at most the largest row sum.
    inverse = identity / matrix.abs().sum(dim=-1).amax(dim=-1)[:, None, None]
    for _ in range(NEWTON_ITERATIONS):
        inverse = inverse @ (2 * identity - matrix @ inverse)
    return inverse @ right_side
