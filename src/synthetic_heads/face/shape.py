"""The neutral face of a person: canonical face + weights · shape directions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.face.canonical_face import CREASES, LIDS, LIPS_LOWER, LIPS_UPPER, canonical_mesh

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


Handle = tuple[int, float, tuple[float, float, float]]
"""A vertex of the person's right side or the middle, a radius, a movement (outwards, up, forwards).

What lies around the vertex moves with it, fading with a Gaussian of the radius; what is true of the right
side is mirrored to the left.
"""
SHAPES: Mapping[str, Sequence[Handle]] = {
    "jaw width": ((172, 2.6, (0.42, 0, 0)), (136, 2.4, (0.34, 0, 0))),
    "jaw angle": ((58, 2.2, (0.25, -0.35, 0)), (172, 2.0, (0.2, -0.25, 0))),
    "chin length": ((152, 2.8, (0, -0.75, 0)), (149, 2.2, (0, -0.4, 0))),
    "chin width": ((148, 1.6, (0.4, -0.1, 0)), (149, 1.8, (0.5, -0.15, 0))),
    "chin projection": ((199, 2.0, (0, 0, 0.55)), (152, 2.0, (0, 0, 0.3))),
    "cheekbone width": ((123, 2.6, (0.45, 0, 0.1)), (234, 2.4, (0.35, 0, 0))),
    "cheekbone projection": ((50, 1.9, (0.1, 0.1, 0.45)),),
    "cheek fullness": ((207, 2.0, (0.35, 0, 0.35)), (214, 2.0, (0.35, 0, 0.2))),
    "temple width": ((21, 2.6, (0.4, 0, 0)), (162, 2.4, (0.4, 0, 0))),
    "forehead height": ((10, 3.2, (0, 0.6, 0)), (103, 2.8, (0, 0.5, 0))),
    "forehead slope": ((10, 3.0, (0, 0, -0.5)), (103, 2.6, (0, 0, -0.3))),
    "brow ridge": ((105, 1.3, (0, 0, 0.3)), (107, 1.2, (0, 0, 0.3))),
    "brow height": ((105, 1.3, (0, 0.2, 0)), (107, 1.2, (0, 0.16, 0))),
    "brow slant": ((70, 1.4, (0, 0.16, 0)), (107, 1.2, (0, -0.1, 0))),
    "eye distance": ((159, 1.6, (0.28, 0, 0)), (145, 1.6, (0.12, 0, 0))),
    "eye slant": ((33, 0.9, (0, 0.2, 0)), (133, 0.7, (0, -0.1, 0))),
    "eye depth": ((159, 1.2, (0, 0, -0.3)), (145, 1.2, (0, 0, -0.2))),
    "nose width": ((98, 0.9, (0.25, 0, 0)), (48, 0.9, (0.23, 0, 0))),
    "nose length": ((4, 1.4, (0, -0.2, 0.1)), (2, 1.0, (0, -0.17, 0))),
    "nose projection": ((4, 1.3, (0, 0, 0.5)), (2, 0.8, (0, 0, 0.2))),
    "nose bridge": ((197, 1.0, (0, 0, 0.35)), (6, 1.0, (0, 0, 0.25))),
    "nose bridge width": ((174, 0.8, (0.18, 0, 0.05)), (198, 0.8, (0.18, 0, 0))),
    "nose tip": ((4, 0.8, (0, 0.25, 0.1)), (2, 0.6, (0, 0.18, 0))),
    "mouth width": ((61, 1.3, (0.35, 0, -0.1)),),
    "mouth height": ((13, 1.7, (0, 0.1, 0)), (14, 1.7, (0, 0.1, 0))),
    "mouth projection": ((13, 1.5, (0, 0, 0.3)), (14, 1.5, (0, 0, 0.25))),
    "upper lip": ((37, 0.7, (0, 0.16, 0.1)), (40, 0.7, (0, 0.12, 0.05))),
    "lower lip": ((84, 0.7, (0, -0.18, 0.12)), (91, 0.7, (0, -0.12, 0.05))),
    "cupid's bow": ((37, 0.4, (0, 0.1, 0)), (0, 0.3, (0, -0.08, 0))),
}
"""Directions that are moved by handles, at weight 1."""
RESTING_BROWS: Sequence[Handle] = (
    (105, 1.2, (0, -0.32, 0)),
    (107, 1.0, (0, -0.3, 0)),
    (70, 1.0, (0, -0.2, 0)),
)
"""The canonical face has raised brows."""
WHOLE = ("face width", "face length", "lower face", "eye size")
"""Directions that stretch more than a place; see :func:`_stretch`."""
DIRECTIONS = (*SHAPES, *WHOLE)
"""Names of the shape directions, in the order of a person's weights."""


