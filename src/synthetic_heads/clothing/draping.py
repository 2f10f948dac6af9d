"""Sheets of cloth laid around neck and shoulders."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synthetic_heads.arrays import Doubles, Floats, as_float32
from synthetic_heads.clothing.fabrics import TILE_CM
from synthetic_heads.conventions import BACKGROUND
from synthetic_heads.face.mesh_part import Material, Part, grid
from synthetic_heads.face.skull import body_head_weight, body_points, body_relief

HEM = 32.0
"""Where the pieces end, far below the image."""


def around(columns: int, gap: float = 0) -> Doubles:
    """Angles around the body, from back to back, closest in front (0); they grow to the image's right.

    With a ``gap`` they run over the back instead, from one side of an opening in front to the other.
    """
    if gap:
        turn = np.linspace(0, 1, columns)
        middle = 0.5 - 0.5 * np.cos(np.pi * turn)
        return gap + (2 * np.pi - 2 * gap) * (0.55 * turn + 0.45 * middle)
    turn = np.linspace(-np.pi, np.pi, columns)
    return turn - 0.5 * np.sin(turn)


def angle_from_front(angle: Doubles) -> Doubles:
    """Angle to the front, 0..π."""
    side: Doubles = np.abs((angle + np.pi) % (2 * np.pi) - np.pi)
    return side


class Folds(NamedTuple):
    """Waves of the cloth.

    Attributes:
        depth: in centimeters.
        waves: N×4, wave numbers sideways and down, phase, strength.
    """

    depth: float
    waves: Doubles

    @classmethod
    def sample(cls, random: np.random.Generator, depth: float) -> Folds:
        """Sample folds of this depth."""
        turn = random.uniform(-1.1, 1.1, 3)
        number = 2 * np.pi / random.uniform(6, 14, 3)
        phase, strength = random.uniform(0, 2 * np.pi, 3), random.uniform(0.4, 1, 3)
        return cls(depth, np.stack((number * np.cos(turn), number * np.sin(turn), phase, strength), axis=1))

    def height(self, sideways: Doubles, down: Doubles) -> Doubles:
        """Height of the cloth over its lowest place, 0..depth."""
        height = np.zeros_like(sideways)
        for across, along, phase, strength in self.waves:
            wave = np.sin(across * sideways + along * down + phase + 0.6 * np.sin(0.5 * down + phase))
            height += strength * (1 - np.abs(wave))
        total: Doubles = self.depth * height / self.waves[:, 3].sum()
        return total


class ClothDraper:
    """Lay cloth on a body.

    Args:
        width: of the shoulders, about 1.
        neck: thickness of the neck, about 1.
    """

    def __init__(self, width: float, neck: float) -> None:
        self.width, self.neck = width, neck

    def at(self, angle: Doubles, heights: Doubles, inflate: Doubles | float) -> Floats:
        """Points this far outside the skin with its muscles and bones."""
        skin = np.maximum(body_relief(angle, heights, 1.0), 0)
        return body_points(
            as_float32(angle), as_float32(heights), self.width, self.neck, as_float32(skin + inflate)
        )

    def below(self, angle: Doubles, heights: Doubles, distance: Doubles | float) -> Doubles:
        """Heights this far down along the skin."""
        steps = np.linspace(0, 1, 9)
        shape = np.broadcast_shapes(angle.shape, heights.shape, np.shape(distance))
        here = np.broadcast_to(heights, shape).astype(float)
        for _ in steps[1:]:
            a, b = (
                body_points(as_float32(angle), as_float32(y), self.width, self.neck)
                for y in (here, here + 0.05)
            )
            here = here + np.asarray(distance) / (len(steps) - 1) * 0.05 / np.linalg.norm(b - a, axis=-1)
        return here

    def sideways(self, offset: Doubles, heights: Doubles) -> Doubles:
        """Angles of places this far from the middle, in front."""
        side = body_points(as_float32(np.pi / 2), as_float32(heights), self.width, self.neck)[..., 0]
        angle: Doubles = np.arcsin(np.clip(offset / side, -0.95, 0.95))
        return angle

    def sheet(
        self,
        angle: Doubles,
        heights: Doubles,
        inflate: Doubles | float,
        shade: Doubles | float = 1,
        hang: float = 0,
    ) -> Part:
        """A piece of cloth.

        Args:
            angle: rows×columns, growing along a row.
            heights: rows×columns, where on the skin; rows run down, or outwards.
            inflate: rows×columns, centimeters outside the skin.
            shade: rows×columns, share of the light that gets here.
            hang: 1 where the cloth's thread runs straight down, 0 where it runs along the sheet.
        """
        angle, heights = np.broadcast_arrays(angle, heights)
        return cloth_part(self.at(angle, heights, inflate), heights, shade, hang)


def cloth_part(points: Floats, heights: Doubles, shade: Doubles | float = 1, hang: float = 0) -> Part:
    """A sheet of points, rows×columns×3, as cloth; see :meth:`ClothDraper.sheet`."""
    rows, columns = points.shape[:2]
    across = np.linalg.norm(np.diff(points[..., ::2], axis=1), axis=-1)
    u = np.concatenate((np.zeros((rows, 1)), np.cumsum(across, axis=1)), axis=1)
    u -= u[:, columns // 2, None]
    down = np.linalg.norm(np.diff(points, axis=0), axis=-1)
    along = np.concatenate((np.zeros((1, columns)), np.cumsum(down, axis=0)))
    v = hang * points[..., 1] + (1 - hang) * along
    uv = as_float32(np.stack((u, v), axis=-1).reshape(-1, 2) / TILE_CM)
    return Part(
        points.reshape(-1, 3), grid(rows, columns)[:, ::-1], uv,
        Material.CLOTH, BACKGROUND, shade=as_float32(np.broadcast_to(shade, (rows, columns)).ravel()),
        head_weight=body_head_weight(as_float32(heights.ravel())),
    )  # fmt: skip


def tube(path: Floats, radius: float, heights: Doubles) -> Part:
    """A cord along a path N×3."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    first = np.cross(along, [0.0, 0.3, -1.0])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    turn = np.linspace(0, 2 * np.pi, 9)[:, None, None]
    points = path + radius * (np.cos(turn) * first + np.sin(turn) * second)
    return cloth_part(
        as_float32(points), np.broadcast_to(heights, points.shape[:2]), 0.75 - 0.25 * np.sin(turn[..., 0])
    )


def disc(draper: ClothDraper, offset: float, height: float, inflate: float, radius: float) -> Part:
    """A button."""
    turn = np.linspace(0, 2 * np.pi, 11)
    rows = np.array([0.0, 0.55, 0.75, 1.0, 1.0])[:, None] * radius
    rise = np.array([0.1, 0.1, 0.16, 0.14, -0.05])[:, None] + inflate
    heights = height + rows * np.sin(-turn)
    angle = draper.sideways(offset + rows * np.cos(turn), heights)
    shade = np.broadcast_to(np.array([0.8, 0.75, 1, 1, 0.7])[:, None], heights.shape)
    return cloth_part(draper.at(angle, heights, rise), heights, shade)
