"""MediaPipe's canonical face as a surface: its vertices, its named rows, and a smooth refinement.

Lengths are centimeters, axes the camera's (x right, y down, z away from the camera). The canonical face
has 468 vertices; they are also the first 468 of MediaPipe's 478 landmarks, so whatever moves the vertices
moves the landmarks with them.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Triangles = NDArray[np.int32]

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
PUSHES = 100
"""Each leaves less than three quarters of what is missing."""


def floats(values: Any) -> Floats:
    """Numbers as a 32 bit array."""
    return np.asarray(values, dtype=np.float32)


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


class Refinement(NamedTuple):
    """A finer mesh over the same surface; its first vertices are the coarse ones.

    Attributes:
        triangles: of the fine mesh, T×3.
        subdivision: fine × coarse, sparse: Loop's scheme, which pulls the surface inwards.
        push: coarse × coarse: pushes the coarse vertices out so far that the subdivision leads back to them.
        weights: fine × coarse, the product of both.
    """

    triangles: Triangles
    subdivision: sparse.csr_matrix
    push: Floats
    weights: Floats

    def apply(self, coarse: Floats) -> Floats:
        """Values V×C of the coarse vertices (places, texture coordinates) to those of the fine ones, F×C.

        The same as ``weights @ coarse``, ten times as quick, and its last bits do not depend on the number of
        threads as those of a dense product do.
        """
        pushed = np.einsum("ij,kj->ik", self.push, np.ascontiguousarray(floats(coarse).T))
        return floats(self.subdivision @ pushed)


def refine(triangles: Triangles, count: int, levels: int) -> Refinement:
    """Loop subdivision that goes through the coarse vertices.

    Loop's scheme (Smooth Subdivision Surfaces Based on Triangles, 1987) pulls the surface inwards; the
    coarse vertices are first pushed out until the smooth surface passes through them (Cheng et al., Loop
    Subdivision Surface Based Progressive Interpolation, 2009).

    Args:
        triangles: T×3 of the coarse mesh; it may have borders.
        count: its number of vertices.
        levels: each makes four triangles out of one.
    """
    subdivision = sparse.identity(count, format="csr")
    for _ in range(levels):
        step, triangles = _loop(triangles, subdivision.shape[0])
        subdivision = step @ subdivision
    push = np.identity(count)
    for _ in range(PUSHES):
        push += np.identity(count) - subdivision[:count] @ push
    return Refinement(triangles, subdivision.astype(np.float32), floats(push), floats(subdivision @ push))


def _loop(triangles: Triangles, count: int) -> tuple[sparse.csr_matrix, Triangles]:
    """One level: weights of the new vertices, and the new triangles."""
    sides = np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)])
    opposite = np.concatenate([triangles[:, (i + 2) % 3] for i in range(3)])
    edges, where = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True)
    where = where.ravel()
    faces = np.bincount(where)
    border = faces == 1

    matrix = sparse.lil_matrix((count + len(edges), count))
    middle = count + np.arange(len(edges))
    for end in (0, 1):
        matrix[middle, edges[:, end]] = np.where(border, 1 / 2, 3 / 8)
    for edge, vertex in zip(where, opposite, strict=True):
        if not border[edge]:
            matrix[count + edge, vertex] += 1 / 8

    inner = [set() for _ in range(count)]  # type: list[set[int]]
    outer = [set() for _ in range(count)]  # type: list[set[int]]
    for (a, b), on_border in zip(edges.tolist(), border, strict=True):
        for one, other in ((a, b), (b, a)):
            inner[one].add(other)
            if on_border:
                outer[one].add(other)
    for vertex in range(count):
        around = sorted(outer[vertex] or inner[vertex])
        degree = len(around)
        if outer[vertex]:
            share = 1 / 8
        else:
            share = (5 / 8 - (3 / 8 + np.cos(2 * np.pi / max(degree, 1)) / 4) ** 2) / max(degree, 1)
        matrix[vertex, vertex] = 1 - degree * share
        for other in around:
            matrix[vertex, other] = share

    ab, bc, ca = (count + part for part in where.reshape(3, -1))
    a, b, c = triangles.T
    parts = ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
    finer = np.concatenate([np.stack(part, axis=1) for part in parts])
    return matrix.tocsr(), finer.astype(np.int32)
