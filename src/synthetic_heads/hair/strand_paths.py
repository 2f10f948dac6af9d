"""The ways that strands take: over the scalp, and falling from it.

Strands are arrays N×K×3: N neighbors, K points from root to tip, centimeters in the head's axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.face.skull import CENTER
from synthetic_heads.hair.scalp import direction

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from synthetic_heads.hair.scalp import Scalp


def smooth(values: ArrayLike, start: ArrayLike, end: ArrayLike) -> Floats:
    """0 before ``start``, 1 after ``end``, smooth in between."""
    share = np.clip((np.asarray(values) - start) / np.subtract(end, start), 0, 1)
    return as_float32(share * share * (3 - 2 * share))


def lengths(paths: Floats) -> Floats:
    """Way from the root to each point of strands ...×K×3, ...×K."""
    steps = np.linalg.norm(np.diff(paths, axis=-2), axis=-1)
    return as_float32(np.concatenate((np.zeros_like(steps[..., :1]), np.cumsum(steps, axis=-1)), axis=-1))


def resample(paths: Floats, ends: Floats, rows: int) -> Floats:
    """Strands N×K×3 cut at these lengths, N, with their points evenly spaced, N×rows×3."""
    way = lengths(paths)
    share = np.linspace(0, 1, rows)
    cut = np.minimum(ends, way[:, -1])
    return as_float32(
        [
            np.stack([np.interp(share * end, along, path[:, axis]) for axis in range(3)], axis=-1)
            for path, along, end in zip(paths, way, cut, strict=True)
        ]
    )


def arcs(scalp: Scalp, starts: Floats, middles: Floats, ends: Floats, lift: Floats) -> Floats:
    """Strands combed over the scalp, N×K×3.

    Args:
        scalp: what they lie on.
        starts: directions of the roots, N×3.
        middles: directions that they bend towards, N×3.
        ends: directions where they leave the scalp, N×3.
        lift: height over the skin along them, K or N×K.
    """
    share = np.linspace(0, 1, np.shape(lift)[-1])[None, :, None]
    paths = (
        (1 - share) ** 2 * starts[:, None]
        + 2 * share * (1 - share) * middles[:, None]
        + share**2 * ends[:, None]
    )
    directions = as_float32(paths / np.linalg.norm(paths, axis=-1, keepdims=True))
    return scalp.at(directions, np.broadcast_to(lift, directions.shape[:2]))


def parting(
    scalp: Scalp,
    side: int,
    at: float,
    ends: tuple[tuple[float, float], tuple[float, float]],
    high: float,
    low: Floats,
) -> Floats:
    """Strands combed from a parting down one side of the head, front to back, N×8×3.

    Args:
        scalp: what they lie on.
        side: -1 the person's right, 1 the left.
        at: where the parting is, -1..1.
        ends: azimuth and elevation in degrees where the first and the last strand leave the scalp.
        high: height over the skin half way.
        low: height at the end, N.
    """
    place = np.linspace(0, 1, len(low))
    aside = np.sin(np.radians(32 * at))
    front = scalp.hairline(as_float32(np.arctan(1.1 * aside))) + np.radians(2)
    over = front + (np.radians(142) - front) * place
    level = np.sqrt(1 - aside**2)
    starts = as_float32(
        np.stack((np.full(len(low), aside), -np.sin(over) * level, -np.cos(over) * level), axis=1)
    )
    azimuth = ends[0][0] + (ends[1][0] - ends[0][0]) * place**0.8
    elevation = ends[0][1] + (ends[1][1] - ends[0][1]) * smooth(place, 0, 0.8)
    leave = direction(as_float32(side * np.radians(azimuth)), as_float32(np.radians(elevation)))
    # The foremost strands keep above the forehead.
    middles = (
        starts + leave + np.stack((0.25 * side * (1 - place), -0.55 * (1 - place) ** 2, 0 * place), axis=1)
    )
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    share = np.linspace(0, 1, 8)
    lift = 0.2 + (high - 0.2) * smooth(share, 0, 0.45) + (low - high)[:, None] * smooth(share, 0.5, 1)
    return arcs(scalp, starts, as_float32(middles), leave, as_float32(lift))


def hang(
    scalp: Scalp, paths: Floats, bottom: Floats, rows: int, lift: Floats | float, behind: Floats
) -> Floats:
    """Let strands go on falling from where they leave the scalp, N×rows×3.

    Args:
        scalp: what they slide off.
        paths: N×K×3 so far.
        bottom: heights at which they are cut, N.
        rows: points of each strand in the end.
        lift: centimeters to the skin, broadcast to N.
        behind: -1 before, 1 behind the shoulder, 0 down onto it, N.
    """
    point = paths[:, -1]
    heading = point - paths[:, -2]
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    points = list(np.moveaxis(paths, 1, 0))
    for _ in range(int(np.max(bottom) + 14)):
        drift = 0.35 * behind * smooth(point[:, 1], 6, 12)
        heading = heading + np.stack((-0.15 * heading[:, 0], np.full(len(point), 0.9), drift), axis=1)
        heading /= np.linalg.norm(heading, axis=1, keepdims=True)
        moved = scalp.push_outside(as_float32(point + heading), lift, behind)
        heading = moved - point
        heading /= np.linalg.norm(heading, axis=1, keepdims=True) + 1e-6
        point = moved
        points.append(point)
    fallen = as_float32(np.stack(points, axis=1))
    way = lengths(fallen)
    start = way[:, paths.shape[1] - 1]
    free = np.maximum.accumulate(fallen[..., 1], axis=1)
    ends = [max(s, np.interp(y, ys, w)) for y, ys, w, s in zip(bottom, free, way, start, strict=True)]
    return resample(fallen, as_float32(ends), rows)


def normals(paths: Floats) -> Floats:
    """Outward normals of the surface through neighboring strands, N×K×3."""
    along = np.gradient(paths, axis=1)
    across = np.gradient(paths, axis=0)
    normal = np.cross(across, along)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-6
    return as_float32(np.sign(np.sum(normal * (paths - CENTER))) * normal)


def waved(paths: Floats, random: np.random.Generator, amplitude: float, wave: float) -> Floats:
    """Strands bent into waves of this length that grow from the root; neighbors wave together."""
    if amplitude == 0:
        return paths
    normal = normals(paths)
    along = np.gradient(paths, axis=1)
    across = np.cross(along, normal)
    across /= np.linalg.norm(across, axis=-1, keepdims=True) + 1e-6
    way = lengths(paths)
    phase = ndimage.gaussian_filter1d(random.normal(size=len(paths)), 3)[:, None] * 5 + random.uniform(0, 6)
    size = amplitude * smooth(way, 8, 20)
    turn = 2 * np.pi * way / wave + phase
    return as_float32(
        paths
        + (size * np.sin(turn))[..., None] * across
        + (0.8 * size * (1 + np.cos(turn)))[..., None] * normal
    )
