"""Painting on the canonical face's map: spots, lines and areas that are told by its vertices."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy import ndimage
from scipy.interpolate import CubicSpline

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.face.canonical_face import canonical_mesh
from synthetic_heads.face.shape import relaxed_face
from synthetic_heads.face.skull import fine_face
from synthetic_heads.rendering.rasterizer import rasterize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


SIZE = 512
"""Side of the map in texels; it shows about 16 cm."""


class SkinCanvas:
    """The map of a face. Its masks are 0..1, SIZE×SIZE; they are the same for all faces and kept.

    Args:
        color: SIZE×SIZE×3, linear light.
        height: SIZE×SIZE, centimeters.
        shine: SIZE×SIZE.
    """

    def __init__(self, color: Floats, height: Floats, shine: Floats) -> None:
        self.color, self.height, self.shine = color, height, shine

    def points(self, vertices: Sequence[int]) -> Floats:
        """Where vertices lie on the map, N×2 texels."""
        return as_float32(canonical_mesh().uv[list(vertices)] * SIZE)

    def near(self, vertices: Sequence[int], radius: float) -> Floats:
        """A soft spot around each of the vertices, in centimeters of the face."""
        return as_float32(_near(tuple(vertices), radius))

    def line(self, vertices: Sequence[int], width: int, blur: float) -> Floats:
        """A smooth line through vertices, 1 in its middle; width and blur in texels."""
        return as_float32(_line(tuple(vertices), width, blur))

    def polygon(self, vertices: Sequence[int], blur: float) -> Floats:
        """The area inside vertices, with a soft edge; blur in texels."""
        return as_float32(_polygon(tuple(vertices), blur))

    def blend(self, mask: Floats, color: Floats, opacity: float) -> None:
        """Paint a color where the mask is."""
        rows, columns = np.flatnonzero(mask.max(axis=1) > 1e-3), np.flatnonzero(mask.max(axis=0) > 1e-3)
        if not len(rows) or not opacity:
            return
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        target = color[part] if color.ndim == 3 else color
        self.color[part] += (opacity * mask[part])[..., None] * (target - self.color[part])


@functools.lru_cache(maxsize=256)
def _near(vertices: tuple[int, ...], radius: float) -> NDArray[np.float16]:
    away = [((_places() - relaxed_face()[vertex]) ** 2).sum(axis=-1) for vertex in vertices]
    return np.asarray(np.exp(-np.min(away, axis=0) / (2 * radius**2)), np.float16)


@functools.lru_cache(maxsize=256)
def _line(vertices: tuple[int, ...], width: int, blur: float) -> NDArray[np.float16]:
    points = canonical_mesh().uv[list(vertices)] * SIZE
    fine = np.linspace(0, len(points) - 1, 8 * len(points))
    curve = CubicSpline(np.arange(len(points)), points, axis=0)(fine) if len(points) > 2 else points
    polyline = [np.rint(curve * 16).astype(np.int32)]
    drawn = cv2.polylines(_blank(), polyline, False, 255, width, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(drawn.astype(np.float32), (0, 0), blur)
    return np.asarray(soft / soft.max(), np.float16)


@functools.lru_cache(maxsize=256)
def _polygon(vertices: tuple[int, ...], blur: float) -> NDArray[np.float16]:
    outline = [np.rint(canonical_mesh().uv[list(vertices)] * SIZE * 16).astype(np.int32)]
    filled = cv2.fillPoly(_blank(), outline, 255, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(filled.astype(np.float32) / 255, (0, 0), blur), np.float16)


def _blank() -> NDArray[np.uint8]:
    return np.zeros((SIZE, SIZE), np.uint8)


def noise(random: np.random.Generator, shape: tuple[int, int], scale: float) -> Floats:
    """Smooth noise of unit variance and blobs of this many texels."""
    white = random.standard_normal(shape, np.float32)
    smooth = cv2.GaussianBlur(white, (0, 0), scale) if scale < 3 else _large(white, scale)
    return as_float32(smooth / smooth.std())


def _large(white: Floats, scale: float) -> Floats:
    """Blur coarsely sampled noise: as good for large blobs, and quicker."""
    step = max(1, int(scale / 3))
    height, width = white.shape
    small = cv2.GaussianBlur(white[: height // step + 2, : width // step + 2].copy(), (0, 0), scale / step)
    return as_float32(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))


@functools.lru_cache(maxsize=1)
def _places() -> Floats:
    """Where each place of the map lies on the canonical face, SIZE×SIZE×3; outside it the nearest one."""
    fine = fine_face()
    uv = fine.apply(canonical_mesh().uv)
    vertices = fine.apply(relaxed_face())
    points = np.column_stack((uv * SIZE, np.ones(len(uv))))
    triangle_ids = np.empty((SIZE, SIZE), np.int32)
    weights, depth = np.zeros((SIZE, SIZE, 2), np.float32), np.empty((SIZE, SIZE), np.float32)
    solid = np.zeros((4, 4), np.uint8)
    both = np.zeros(len(fine.triangles), np.uint8)
    rasterize(
        as_float32(points),
        fine.triangles,
        both,
        uv,
        np.zeros(len(uv), np.float32),
        solid,
        triangle_ids,
        weights,
        depth,
    )
    corners = vertices[fine.triangles[np.maximum(triangle_ids, 0)]]
    shares = np.concatenate((1 - weights.sum(axis=-1, keepdims=True), weights), axis=-1)
    places = (corners * shares[..., None]).sum(axis=-2)
    nearest = ndimage.distance_transform_edt(triangle_ids < 0, return_distances=False, return_indices=True)
    return as_float32(places[tuple(nearest)])
