"""Where hair grows and what it lies on: the scalp, its hairline, ears and shoulders below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.spatial import cKDTree

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.face.canonical_face import OVAL
from synthetic_heads.face.skull import CENTER, NECK, body_rings

if TYPE_CHECKING:
    from synthetic_heads.face.skull import Skull

HAIRLINE = (
    *((76, -6), (79, -8), (82, -2), (86, 5), (95, 7), (103, 3), (109, -10), (117, -22)),
    *((135, -37), (155, -45), (180, -47)),
)
"""Sideburn, round the ear and along the nape: azimuth and elevation in degrees."""
EAR = as_float32([8.2, -0.8, 3.8])
"""Middle of the person's left ear."""
_STEP = np.radians(3)


def direction(azimuth: Floats, elevation: Floats) -> Floats:
    """Directions ...×3 from the middle of the skull; azimuth 0 is the face, positive the person's left."""
    azimuth, elevation = np.broadcast_arrays(azimuth, elevation)
    level = np.cos(elevation)
    return as_float32(
        np.stack((np.sin(azimuth) * level, -np.sin(elevation), -np.cos(azimuth) * level), axis=-1)
    )


def angles(directions: Floats) -> tuple[Floats, Floats]:
    """Azimuth and elevation of directions ...×3, in radians."""
    x, y, z = np.moveaxis(directions, -1, 0)
    return as_float32(np.arctan2(x, -z)), as_float32(np.arctan2(-y, np.hypot(x, z)))


class Scalp:
    """A head as seen by its hair: how far out it reaches in each direction.

    Args:
        skull: the skull.
        face: fine vertices of the neutral face.
        height: degrees that the hairline lies above the face's outline.
        recession: of the hairline at the temples, 0..1.
    """

    def __init__(self, skull: Skull, face: Floats, height: float, recession: float) -> None:
        nape = body_rings(as_float32(np.linspace(3, 9, 8)[:, None].repeat(48, axis=1)), 1, 1).reshape(-1, 3)
        points = np.concatenate((skull.vertices.reshape(-1, 3), face, nape[nape[:, 2] > 6])) - CENTER
        radius = np.linalg.norm(points, axis=1)
        tree = cKDTree(points / radius[:, None])
        elevation = np.arange(-np.pi / 2, np.pi / 2 + _STEP / 2, _STEP)
        azimuth = np.arange(-np.pi, np.pi + _STEP / 2, _STEP)
        far, near = tree.query(direction(azimuth[None], elevation[:, None]), k=5)
        weight = 1 / (far + 0.02) ** 2
        self._radius = as_float32((radius[near] * weight).sum(axis=-1) / weight.sum(axis=-1))

        around, up = (np.degrees(angle) for angle in angles(face[list(OVAL[:7])] - CENTER))
        back = np.exp(-(((around - 38) / 20) ** 2)) * 24 + np.exp(-((around / 60) ** 2)) * 14
        knots = [*zip(around, up + height + recession * back, strict=True)]
        knots = [knot for knot in knots if knot[0] < 70] + list(HAIRLINE)
        self._hairline = PchipInterpolator(*np.radians(knots).T)

    def hairline(self, azimuth: Floats) -> Floats:
        """Elevation of the hairline."""
        return as_float32(self._hairline(np.abs((azimuth + np.pi) % (2 * np.pi) - np.pi)))

    def radius(self, directions: Floats) -> Floats:
        """Distance of the skin from the middle of the skull, ...×3 to ...."""
        azimuth, elevation = angles(directions)
        column = (azimuth + np.pi) / _STEP
        row = (elevation + np.pi / 2) / _STEP
        rows, columns = self._radius.shape
        i = np.clip(row.astype(int), 0, rows - 2)
        j = np.clip(column.astype(int), 0, columns - 2)
        down, right = row - i, column - j
        table = self._radius
        return as_float32(
            (1 - down) * ((1 - right) * table[i, j] + right * table[i, j + 1])
            + down * ((1 - right) * table[i + 1, j] + right * table[i + 1, j + 1])
        )

    def at(self, directions: Floats, lift: Floats | float) -> Floats:
        """Points this far above the skin, ...×3."""
        return as_float32(CENTER + (self.radius(directions) + lift)[..., None] * directions)

    def push_outside(
        self, points: Floats, lift: Floats | float, behind: Floats, margin: float = 1.0
    ) -> Floats:
        """Push points ...×3 out of head, ears, neck and shoulders.

        Args:
            points: where hair would be.
            lift: centimeters that it must stay above the skin.
            behind: which way it leaves the shoulders: -1 to the front, 1 to the back, 0 not at all.
            margin: centimeters that it stays off neck and shoulders; clothes lie in between.
        """
        from_middle = points - CENTER
        distance = np.linalg.norm(from_middle, axis=-1)
        directions = as_float32(from_middle / distance[..., None])
        ear = points * as_float32([1, 1, 1])
        ear[..., 0] = np.abs(ear[..., 0])
        over_ear = 1.3 * np.exp(-(((ear - EAR) / as_float32([4, 3.4, 2.3])) ** 4).sum(axis=-1))
        out = np.maximum(distance, self.radius(directions) + lift + over_ear)
        points = as_float32(CENTER + out[..., None] * directions)
        x, y, z = np.moveaxis(points, -1, 0)
        # What falls onto the shoulder sinks into it; only the neck pushes it away.
        height = np.where(behind == 0, np.minimum(y, 12), y)
        wide, deep, middle = (np.interp(height, NECK[:, 0], NECK[:, i]) for i in (1, 2, 3))
        across = np.clip(1 - (x / (wide + margin)) ** 2, 0, 1)
        edge = (deep + margin) * np.sqrt(across)
        below = (y > 5) & (across > 0)
        pushed = np.where(behind >= 0, np.maximum(z, middle + edge), np.minimum(z, middle - edge))
        points[..., 2] = np.where(below, pushed, z)
        return points
