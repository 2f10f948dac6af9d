"""Backgrounds in a room: flat surfaces in perspective, lit by a window and lamps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.backgrounds.painting import WORK, X, Y
from synthetic_heads.rendering.rasterizer import rasterize

if TYPE_CHECKING:
    from collections.abc import Sequence


NEAR, FAR = 0.3, 50.0
"""Meters from the camera at which surfaces are cut off, and where there is nothing."""


class Room:
    """Flat surfaces in meters: x right, y down, z away; the camera stands at the origin.

    Args:
        turn: of the camera to the right, in radians.
        focal: focal length as a multiple of the image's side.
    """

    def __init__(self, turn: float, focal: float) -> None:
        self._turn, self._focal = turn, focal
        self._corners: list[Floats] = []
        self._colors: list[Floats] = []
        self._glow: list[float] = []

    def face(self, corners: Sequence[Sequence[float]] | Floats, color: Floats, glow: float = 0) -> None:
        """Add a flat polygon; ``glow`` is the share of its color that it shines by itself."""
        sine, cosine = np.sin(self._turn), np.cos(self._turn)
        points = as_float32(corners) @ as_float32([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
        points = _cut(points)
        if len(points) >= 3:
            self._corners.append(points)
            self._colors.append(as_float32(color))
            self._glow.append(glow)

    def panel(
        self, left: float, top: float, right: float, bottom: float, z: float, color: Floats, glow: float = 0
    ) -> None:
        """Add a rectangle that faces the camera."""
        self.face([(left, top, z), (right, top, z), (right, bottom, z), (left, bottom, z)], color, glow)

    def box(self, low: Sequence[float], high: Sequence[float], color: Floats, glow: float = 0) -> None:
        """Add a box between two corners."""
        (a, b, c), (d, e, f) = low, high
        self.face([(a, b, c), (d, b, c), (d, e, c), (a, e, c)], color, glow)
        self.face([(a, b, f), (a, b, c), (a, e, c), (a, e, f)], color, glow)
        self.face([(d, b, c), (d, b, f), (d, e, f), (d, e, c)], color, glow)
        self.face([(a, b, f), (d, b, f), (d, b, c), (a, b, c)], color, glow)
        self.face([(a, e, c), (d, e, c), (d, e, f), (a, e, f)], color, glow)

    def render(self, lights: Sequence[tuple[Sequence[float], Floats]], ambient: Floats) -> Floats:
        """Render the room.

        Args:
            lights: places and strengths at one meter.
            ambient: light from all sides.

        Returns:
            WORK×WORK×3, linear light.
        """
        points = np.concatenate(self._corners)
        triangles, owner, first = [], [], 0
        for number, corners in enumerate(self._corners):
            for k in range(1, len(corners) - 1):
                triangles.append((first, first + k, first + k + 1))
                owner.append(number)
            first += len(corners)
        flat = points.copy()
        flat[:, :2] = points[:, :2] * (self._focal * WORK / points[:, 2:]) + WORK / 2
        triangle_ids = np.empty((WORK, WORK), np.int32)
        shares = np.empty((WORK, WORK, 2), np.float32)
        inverse_depth = np.empty((WORK, WORK), np.float32)
        blank = np.zeros((len(points), 2), np.float32)
        order, closed = np.array(triangles, np.int32), np.zeros(len(triangles), np.uint8)
        rasterize(
            flat,
            order,
            closed,
            blank,
            blank[:, 0].copy(),
            np.zeros((1, 1), np.uint8),
            triangle_ids,
            shares,
            inverse_depth,
        )
        numbers = np.array(owner)[triangle_ids]
        color, glow = np.array(self._colors)[numbers], np.array(self._glow, np.float32)[numbers, None]
        depth = 1 / np.maximum(inverse_depth, 1 / FAR)
        place = np.stack(((X - 0.5) / self._focal * depth, (Y - 0.5) / self._focal * depth, depth), axis=-1)
        normals = np.array([_normal(corners) for corners in self._corners], np.float32)[numbers]
        # Where something stands close before a surface, less light gets to it.
        near = cv2.blur(np.minimum(depth, 8), (45, 45))
        open_ = np.clip(1 - 0.9 * (depth - near), 0.45, 1.1)
        light = ambient * (0.85 - 0.15 * normals[..., 1:2]) * open_[..., None]
        sine, cosine = np.sin(self._turn), np.cos(self._turn)
        for where, strength in lights:
            lamp = as_float32(where) @ as_float32([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
            towards = lamp - place
            distance = np.sqrt((towards**2).sum(axis=-1, keepdims=True)) + 0.15
            # A large lamp: its light reaches a little round the corner.
            facing = np.clip((normals * towards).sum(axis=-1, keepdims=True) / distance * 0.8 + 0.2, 0, 1)
            light = light + strength * facing / (distance**2 + 0.3)
        return as_float32(color * ((1 - glow) * light + glow))


def _cut(points: Floats) -> Floats:
    """The part of a polygon before the camera."""
    if points[:, 2].min() > NEAR:
        return points
    kept = []
    for here, there in zip(points, np.roll(points, -1, axis=0), strict=True):
        if here[2] > NEAR:
            kept.append(here)
        if (here[2] > NEAR) != (there[2] > NEAR):
            kept.append(here + (there - here) * (NEAR - here[2]) / (there[2] - here[2]))
    return as_float32(kept)


def _normal(corners: Floats) -> Floats:
    """Unit normal towards the camera."""
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    length = np.linalg.norm(normal)
    normal = normal / length if length > 0 else as_float32([0, 0, -1])
    return as_float32(-normal if normal @ corners.mean(axis=0) > 0 else normal)
