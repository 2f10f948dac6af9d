"""Smooth refinement of triangle meshes: Loop subdivision that interpolates its control vertices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from synthetic_heads.arrays import Floats, Triangles, as_float32

PUSHES = 100
"""Each leaves less than three quarters of what is missing."""


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
        pushed = np.einsum("ij,kj->ik", self.push, np.ascontiguousarray(as_float32(coarse).T))
        return as_float32(self.subdivision @ pushed)


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
    return Refinement(
        triangles, subdivision.astype(np.float32), as_float32(push), as_float32(subdivision @ push)
    )


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
