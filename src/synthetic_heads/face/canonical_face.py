"""MediaPipe's canonical face as a surface: its vertices, its named rows, and a smooth refinement.

Lengths are centimeters, axes the camera's (x right, y down, z away from the camera). The canonical face
has 468 vertices; they are also the first 468 of MediaPipe's 478 landmarks, so whatever moves the vertices
moves the landmarks with them.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from synthetic_heads.arrays import Floats, Triangles


COUNT = 468
"""Vertices of the canonical face."""
LIPS_UPPER = (
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
)
"""Rows of the upper lip, outer to inner, each from the person's right corner to the left."""
LIPS_LOWER = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
)
LIDS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((263, 466, 388, 387, 386, 385, 384, 398, 362), (263, 249, 390, 373, 374, 380, 381, 382, 362)),
)
"""Upper and lower lid of the person's right eye and of the left one, outer to inner corner."""
CREASES = (
    ((247, 30, 29, 27, 28, 56, 190), (25, 110, 24, 23, 22, 26, 112)),
    ((467, 260, 259, 257, 258, 286, 414), (255, 339, 254, 253, 252, 256, 341)),
)
"""The rows next to the lids, above and below, without the corners."""
BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
"""Outlines of the brows."""
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The face's outline, from the forehead down the person's left side and up the right."""


class Mesh(NamedTuple):
    """A triangle mesh: vertices V×3, texture coordinates V×2 in 0..1 (v down), triangles T×3."""

    vertices: Floats
    uv: Floats
    triangles: Triangles


@functools.lru_cache(maxsize=1)
def canonical_mesh() -> Mesh:
    """Load MediaPipe's canonical face (468 vertices, mouth and eyes cut open).

    The data are MediaPipe's (Copyright The MediaPipe Authors, Apache License 2.0), from the geometry metadata
    of ``face_landmarker.task``; axes are the camera's, and the triangles inside mouth and eyes are left out.
    """
    with np.load(Path(__file__).parents[1] / "canonical_face.npz") as data:
        return Mesh(data["vertices"], data["uv"], data["triangles"])
