import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.geometry.landmarks import EDGES
from facegan.losses import (
    action_unit_loss,
    displacement_loss,
    landmark_connectivity_loss,
    landmark_reconstruction_loss,
)

seeds = st.integers(0, 2**31 - 1)
distances = pytest.mark.parametrize("distance", [landmark_reconstruction_loss, landmark_connectivity_loss])


def faces(seed, count=3):
    return torch.randn(2, count, 68, 2, generator=torch.Generator().manual_seed(seed))


def test_landmark_reconstruction_loss_is_mean():
    moved = torch.zeros(2, 68, 2)
    moved[0, 10, 1], moved[1, 3, 0] = 4.0, -2.0
    assert landmark_reconstruction_loss(moved, torch.zeros_like(moved)).item() == pytest.approx(6 / (2 * 136))


def test_displacement_loss_is_norm_per_face():
    displacement = torch.zeros(2, 68, 2)
    displacement[0, 5] = torch.tensor([3.0, 4.0])
    displacement[1, :, 0] = 1.0
    assert displacement_loss(displacement).item() == pytest.approx((5 + math.sqrt(68)) / 2)


@given(seeds)
def test_landmark_connectivity_loss_equals_reference(seed):
    a, b = faces(seed)
    terms = [((a[:, i] - a[:, j]) - (b[:, i] - b[:, j])).abs().sum() for i, j in EDGES]
    expected = sum(terms).item() / (3 * len(EDGES) * 2)
    assert landmark_connectivity_loss(a, b).item() == pytest.approx(expected, rel=1e-4)


def test_landmark_connectivity_loss_one_corner():
    """A corner of the mouth is on two edges, a landmark at a contour's end on one."""
    still, moved = torch.zeros(1, 68, 2), torch.zeros(1, 68, 2)
    moved[0, 48] = torch.tensor([1.0, 0.0])
    assert landmark_connectivity_loss(moved, still).item() == pytest.approx(2 / (63 * 2))
    moved[0, 48], moved[0, 16] = 0.0, torch.tensor([0.0, 3.0])
    assert landmark_connectivity_loss(moved, still).item() == pytest.approx(3 / (63 * 2))


@given(seeds, st.floats(-3, 3), st.floats(-3, 3))
def test_landmark_connectivity_loss_is_translation_invariant(seed, x, y):
    a, b = faces(seed)
    assert landmark_connectivity_loss(a + torch.tensor([x, y]), b).item() == pytest.approx(
        landmark_connectivity_loss(a, b).item(), abs=1e-5
    )


@distances
@given(seeds)
def test_landmark_losses_are_distances(distance, seed):
    a, b = faces(seed)
    assert distance(a, a) == 0
    assert distance(a, b) > 0
    torch.testing.assert_close(distance(a, b), distance(b, a))
    torch.testing.assert_close(distance(2 * a, 2 * b), 2 * distance(a, b))
    torch.testing.assert_close(distance(torch.cat((a, a)), torch.cat((b, b))), distance(a, b))


def test_action_unit_loss_is_sum_of_both():
    motion = torch.zeros(2, 20)
    seen_transformed, seen_driving = torch.full((2, 20), 0.5), torch.full((2, 20), -0.25)
    assert action_unit_loss(seen_transformed, seen_driving, motion).item() == pytest.approx(0.75)
    assert action_unit_loss(motion, motion, motion) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_displacement_loss_zero_gradient_is_finite(dtype):
    displacement = torch.zeros(2, 68, 2, dtype=dtype, requires_grad=True)
    displacement_loss(displacement).backward()
    assert displacement.grad.isfinite().all()
    assert displacement_loss(displacement).item() == pytest.approx(0, abs=1e-5)


@given(seeds)
def test_displacement_loss_decreases_along_gradient(seed):
    displacement = faces(seed)[0].requires_grad_()
    displacement_loss(displacement).backward()
    assert (displacement.grad * displacement).sum() > 0
