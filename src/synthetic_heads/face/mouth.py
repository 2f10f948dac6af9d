"""What is behind the lips: their wet inner side, the mouth's cavity, teeth and tongue."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.arrays import Doubles, Floats, as_float32
from synthetic_heads.conventions import FACE
from synthetic_heads.face.expression import open_jaw
from synthetic_heads.face.mesh_part import Material, Part, grid
from synthetic_heads.face.skull import border

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_heads.face.expression import Rig


LIP_UV, FLESH_UV, TONGUE_UV = (1.93, 0.2), (1.93, 0.3), (1.93, 0.4)
"""Where the atlas holds the inner lips' red, the cavity's and the tongue's."""
TEETH = 14
ARCH = np.linspace(-1, 1, 6 * TEETH + 1)
"""Places along a row of teeth, from the person's right to the left."""
TEETH_UV = (1.86, 1.99, 0.55, 0.62)
"""Where the atlas holds the teeth: u from and to, v of the gum and of the edge."""


@functools.lru_cache(maxsize=1)
def lips_rim() -> NDArray[np.int32]:
    """Fine vertices around the mouth's opening, from the right corner over the upper lip."""
    return border(78, 191)


class Mouth:
    """The inside of a rigged face's mouth."""

    CAVITY = ((0.97, 0.25, 0.9), (1.1, 0.7, 0.6), (1.2, 1.5, 0.25), (1.0, 2.6, 0.05), (0.0, 3.2, 0.02))
    """Rings behind the lips: width against the opening's, depth, shade."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        seam = (rig.neutral[13] + rig.neutral[14]) / 2
        width = float(rig.neutral[308, 0] - rig.neutral[78, 0]) / 2
        half = 0.86 * width
        x = half * np.sin(ARCH * 1.35)
        back = 0.42 + 1.15 * half * (1 - np.cos(ARCH * 1.35)) ** 1.0
        scallop = 0.05 * np.abs(np.sin(np.pi * (ARCH + 1) / 2 * TEETH))
        sink = 0.14 * np.abs(np.sin(np.pi * (ARCH + 1) / 2 * TEETH)) ** 0.5
        self._upper = self._row(seam, x, back - 0.08 * sink, (-1.5, -0.62, 0.1, 0.34), scallop, 1)
        self._lower = self._row(
            seam, 0.92 * x, back + 0.45 - 0.08 * sink, (1.35, 0.9, 0.4, 0.22), scallop, -1
        )
        angle, around = np.meshgrid(
            np.linspace(0, np.pi, 7), np.linspace(0, 2 * np.pi, 12, endpoint=False), indexing="ij"
        )
        ball = np.stack(
            (np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around), -np.cos(angle)), axis=-1
        )
        middle = seam + as_float32([0, 0.95, 1.9])
        self._tongue = as_float32(middle + ball.reshape(-1, 3) * [0.7 * width, 0.6, 1.5])

    @staticmethod
    def _row(
        seam: Floats, x: Doubles, back: Doubles, rows: tuple[float, ...], scallop: Doubles, up: int
    ) -> Floats:
        """Gum's top, gum's edge, middle and edge of the teeth."""
        rings = []
        for number, height in enumerate(rows):
            bent = scallop * (-1.5 if number == 1 else -1.0 if number == 3 else 0) * up
            depth = back + (0.12 if number == 0 else 0.05 if number == 1 else 0.0 if number == 2 else 0.06)
            rings.append(np.stack((x, np.full_like(x, height) - bent, depth), axis=1))
        return as_float32(np.concatenate(rings) + seam)

    def parts(self) -> list[Part]:
        """Cavity, teeth, tongue; :meth:`deform` gives their vertices."""
        around = len(lips_rim())
        shade = as_float32(np.repeat([1.0, *(ring[2] for ring in self.CAVITY)], around))
        uv = np.repeat([LIP_UV, LIP_UV, LIP_UV, FLESH_UV, FLESH_UV, FLESH_UV], around, axis=0)
        cavity = grid(len(self.CAVITY) + 1, around, closed=True)
        zeros = as_float32(np.zeros(((len(self.CAVITY) + 1) * around, 3)))
        parts = [Part(zeros, cavity, as_float32(uv), Material.WET, FACE, shade=shade)]
        left, right, gum, edge = TEETH_UV
        u = np.tile(np.interp(ARCH, (-1, 1), (left, right)), 4)
        v = np.repeat(np.interp((0, 0.3, 0.7, 1), (0, 1), (gum, edge)), len(ARCH))
        # Back teeth are in the dark of the cheeks.
        dim = np.tile(0.3 + 0.7 * np.cos(ARCH * 1.3) ** 1.5, 4)
        for vertices, flip in ((self._upper, 1), (self._lower, -1)):
            teeth, shade = grid(4, len(ARCH))[:, ::flip], as_float32(dim * (0.85 if flip == 1 else 0.7))
            uv = as_float32(np.stack((u, v), axis=1))
            parts.append(Part(vertices, teeth, uv, Material.WET, FACE, shade=shade))
        tongue = grid(7, 12, closed=True)[:, ::-1]
        uv = as_float32(np.tile(TONGUE_UV, (len(self._tongue), 1)))
        parts.append(Part(self._tongue, tongue, uv, Material.WET, FACE, shade=as_float32(0.6)))
        return parts

    def deform(self, face: Floats, jaw: float) -> Floats:
        """Vertices of all parts.

        Args:
            face: fine vertices of the face.
            jaw: how far the jaw is open, 0..1.
        """
        rim = face[lips_rim()]
        middle = rim.mean(axis=0)
        rings = [rim]
        for scale, depth, _ in self.CAVITY:
            ring = middle + scale * (rim - middle)
            ring[:, 1] += np.sign(rim[:, 1] - middle[1]) * 0.25 * min(depth, 1) * (scale > 0)
            # The cavity is as deep at the corners as in the middle.
            ring[:, 2] = (1 - min(depth / 3, 1)) * rim[:, 2] + min(depth / 3, 1) * middle[2] + depth
            rings.append(as_float32(ring))
        lower, tongue = open_jaw(self._lower, jaw), open_jaw(self._tongue, 0.8 * jaw)
        return np.concatenate((*rings, self._upper, lower, tongue))
