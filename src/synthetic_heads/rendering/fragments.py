"""Fragments: the samples of a pixel that see one surface are lit once, then averaged into the pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.rendering.compilation import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_heads.arrays import Bytes, Floats

NEAR = np.float32(0.06)
"""Samples of a pixel are lit together where their texture coordinates differ by less."""


@njit(cache=True, inline="always")
def _interpolate(
    uv: Floats, triangles: NDArray[np.int32], triangle: int, axis: int, b: float, c: float
) -> float:
    """Texture coordinate between the corners of a triangle, by the shares of its second and third one."""
    first, second, third = (
        uv[triangles[triangle, 0], axis],
        uv[triangles[triangle, 1], axis],
        uv[triangles[triangle, 2], axis],
    )
    place: float = first + b * (second - first) + c * (third - first)
    return place


@njit(cache=True)
def gather_fragments(
    triangle_ids: NDArray[np.int32],
    weights: Floats,
    uv: Floats,
    triangles: NDArray[np.int32],
    materials: Bytes,
    size: int,
    fragments: Floats,
    fragment_ids: NDArray[np.int32],
) -> int:
    """Find the fragments and return how many there are.

    Fills ``fragments`` with shares of two corners and texture coordinates of their first sample, and
    ``fragment_ids`` with pixel, triangle and number of samples.
    """
    samples = len(triangle_ids) // size
    count = 0
    for pixel in range(size * size):
        start = count
        for at in range(samples * samples):
            row = pixel // size * samples + at // samples
            column = pixel % size * samples + at % samples
            triangle = triangle_ids[row, column]
            if triangle < 0:
                continue
            found = -1
            for fragment in range(start, count):
                if fragment_ids[fragment, 1] == triangle:
                    found = fragment
                    break
            if found < 0:
                b, c = weights[row, column, 0], weights[row, column, 1]
                u, v = (
                    _interpolate(uv, triangles, triangle, 0, b, c),
                    _interpolate(uv, triangles, triangle, 1, b, c),
                )
                for fragment in range(start, count):
                    away = abs(fragments[fragment, 2] - u) + abs(fragments[fragment, 3] - v)
                    if materials[fragment_ids[fragment, 1]] == materials[triangle] and away < NEAR:
                        found = fragment
                        break
            if found < 0:
                found = count
                count += 1
                fragments[found, 0], fragments[found, 1], fragments[found, 2], fragments[found, 3] = (
                    b,
                    c,
                    u,
                    v,
                )
                fragment_ids[found, 0], fragment_ids[found, 1], fragment_ids[found, 2] = pixel, triangle, 0
            fragment_ids[found, 2] += 1
    return count


@njit(cache=True)
def collect_fragments(
    fragment_ids: NDArray[np.int32],
    colors: Floats,
    labels: Bytes,
    samples: int,
    color: Floats,
    cover: Floats,
    segmentation: Bytes,
) -> None:
    """Add the fragments of each pixel; color and cover must be zero before."""
    size = len(cover)
    first = 0
    for pixel in range(size * size):
        row, column = pixel // size, pixel % size
        face = hair = 0
        empty = samples
        while first < len(fragment_ids) and fragment_ids[first, 0] == pixel:
            number = fragment_ids[first, 2]
            share = np.float32(number) / np.float32(samples)
            for channel in range(3):
                color[row, column, channel] += share * colors[first, channel]
            cover[row, column] += share
            face += number * (labels[first] == 1)
            hair += number * (labels[first] == 2)
            empty -= number * (labels[first] != 0)
            first += 1
        segmentation[row, column] = 0
        if face > empty and face >= hair:
            segmentation[row, column] = 1
        elif hair > empty:
            segmentation[row, column] = 2
