from __future__ import annotations

import numpy as np
import torch
from scipy.interpolate import RBFInterpolator

from facegan.geometry.thin_plate_spline import fit_spline


def random_case(count=3, points=40, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    positions = 2 * torch.rand(count, points, 2, generator=generator, dtype=dtype) - 1
    displacements = 0.2 * torch.randn(count, points, 2, generator=generator, dtype=dtype)
    return positions, displacements, 0.1 + torch.rand(count, points, generator=generator, dtype=dtype)


def test_fit_spline_equals_scipy():
    """SciPy's kernel is r² log r, half of this one, so its stiffness is half too."""
    points, displacements, weights = random_case()
    spline = fit_spline(points, displacements, weights, 0.02)
    queries = random_case(3, 25)[0] * 1.5
    for number, found in enumerate(spline.displacement(queries)):
        reference = RBFInterpolator(
            points[number].numpy(),
            displacements[number].numpy(),
            kernel="thin_plate_spline",
            smoothing=0.01 / weights[number].numpy(),
        )
        np.testing.assert_allclose(found, reference(queries[number].numpy()), atol=1e-9)


def test_fit_spline_without_stiffness_interpolates():
    points, displacements, weights = random_case()
    spline = fit_spline(points, displacements, weights, 0.0)
    torch.testing.assert_close(spline.displacement(points), displacements, atol=1e-8, rtol=0)


def test_fit_spline_affine_displacements_are_exact():
    points, _, weights = random_case(dtype=torch.float32)
    matrix, shift = torch.tensor([[0.3, -0.2], [0.5, 0.1]]), torch.tensor([0.4, -0.7])
    spline = fit_spline(points, points @ matrix + shift, weights, 0.02)
    queries = 1.5 * points
    torch.testing.assert_close(spline.displacement(queries), queries @ matrix + shift, atol=3e-6, rtol=0)


def test_fit_spline_zero_displacements_are_zero():
    points, displacements, weights = random_case(dtype=torch.float32)
    spline = fit_spline(points, 0 * displacements, weights, 0.02)
    assert not spline.displacement(1.5 * points).any()


def test_fit_spline_gradient_equals_finite_differences():
    points, displacements, weights = random_case(2, 8)
    queries = random_case(2, 5)[0]

    def evaluate(*arguments):
        return fit_spline(*arguments, 0.02).displacement(queries)

    inputs = tuple(part.requires_grad_() for part in (points, displacements, weights))
    assert torch.autograd.gradcheck(evaluate, inputs)


def test_fit_spline_exported_equals_solved(monkeypatch):
    """Exported graphs have no solver; in 32 bit the weights of hidden points make the worst case."""
    points, displacements, weights = random_case(points=79, dtype=torch.float32)
    weights = weights.clamp(min=0.2) * (torch.arange(79) % 3 > 0) + 1e-3
    expected = fit_spline(points.double(), displacements.double(), weights.double(), 0.02)
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    found = fit_spline(points, displacements, weights, 0.02)
    queries = random_case(3, 50)[0]
    difference = found.displacement(queries.float()) - expected.displacement(queries)
    assert difference.abs().max() < 1e-4
