"""The opening between the lips, against synthetic heads."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from facegan.geometry.landmarks import INNER_LIPS, OUTER_LIPS, normalize_points
from facegan.geometry.motion import NUM_MOTION_PARAMS, edit_motion
from facegan.geometry.mouth_opening import draw_mouth_opening, relative_opening, unseen_opening
from synthetic_heads import render, sample_identity

SIZE = 128


@pytest.fixture(scope="module")
def frames():
    """A neutral face, and one with an open mouth and a turned, tilted head."""
    poses = ({}, {"AU26": 1.0, "AU25": 1.0, "yaw": 10, "roll": 20})
    motions = [edit_motion(torch.zeros(NUM_MOTION_PARAMS), pose).numpy() for pose in poses]
    return [render(sample_identity(3), motion, SIZE) for motion in motions]


def points(frame):
    return torch.from_numpy(normalize_points(frame.landmarks, SIZE))[None]


def lips(corner=0.2, half_height=0.1, count=1):
    """An upright mouth at the origin: an ellipse's 8 points."""
    landmarks = torch.zeros(count, 68, 2, dtype=torch.float64)
    angles = torch.arange(8, dtype=torch.float64) * torch.pi / 4 + torch.pi
    ellipse = torch.stack((corner * angles.cos(), half_height * angles.sin()), dim=-1)
    landmarks[:, list(INNER_LIPS)] = ellipse
    return landmarks


def test_draw_mouth_opening_covers_inner_lips(frames):
    """It covers the polygon of the inner lips, and stays within the outer ones."""
    landmarks = frames[1].landmarks
    drawn = draw_mouth_opening(points(frames[1]), SIZE)[0, 0].numpy() > 0.5
    inner, outer = (fill(landmarks[list(contour)]) for contour in (INNER_LIPS, OUTER_LIPS))
    assert inner.sum() > 60
    assert (drawn & inner).sum() > 0.9 * inner.sum()
    assert (drawn & ~outer).sum() == 0


def fill(polygon):
    """Pixels within a polygon, by the parity of crossings."""
    y, x = np.mgrid[:SIZE, :SIZE]
    inside = np.zeros((SIZE, SIZE), bool)
    for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return inside


def test_relative_opening_of_ellipse():
    heights = (0.5**0.5 + 1 + 0.5**0.5) / 3
    torch.testing.assert_close(
        relative_opening(lips()), torch.tensor([heights * 0.5], dtype=torch.float64), atol=0.01, rtol=0
    )
    assert relative_opening(lips(half_height=0)) < 1e-6


def test_unseen_opening_is_what_the_source_does_not_show(frames):
    neutral, wide = map(points, frames)
    assert unseen_opening(neutral, wide).item() > 0.5
    assert unseen_opening(wide, neutral).item() == 0
    assert unseen_opening(wide, wide).item() == unseen_opening(neutral, neutral).item() == 0
    # Another size and place change nothing.
    torch.testing.assert_close(
        unseen_opening(neutral, 0.5 * wide + 0.1), unseen_opening(neutral, wide), atol=0.02, rtol=0
    )


def test_mouth_opening_gradient_equals_finite_differences():
    source = lips(half_height=0.02)
    target = lips() + 0.013 * torch.randn(
        1, 68, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )

    def opening(given):
        return draw_mouth_opening(given, 8) * unseen_opening(source, given)[:, None, None, None]

    assert torch.autograd.gradcheck(opening, (target.requires_grad_(),), eps=1e-6, atol=1e-5)


@pytest.mark.parametrize("landmarks", [lips(0, 0), torch.zeros(1, 68, 2), torch.full((1, 68, 2), 5.0)])
def test_mouth_opening_degenerate_landmarks_stay_finite(landmarks):
    landmarks = landmarks.clone().requires_grad_()
    opening = (
        draw_mouth_opening(landmarks, 16) * unseen_opening(landmarks, 2 * landmarks)[:, None, None, None]
    )
    opening.sum().backward()
    assert opening.isfinite().all()
    assert landmarks.grad.isfinite().all()
