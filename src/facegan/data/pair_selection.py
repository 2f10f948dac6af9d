"""Which crops of a data set meet across identities: at random, or by the nearest motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facegan.geometry.motion import ACTION_UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facegan.data.face_crops import FaceCrops

CHUNK = 1 << 24
"""Distances that are held in memory at once."""
ROUNDING = 1e-5
"""Of a squared distance by a matrix product, relative to the squared lengths that it comes from."""


def cross_pairs(crops: FaceCrops, count: int, seed: int) -> NDArray[np.int64]:
    """Random drivers, each for the first crop of a random other identity; no crop drives twice.

    Args:
        crops: the data.
        count: how many pairs; fewer if there are fewer crops.
        seed: of the choice.

    Returns:
        M×2 indices, source and driver; none if there is one identity only.
    """
    random = np.random.default_rng(seed)
    _, first, identity = np.unique(crops.identity, return_index=True, return_inverse=True)
    if len(first) < 2:
        return np.empty((0, 2), np.int64)
    driver = random.permutation(len(crops))[:count]
    other = identity[driver] + random.integers(1, len(first), len(driver))
    return np.stack((first[other % len(first)], driver), axis=1)


def nearest_motion(
    crops: FaceCrops,
    wanted: NDArray[np.float32],
    excluded: Sequence[str] | NDArray[np.str_] | None = None,
    *,
    action_units_only: bool = False,
) -> NDArray[np.int64]:
    """The crop that moves most alike, for each of many motions; the first one of several.

    Alike is the smallest Euclidean distance of the 20 numbers.

    Args:
        crops: the data.
        wanted: Q×20.
        excluded: Q names of identities that are not to be found; None for nobody.
        action_units_only: leaves the angles out of the distance.

    Returns:
        Q indices; -1 where everybody is excluded.
    """
    numbers = slice(len(ACTION_UNITS) if action_units_only else None)
    names, identity = np.unique(crops.identity, return_inverse=True)
    # One identity's crops lie side by side: an exclusion is a range.
    order = np.argsort(identity, kind="stable")
    ends = np.searchsorted(identity[order], np.arange(len(names) + 1))
    motion = crops.motion[order, numbers]
    lengths = np.square(motion).sum(axis=1)
    queries = np.asarray(wanted)[:, numbers]
    found = np.full(len(queries), -1, np.int64)
    step = max(CHUNK // max(len(motion), 1), 1)
    for start in range(0, len(queries) if len(motion) else 0, step):
        chunk = queries[start : start + step]
        # |a|² - 2ab: as far off as |b|² for all, which tells the nearest just as well.
        distances = chunk @ (-2 * motion.T)
        distances += lengths
        for place, query in enumerate(chunk, start):
            row = distances[place - start]
            if excluded is not None:
                code = np.searchsorted(names, excluded[place])
                if code < len(names) and names[code] == excluded[place]:
                    row[ends[code] : ends[code + 1]] = np.inf
            least = row.min()
            if np.isfinite(least):
                # The product rounds: those that may be the nearest are compared exactly.
                slack = ROUNDING * (np.square(query).sum() + abs(least) + 1)
                near = np.sort(order[np.flatnonzero(row <= least + slack)])
                exact = np.square(crops.motion[near, numbers] - query).sum(axis=1)
                found[place] = near[exact.argmin()]
    return found
