"""Hair as surfaces: strands joined to sheets, or single locks; and the texture of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from synthetic_heads.arrays import Floats, Triangles, as_float32
from synthetic_heads.conventions import HAIR
from synthetic_heads.face.mesh_part import Material, Part, grid
from synthetic_heads.face.skull import body_head_weight
from synthetic_heads.hair.strand_paths import lengths, normals, resample, smooth

if TYPE_CHECKING:
    from numpy.typing import NDArray


TILE = as_float32([10, 24])
"""Centimeters that the strand texture covers across and along the strands."""


def strand_texture(random: np.random.Generator, curl: float) -> NDArray[np.uint8]:
    """Strength of the strands, 256×256, tileable; strands run down the columns.

    Values 0..254 are equally frequent: a share of exactly ``transparency`` lies below ``255 · transparency``.

    Args:
        random: draws the strands.
        curl: 0 straight .. 1 frizzy.
    """
    size = 256
    across, along = np.meshgrid(np.fft.fftfreq(size, 1 / size), np.fft.fftfreq(size, 1 / size))
    image = np.zeros((size, size))
    for cycles, amount in ((7, 0.5), (22, 0.8), (60, 1.0)):
        length = 1.2 + curl**2 * 0.5 * cycles
        filtered = np.exp(-((np.abs(across) / cycles - 1) ** 2) * 3 - (along / length) ** 2)
        noise = np.fft.ifft2(np.fft.fft2(random.normal(size=(size, size))) * filtered).real
        image += amount * noise / noise.std()
    row, column = np.mgrid[:size, :size]
    turns = np.round(2 + 10 * curl)
    phase = 3 * ndimage.gaussian_filter(random.normal(size=(size, size)), 12, mode="wrap") * 12
    bend = 7 * curl * np.sin(2 * np.pi * turns * row / size + phase)
    image = ndimage.map_coordinates(image, [row, column + bend], order=1, mode="grid-wrap")
    ranks = image.ravel().argsort().argsort().reshape(size, size)
    return np.asarray(ranks * 255 // size**2, np.uint8)


def sheet(
    paths: Floats,
    *,
    transparency: Floats | float,
    shade: Floats | float,
    lift: float = 0,
    shift: float = 0,
    fineness: float = 1,
) -> Part:
    """One surface through neighboring strands.

    Args:
        paths: N×K×3.
        transparency: how much is missing, broadcast to N×K.
        shade: light that gets here, broadcast to N×K.
        lift: centimeters outside the strands.
        shift: of the strand texture, in tiles.
        fineness: how much finer the strands are than usual.
    """
    count, rows = paths.shape[:2]
    outwards = normals(paths)
    points = as_float32(paths + lift * outwards)
    middle = paths[:, rows // 3]
    across = np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(middle, axis=0), axis=1))))
    u = np.broadcast_to(across[:, None], (count, rows))
    uv = np.stack((fineness * u / TILE[0] + shift, fineness**2 * lengths(paths) / TILE[1]), axis=-1)
    triangles = grid(count, rows)
    corners = points.reshape(-1, 3)[triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    if (facing * outwards.reshape(-1, 3)[triangles[:, 0]]).sum() < 0:
        triangles = triangles[:, ::-1]
    return _part(points, triangles, uv, transparency, shade)


def locks(
    paths: Floats,
    random: np.random.Generator,
    count: int,
    *,
    width: float,
    lift: tuple[float, float],
    rows: int = 8,
    transparency: float = 0.25,
    stray: float = 0.3,
    shorter: float = 0.25,
) -> Part:
    """Single locks that lie over a surface of strands and break up its silhouette.

    Args:
        paths: N×K×3, neighboring strands that they follow.
        random: draws where they lie.
        count: of locks.
        width: in centimeters.
        lift: least and most centimeters outside the strands.
        rows: points along each lock.
        transparency: how much is missing in the middle of a lock.
        stray: centimeters that a lock leaves its path.
        shorter: share of its length that a lock may lack.
    """
    place = random.uniform(0, len(paths) - 1.001, count)
    first = place.astype(int)
    share = as_float32(place - first)[:, None, None]
    normal = normals(paths)
    path = (1 - share) * paths[first] + share * paths[first + 1]
    out = (1 - share) * normal[first] + share * normal[first + 1]
    way = lengths(as_float32(path))
    raised = random.uniform(*lift, count)[:, None] * (0.3 + 0.7 * smooth(way / (way[:, -1:] + 1e-6), 0, 0.4))
    cut = as_float32(way[:, -1] * random.uniform(1 - shorter, 1.03, count))
    path, out = (
        resample(as_float32(path + raised[..., None] * out), cut, rows),
        _at_rows(as_float32(out), rows),
    )
    return ribbons(path, out, random, width=width, transparency=transparency, stray=stray)


def ribbons(
    paths: Floats,
    out: Floats,
    random: np.random.Generator,
    *,
    width: float,
    transparency: float,
    stray: float,
) -> Part:
    """Locks along these paths, three vertices wide; they dissolve towards edges and tips.

    Args:
        paths: N×K×3.
        out: their outward normals, N×K×3.
        random: draws widths, brightness and bends.
        width: in centimeters.
        transparency: how much is missing in the middle of a lock.
        stray: centimeters that a tip leaves its path.
    """
    count, rows = paths.shape[:2]
    across = np.cross(np.gradient(paths, axis=1), out)
    across /= np.linalg.norm(across, axis=-1, keepdims=True) + 1e-6
    grown = np.linspace(0, 1, rows)
    paths = as_float32(paths + stray * random.normal(size=(count, 1, 1)) * (grown**2)[:, None] * across)
    broad = (
        width * random.uniform(0.6, 1.3, (count, 1)) * (0.55 + 0.6 * np.sin(np.pi * (0.15 + 0.75 * grown)))
    )
    side = as_float32([-0.5, 0, 0.5])[:, None]
    points = paths[:, :, None] + side * (broad[..., None] * across)[:, :, None]
    points[:, :, 1] += 0.18 * broad[..., None] * out
    u = random.uniform(0, 1, (count, 1, 1)) + side[:, 0] * broad[..., None] / TILE[0]
    uv = np.stack(np.broadcast_arrays(u, lengths(paths)[..., None] / TILE[1]), axis=-1)
    tip = smooth(grown, 0.55, 1.05)
    missing = transparency + np.stack((0.75 + 0 * tip, 0.75 * tip, 0.75 + 0 * tip), axis=-1)
    bright = random.uniform(0.78, 1.0, (count, 1, 1)) * (0.7 + 0.3 * smooth(grown, 0, 0.35))[:, None]
    triangles = (grid(rows, 3)[None] + (np.arange(count) * rows * 3)[:, None, None]).reshape(-1, 3)
    return _part(
        as_float32(points),
        triangles.astype(np.int32),
        as_float32(uv),
        as_float32(missing),
        as_float32(bright),
    )


def _at_rows(values: Floats, rows: int) -> Floats:
    """N×K×3 read at evenly spaced rows, N×rows×3."""
    at = np.linspace(0, values.shape[1] - 1, rows)
    low = np.minimum(at.astype(int), values.shape[1] - 2)
    share = as_float32(at - low)[None, :, None]
    return as_float32((1 - share) * values[:, low] + share * values[:, low + 1])


def _part(
    points: Floats, triangles: Triangles, uv: Floats, transparency: Floats | float, shade: Floats | float
) -> Part:
    shape = points.shape[:-1]
    missing = as_float32(np.clip(np.broadcast_to(transparency, shape), 0, 1).ravel())
    # What nobody sees casts no shadow either.
    triangles = triangles[missing[triangles].min(axis=1) < 0.9]
    return Part(
        as_float32(points.reshape(-1, 3)), triangles, as_float32(uv.reshape(-1, 2)), Material.HAIR, HAIR,
        transparency=missing,
        shade=as_float32(np.clip(np.broadcast_to(shade, shape), 0, 1).ravel()),
        head_weight=body_head_weight(points[..., 1]).ravel(),
    )  # fmt: skip
