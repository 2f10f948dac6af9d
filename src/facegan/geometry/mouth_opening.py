"""The opening between the lips: a source whose mouth is closed shows nothing of its inside."""

from __future__ import annotations

import torch
from torch import Tensor

from facegan.geometry.landmarks import INNER_LIPS

RIGHT_CORNER, LEFT_CORNER = INNER_LIPS[0], INNER_LIPS[4]
UPPER_LIP, LOWER_LIP = INNER_LIPS[1:4], INNER_LIPS[:4:-1]
"""Opposite points, from the right to the left corner."""
OPENING_TOLERANCE = 0.06
"""Difference of two openings, relative to the mouth's width, that is taken for the detector's error."""
MIN_WIDTH = 1e-3
"""Of a mouth, in the landmarks' units."""


def relative_opening(landmarks: Tensor) -> Tensor:
    """Compute the mean distance of the inner lips relative to the mouth's width.

    Args:
        landmarks: N×68×2.

    Returns:
        N, at least 0.
    """
    return _heights(landmarks).mean(dim=-1) / _width(landmarks)


def draw_mouth_opening(landmarks: Tensor, size: int) -> Tensor:
    """Draw the opening between the inner lips as an ellipse with an edge of about a pixel.

    Args:
        landmarks: N×68×2 in -1..1.
        size: height and width in pixels.

    Returns:
        N×1×size×size in 0..1. The gradient reaches the landmarks.
    """
    center = landmarks[:, list(INNER_LIPS)].mean(dim=1)
    width = _width(landmarks)
    axis = (landmarks[:, LEFT_CORNER] - landmarks[:, RIGHT_CORNER]) / width[:, None]
    line = (2 * torch.arange(size, device=landmarks.device, dtype=landmarks.dtype) + 1) / size - 1
    x, y = line - center[:, :1], line - center[:, 1:]
    cosine, sine = axis[:, 0, None, None], axis[:, 1, None, None]
    across = x[:, None] * cosine + y[:, :, None] * sine
    down = y[:, :, None] * cosine - x[:, None] * sine
    pixel = 2 / size
    half_width = width[:, None, None] / 2
    half_height = (_heights(landmarks).mean(dim=-1)[:, None, None] / 2).clamp(min=pixel / 2)
    radius = ((across / half_width).square() + (down / half_height).square() + 1e-6).sqrt()
    # The distance to the edge, exact where the ellipse is lowest.
    return torch.sigmoid(4 * (1 - radius) * half_height / pixel)[:, None]


def unseen_opening(source: Tensor, target: Tensor) -> Tensor:
    """Compute which part of the target's opening the source's mouth does not show.

    Args:
        source: landmarks N×68×2.
        target: landmarks N×68×2.

    Returns:
        N in 0..1; 0 where the target's mouth is not open wider.
    """
    seen, shown = relative_opening(source), relative_opening(target)
    return ((shown - seen - OPENING_TOLERANCE) / shown.clamp(min=OPENING_TOLERANCE)).clamp(0, 1)


def _heights(landmarks: Tensor) -> Tensor:
    """Distances of opposite points of the inner lips, N×3."""
    difference = landmarks[:, list(UPPER_LIP)] - landmarks[:, list(LOWER_LIP)]
    return (difference.square().sum(dim=-1) + MIN_WIDTH**2).sqrt() - MIN_WIDTH


def _width(landmarks: Tensor) -> Tensor:
    """Distance of the mouth's corners, N."""
    difference = landmarks[:, LEFT_CORNER] - landmarks[:, RIGHT_CORNER]
    return (difference.square().sum(dim=-1) + MIN_WIDTH**2).sqrt()