def neutral_face(weights: Sequence[float]) -> Floats:
    """A person's face at rest, lips closed, 468×3.

    Args:
        weights: one for each of :data:`DIRECTIONS`, about -2..2.
    """
    rest = relaxed_face()
    moved = rest.copy()
    for weight, handles in zip(weights, SHAPES.values(), strict=False):
        moved += weight * displacement_field(rest, handles)
    return _stretch(moved, dict(zip(DIRECTIONS, weights, strict=True)))


def displacement_field(vertices: Floats, handles: Sequence[Handle]) -> Floats:
    """Displacement of all vertices, V×3, by handles and their mirror images."""
    moved = np.zeros_like(vertices)
    for vertex, radius, (outwards, up, forwards) in handles:
        middle = abs(vertices[vertex, 0]) < 1e-3
        for side in (-1,) if middle else (-1, 1):
            center = vertices[vertex] * as_float32([-side, 1, 1])
            near = np.exp(-((vertices - center) ** 2).sum(axis=1) / (2 * radius**2))
            moved += near[:, None] * as_float32([side * outwards, -up, -forwards])
    return moved


@functools.lru_cache(maxsize=1)
def relaxed_face() -> Floats:
    """The canonical face with closed lips and its eyes a little wider open, 468×3."""
    vertices = canonical_mesh().vertices
    face = vertices.copy()
    for (above, below), (crease, _) in zip(LIDS, CREASES, strict=True):
        opening = vertices[list(below)] - vertices[list(above)]
        face[list(above)] -= 0.3 * opening
        face[list(below)] += 0.12 * opening
        face[list(crease)] -= 0.15 * opening[1:-1]
    face += displacement_field(vertices, RESTING_BROWS)
    gap = vertices[list(LIPS_LOWER[3])] - vertices[list(LIPS_UPPER[3])]
    for share, upper, lower in zip((0.15, 0.25, 0.38, 0.5), LIPS_UPPER, LIPS_LOWER, strict=True):
        face[list(upper[1:-1])] += share * gap[1:-1]
        face[list(lower[1:-1])] -= share * gap[1:-1]
    return face


def _stretch(face: Floats, weights: Mapping[str, float]) -> Floats:
    """Apply the directions of :data:`WHOLE`."""
    face = face * as_float32([1 + 0.04 * weights["face width"], 1 + 0.03 * weights["face length"], 1])
    below = np.clip((face[:, 1] - 0.5) / 9, 0, 1)
    face[:, 1] += 0.45 * weights["lower face"] * below
    grown = 1 + 0.09 * weights["eye size"]
    rest = relaxed_face()
    for (above, below_lid), creases in zip(LIDS, CREASES, strict=True):
        rim = list({*above, *below_lid})
        center = face[rim].mean(axis=0)
        near = np.exp(-((rest - rest[rim].mean(axis=0)) ** 2).sum(axis=1) / (2 * 1.3**2))
        near[rim] = near[[*creases[0], *creases[1]]] = 1
        face += near[:, None] * (grown - 1) * (face - center)
    return as_float32(face)
