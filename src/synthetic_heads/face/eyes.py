"""Eyeballs, the wet rims of the lids, and lashes."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.conventions import FACE
from synthetic_heads.face.canonical_face import LIDS
from synthetic_heads.face.mesh_part import Material, Part, grid
from synthetic_heads.face.skull import border, fine_face
from synthetic_heads.rendering.shading import IRIS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_heads.face.expression import Rig

ROWS, COLUMNS = 12, 24
RIM_UV = (1.93, 0.1)
"""Where the atlas holds the rims' pink."""


@functools.lru_cache(maxsize=2)
def rim(eye: int) -> NDArray[np.int32]:
    """Fine vertices around an eye's opening, from the outer corner over the upper lid."""
    above, _ = LIDS[eye]
    return border(above[0], above[1])


def upper_rim(eye: int) -> NDArray[np.int32]:
    """Fine vertices of the upper lid's edge, from the outer to the inner corner."""
    loop = rim(eye)
    return loop[: len(loop) // 2 + 1]


class Eyes:
    """Both eyes of a rigged face; they turn with the gaze, and their rims go with the lids."""

    def __init__(self, rig: Rig, lashes: float) -> None:
        self._rig = rig
        self._lashes = lashes
        angle = np.radians(np.linspace(0, 100, ROWS))[:, None]
        around = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)
        directions = np.stack(
            np.broadcast_arrays(
                np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around), -np.cos(angle)
            ),
            axis=-1,
        )
        self._directions = as_float32(directions.reshape(-1, 3))
        face = fine_face().apply(rig.neutral)
        self._near = [
            np.flatnonzero(np.linalg.norm(face - eye, axis=1) < 1.7 * rig.radius) for eye in rig.eyes
        ]
        """Fine vertices around each eye."""
        self._balls = as_float32(np.concatenate([eye + rig.radius * self._directions for eye in rig.eyes]))

    def parts(self) -> list[Part]:
        """Eyeballs, rims and lashes; :meth:`deform` gives what changes."""
        count = len(self._directions)
        ball = grid(ROWS, COLUMNS, closed=True)
        balls = np.concatenate((ball, ball + count)).astype(np.int32)
        parts = [Part(self._balls, balls, as_float32(np.zeros((2 * count, 2))), Material.EYE, FACE)]
        for eye in (0, 1):
            around = len(rim(eye))
            triangles = grid(2, around, closed=True)
            flat = as_float32(np.tile(RIM_UV, (2 * around, 1)))
            shade = as_float32(np.repeat([0.8, 0.55], around))
            vertices = as_float32(np.zeros((2 * around, 3)))
            parts.append(
                Part(vertices, triangles[:, :: 1 if eye else -1], flat, Material.WET, FACE, shade=shade)
            )
            lid = len(upper_rim(eye))
            uv = np.stack((np.tile(np.linspace(0, 3, lid), 2), np.repeat([0.0, 0.3], lid)), axis=1)
            transparency = as_float32(np.repeat([0.0, 0.75], lid))
            vertices = as_float32(np.zeros((2 * lid, 3)))
            parts.append(
                Part(vertices, grid(2, lid), as_float32(uv), Material.LASH, FACE, transparency=transparency)
            )
        return parts

    def cover(self, face: Floats, shut: float) -> None:
        """Lay lids over the balls, in place: no skin lies inside of them, and closed lids leave no slit.

        Args:
            face: fine vertices of the face.
            shut: how far the lids are closed, 0..1.
        """
        for eye, middle in enumerate(self._rig.eyes):
            loop = rim(eye)
            half = len(loop) // 2
            upper, lower = loop[1:half], loop[:half:-1]
            closed = np.clip((shut - 0.6) / 0.4, 0, 1)
            face[upper] += closed * (face[lower] + as_float32([0, 0.03, -0.02]) - face[upper])
            towards = face[self._near[eye]] - middle
            distance = np.linalg.norm(towards, axis=1, keepdims=True)
            face[self._near[eye]] = middle + towards * np.maximum(1.03 * self._rig.radius / distance, 1)

    def deform(self, face: Floats, gaze: Floats) -> tuple[Floats, Floats, Floats]:
        """What changes from frame to frame.

        Args:
            face: fine vertices of the face.
            gaze: radians to the right of the image and down.

        Returns:
            Vertices of all parts, texture coordinates of the eyeballs, shade of the eyeballs.
        """
        vertices, uv, shade = [self._balls], [], []
        turned = as_float32(self._directions @ _turn(gaze))
        for eye, middle in enumerate(self._rig.eyes):
            loop = face[rim(eye)]
            towards = loop - middle
            distance = np.linalg.norm(towards, axis=1, keepdims=True)
            vertices += [loop, as_float32(middle + towards * (0.985 * self._rig.radius / distance))]
            lid = face[upper_rim(eye)]
            along = np.sin(np.linspace(0, np.pi, len(lid)) ** 0.9)[:, None]
            out = (
                as_float32([0, -0.02, -0.32])
                + as_float32([1 if eye else -1, 0, 0]) * np.linspace(0.22, 0, len(lid))[:, None]
            )
            vertices += [lid + as_float32([0, 0, -0.02]), as_float32(lid + self._lashes * along * out)]
            uv.append(turned[:, :2])
            x, y = (
                self._directions[:, 0] * self._rig.radius + middle[0],
                self._directions[:, 1] * self._rig.radius,
            )
            order = np.argsort(lid[:, 0])
            above = y + middle[1] - np.interp(x, lid[order, 0], lid[order, 1])
            shade.append(np.clip(0.4 + 1.3 * above, 0.25, 1))
        return np.concatenate(vertices), as_float32(np.concatenate(uv)), as_float32(np.concatenate(shade))

    def iris(self, gaze: Floats) -> Floats:
        """MediaPipe's iris points, 10×3: the middle, then right, top, left and bottom as the image has it.

        Args:
            gaze: radians to the right of the image and down.
        """
        turn = _turn(gaze)
        ring = as_float32([[0, 0, 0], [IRIS, 0, 0], [0, -IRIS, 0], [-IRIS, 0, 0], [0, IRIS, 0]])
        ring[:, 2] = -np.sqrt(1 - (ring**2).sum(axis=1))
        return np.concatenate([eye + self._rig.radius * as_float32(ring @ turn.T) for eye in self._rig.eyes])


def _turn(gaze: Floats) -> Floats:
    """Rotation of an eye, 3×3: what looked along -z looks along the gaze."""
    right, down = float(gaze[0]), float(gaze[1])
    sideways = np.array([[np.cos(right), 0, -np.sin(right)], [0, 1, 0], [np.sin(right), 0, np.cos(right)]])
    up = np.array([[1, 0, 0], [0, np.cos(down), -np.sin(down)], [0, np.sin(down), np.cos(down)]])
    return as_float32(sideways @ up)
