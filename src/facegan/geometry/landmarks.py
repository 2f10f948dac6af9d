"""The 68-point landmark scheme: contours, MediaPipe's mesh, coordinates, drawing.

Landmarks are N×68×2 tensors, x right, y down, -1..1 over the crop. A pixel's center is the
point it stands for: pixel i of S lies at (2i + 1) / S - 1, as in ``align_corners=False``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUM_LANDMARKS = 68

JAW = tuple(range(17))
RIGHT_BROW = tuple(range(17, 22))
LEFT_BROW = tuple(range(22, 27))
NOSE_BRIDGE = tuple(range(27, 31))
NOSE_BASE = tuple(range(31, 36))
RIGHT_EYE = tuple(range(36, 42))
LEFT_EYE = tuple(range(42, 48))
OUTER_LIPS = tuple(range(48, 60))
INNER_LIPS = tuple(range(60, 68))

OPEN_CONTOURS = (JAW, RIGHT_BROW, LEFT_BROW, NOSE_BRIDGE, NOSE_BASE)
CLOSED_CONTOURS = (RIGHT_EYE, LEFT_EYE, OUTER_LIPS, INNER_LIPS)

EDGES: tuple[tuple[int, int], ...] = tuple(edge for line in OPEN_CONTOURS for edge in pairwise(line)) + tuple(
    edge for ring in CLOSED_CONTOURS for edge in zip(ring, ring[1:] + ring[:1], strict=True)
)
"""Pairs of neighboring landmarks along the contours: 31 on open ones, 32 on closed ones."""

# "Right" and "left" are the person's own; the person's right is on the left of the image.
MESH_INDICES: tuple[int, ...] = (
    *(127, 234, 93, 132, 172, 136, 149, 148, 152, 377, 378, 365, 397, 361, 323, 454, 356),
    *(70, 63, 105, 66, 107),
    *(336, 296, 334, 293, 300),
    *(168, 6, 195, 4),
    *(98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144),
    *(362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 321, 314, 17, 84, 91),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)
"""For each of the 68 landmarks, the vertex of MediaPipe's 478-point mesh that stands for it."""

FLIP_INDICES: tuple[int, ...] = (
    *reversed(JAW),
    *reversed(RIGHT_BROW + LEFT_BROW),
    *NOSE_BRIDGE,
    *reversed(NOSE_BASE),
    *(45, 44, 43, 42, 47, 46),
    *(39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
"""Order of the landmarks after the image is mirrored left to right."""


def landmarks_from_mesh(mesh: NDArray[np.float32]) -> NDArray[np.float32]:
    """Select the 68 landmarks from MediaPipe's mesh.

    Args:
        mesh: ...×478×2 or ...×478×3; a depth coordinate is dropped.

    Returns:
        ...×68×2 in the mesh's own units.
    """
    return np.asarray(mesh)[..., MESH_INDICES, :2]


def interocular_center(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the point between the eyes: the mean of the twelve eye landmarks.

    Args:
        landmarks: ...×68×2 in any unit.

    Returns:
        ...×2 in the same unit.
    """
    points: NDArray[np.float32] = landmarks[..., RIGHT_EYE + LEFT_EYE, :].mean(axis=-2)
    return points


def normalize_points(points: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Normalize pixel positions in a square crop to -1..1.

    Args:
        points: ...×2, where (0, 0) is the center of the top left pixel.
        size: side of the crop in pixels.
    """
    return ((2 * np.asarray(points) + 1) / size - 1).astype(np.float32)


def denormalize_points(points: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Invert :func:`normalize_points`."""
    return (((np.asarray(points) + 1) * size - 1) / 2).astype(np.float32)


def flip_landmarks(landmarks: Tensor) -> Tensor:
    """Mirror landmarks left to right and swap the sides.

    Args:
        landmarks: ...×68×2 in -1..1.
    """
    mirrored = landmarks[..., list(FLIP_INDICES), :]
    return torch.stack((-mirrored[..., 0], mirrored[..., 1]), dim=-1)


def draw_gaussians(landmarks: Tensor, size: int, sigma: float = 0.02) -> Tensor:
    """Draw all landmarks into one channel as 2D Gaussians: the heat map H_t of the paper.

    Every landmark adds exp(-d² / 2σ²), so neighbors that meet (closed lips) shine brighter.
    A Gaussian is separable, so the whole map is one matrix product of its rows and columns;
    the gradient reaches the landmarks through both.

    Args:
        landmarks: N×K×2 in -1..1.
        size: height and width of the map in pixels.
        sigma: standard deviation in the same units as the landmarks; 0.02 is 2.56 pixels of 256.

    Returns:
        N×1×size×size, 0 where there is no landmark, 1 at the center of a lone one.

    Raises:
        ValueError: if ``landmarks`` is not N×K×2.
    """
    if landmarks.ndim != 3 or landmarks.shape[-1] != 2:
        msg = f"landmarks must be N×K×2, got {tuple(landmarks.shape)}"
        raise ValueError(msg)
    # In 32 bit: at bf16 a pixel's position would be off by more than a small sigma.
    with torch.autocast(landmarks.device.type, enabled=False):
        points = landmarks.float()
        centers = (2 * torch.arange(size, device=points.device, dtype=points.dtype) + 1) / size - 1
        falloff = torch.exp(-0.5 * ((points[..., None] - centers) / sigma) ** 2)
        columns, rows = falloff.unbind(dim=2)
        return torch.einsum("nkh,nkw->nhw", rows, columns)[:, None]
