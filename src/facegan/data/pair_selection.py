"""Select pairs of crops of two identities: at random, or by the nearest motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facegan.geometry.motion import ACTION_UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facegan.data.face_crops import FaceCrops

CHUNK = 1 << 24
"""Distances in memory at once."""
ROUNDING = 1e-5
"""Rounding error of a squared distance by a matrix product, relative to the squared norms."""


def cross_pairs(crops: FaceCrops, count: int, seed: int) -> NDArray[np.int64]:
    """Draw random driving frames, each for the first crop of a random other identity.

    Args:
        crops: the data.
        count: number of pairs; fewer if there are fewer crops.
        seed: seed of the choice.

    Returns:
        M×2 indices of source and driving frame, no driving frame twice; none if there is one identity only.
    """
    random = np.random.default_rng(seed)
    _, first, identity = np.unique(crops.identity, return_index=True, return_inverse=True)
    if len(first) < 2:
        return np.empty((0, 2), np.int64)
    driving = random.permutation(len(crops))[:count]
    other = identity[driving] + random.integers(1, len(first), len(driving))
    return np.stack((first[other % len(first)], driving), axis=1)


def nearest_motion(
    crops: FaceCrops,
    wanted: NDArray[np.float32],
    excluded: Sequence[str] | NDArray[np.str_] | None = None,
    *,
    action_units_only: bool = False,
) -> NDArray[np.int64]:
    """Find the crop with the nearest motion, by Euclidean distance, for each of many; the first of several.

    Args:
        crops: the data.
        wanted: Q×20 motion parameters.
        excluded: Q names of identities that are left out; None for none.
        action_units_only: leaves the pose angles out of the distance.

    Returns:
        Q indices; -1 where all are excluded.
    """
    columns = slice(len(ACTION_UNITS) if action_units_only else None)
    names, identity = np.unique(crops.identity, return_inverse=True)
    # Sorted by identity, so that an exclusion is a range.
    order = np.argsort(identity, kind="stable")
    ends = np.searchsorted(identity[order], np.arange(len(names) + 1))
    motion = crops.motion[order, columns]
    lengths = np.square(motion).sum(axis=1)
    queries = np.asarray(wanted)[:, columns]
    found = np.full(len(queries), -1, np.int64)
    step = max(CHUNK // max(len(motion), 1), 1)
    for start in range(0, len(queries) if len(motion) else 0, step):
        chunk = queries[start : start + step]
        # |a|² - 2ab: |b|² is the same for all crops.
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
                # The product rounds, so that the candidates are compared exactly.
                slack = ROUNDING * (np.square(query).sum() + abs(least) + 1)
                near = np.sort(order[np.flatnonzero(row <= least + slack)])
                exact = np.square(crops.motion[near, columns] - query).sum(axis=1)
                found[place] = near[exact.argmin()]
    return found
