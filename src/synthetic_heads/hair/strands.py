"""Hair as surfaces: strands joined to sheets, or single locks; and the texture of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from synthetic_heads.conventions import HAIR
from synthetic_heads.face.skull import body_follow
from synthetic_heads.face.surface import Material, Part, grid
from synthetic_heads.face.topology import floats
from synthetic_heads.hair.combing import lengths, normals, resample, smooth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_heads.face.topology import Floats, Triangles

TILE = floats([10, 24])
"""Centimetres that the strand texture covers across and along the strands."""


def strand_texture(random: np.random.Generator, curl: float) -> NDArray[np.uint8]:
    """Strength of the strands, 256×256, tileable; strands run down the columns.

    Values 0..254 are equally frequent, so that a share of exactly ``thin`` lies below ``255 · thin``.

    Args:
        random: draws the strands.
        curl: 0 straight .. 1 frizzy.
    """
    size = 256
    across, along = np.meshgrid(np.fft.fftfreq(size, 1 / size), np.fft.fftfreq(size, 1 / size))
    picture = np.zeros((size, size))
    for cycles, amount in ((7, 0.5), (22, 0.8), (60, 1.0)):
        length = 1.2 + curl**2 * 0.5 * cycles
        filtered = np.exp(-((np.abs(across) / cycles - 1) ** 2) * 3 - (along / length) ** 2)
        noise = np.fft.ifft2(np.fft.fft2(random.normal(size=(size, size))) * filtered).real
        picture += amount * noise / noise.std()
    row, column = np.mgrid[:size, :size]
    turns = np.round(2 + 10 * curl)
    phase = 3 * ndimage.gaussian_filter(random.normal(size=(size, size)), 12, mode="wrap") * 12
    bend = 7 * curl * np.sin(2 * np.pi * turns * row / size + phase)
    picture = ndimage.map_coordinates(picture, [row, column + bend], order=1, mode="grid-wrap")
    ranks = picture.ravel().argsort().argsort().reshape(size, size)
    return np.asarray(ranks * 255 // size**2, np.uint8)


def sheet(
    paths: Floats,
    *,
    thin: Floats | float,
    shade: Floats | float,
    lift: float = 0,
    shift: float = 0,
    fineness: float = 1,
) -> Part:
    """One surface through neighboring strands.

    Args:
        paths: N×K×3.
        thin: how much is missing, broadcast to N×K.
        shade: light that gets here, broadcast to N×K.
        lift: centimeters outside the strands.
        shift: of the strand texture, in tiles.
        fineness: how much finer the strands are than usual.
    """
    count, rows = paths.shape[:2]
    outwards = normals(paths)
    points = floats(paths + lift * outwards)
    middle = paths[:, rows // 3]
    across = np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(middle, axis=0), axis=1))))
    u = np.broadcast_to(across[:, None], (count, rows))
    uv = np.stack((fineness * u / TILE[0] + shift, fineness**2 * lengths(paths) / TILE[1]), axis=-1)
    triangles = grid(count, rows)
    corners = points.reshape(-1, 3)[triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    if (facing * outwards.reshape(-1, 3)[triangles[:, 0]]).sum() < 0:
        triangles = triangles[:, ::-1]
    return _part(points, triangles, uv, thin, shade)


def locks(
    paths: Floats,
    random: np.random.Generator,
    count: int,
    *,
    width: float,
    lift: tuple[float, float],
    rows: int = 8,
    thin: float = 0.25,
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
        thin: how much is missing in the middle of a lock.
        stray: centimeters that a lock leaves its path.
        shorter: share of its length that a lock may lack.
    """
    place = random.uniform(0, len(paths) - 1.001, count)
    first = place.astype(int)
    share = floats(place - first)[:, None, None]
    normal = normals(paths)
    path = (1 - share) * paths[first] + share * paths[first + 1]
    out = (1 - share) * normal[first] + share * normal[first + 1]
    way = lengths(floats(path))
    raised = random.uniform(*lift, count)[:, None] * (0.3 + 0.7 * smooth(way / (way[:, -1:] + 1e-6), 0, 0.4))
    cut = floats(way[:, -1] * random.uniform(1 - shorter, 1.03, count))
    path, out = resample(floats(path + raised[..., None] * out), cut, rows), _at_rows(floats(out), rows)
    return ribbons(path, out, random, width=width, thin=thin, stray=stray)


def ribbons(
    paths: Floats, out: Floats, random: np.random.Generator, *, width: float, thin: float, stray: float
) -> Part:
    """Locks along these paths, three vertices wide; they dissolve towards edges and tips.

    Args:
        paths: N×K×3.
        out: their outward normals, N×K×3.
        random: draws widths, brightness and bends.
        width: in centimeters.
        thin: how much is missing in the middle of a lock.
        stray: centimeters that a tip leaves its path.
    """
    count, rows = paths.shape[:2]
    across = np.cross(np.gradient(paths, axis=1), out)
    across /= np.linalg.norm(across, axis=-1, keepdims=True) + 1e-6
    grown = np.linspace(0, 1, rows)
    paths = floats(paths + stray * random.normal(size=(count, 1, 1)) * (grown**2)[:, None] * across)
    broad = (
        width * random.uniform(0.6, 1.3, (count, 1)) * (0.55 + 0.6 * np.sin(np.pi * (0.15 + 0.75 * grown)))
    )
    side = floats([-0.5, 0, 0.5])[:, None]
    points = paths[:, :, None] + side * (broad[..., None] * across)[:, :, None]
    points[:, :, 1] += 0.18 * broad[..., None] * out
    u = random.uniform(0, 1, (count, 1, 1)) + side[:, 0] * broad[..., None] / TILE[0]
    uv = np.stack(np.broadcast_arrays(u, lengths(paths)[..., None] / TILE[1]), axis=-1)
    tip = smooth(grown, 0.55, 1.05)
    missing = thin + np.stack((0.75 + 0 * tip, 0.75 * tip, 0.75 + 0 * tip), axis=-1)
    bright = random.uniform(0.78, 1.0, (count, 1, 1)) * (0.7 + 0.3 * smooth(grown, 0, 0.35))[:, None]
    triangles = (grid(rows, 3)[None] + (np.arange(count) * rows * 3)[:, None, None]).reshape(-1, 3)
    return _part(floats(points), triangles.astype(np.int32), floats(uv), floats(missing), floats(bright))


def _at_rows(values: Floats, rows: int) -> Floats:
    """N×K×3 read at evenly spaced rows, N×rows×3."""
    at = np.linspace(0, values.shape[1] - 1, rows)
    low = np.minimum(at.astype(int), values.shape[1] - 2)
    share = floats(at - low)[None, :, None]
    return floats((1 - share) * values[:, low] + share * values[:, low + 1])


def _part(
    points: Floats, triangles: Triangles, uv: Floats, thin: Floats | float, shade: Floats | float
) -> Part:
    shape = points.shape[:-1]
    missing = floats(np.clip(np.broadcast_to(thin, shape), 0, 1).ravel())
    # What nobody sees casts no shadow either.
    triangles = triangles[missing[triangles].min(axis=1) < 0.9]
    return Part(
        floats(points.reshape(-1, 3)), triangles, floats(uv.reshape(-1, 2)), Material.HAIR, HAIR,
        thin=missing,
        shade=floats(np.clip(np.broadcast_to(shade, shape), 0, 1).ravel()),
        follow=body_follow(points[..., 1]).ravel(),
    )  # fmt: skip
