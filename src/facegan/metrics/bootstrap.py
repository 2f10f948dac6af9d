"""How sure a mean is: pairs of one person are alike, so people are drawn, not pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

DRAWS = 2000
BLOCK = 100
"""Draws that are weighed at once, to bound the memory."""


def bootstrap(
    values: ArrayLike, identity: ArrayLike, *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of a mean of pairs, by drawing identities with replacement.

    A cluster bootstrap with percentiles (Davison and Hinkley, Bootstrap Methods and their Application,
    1997, 3.8). Of one identity there is nothing to draw: the interval is not a number.

    Args:
        values: N, one a pair; those that are not a number do not count.
        identity: N, whose pair it is.
        draws: number of samples.
        seed: of the samples.

    Returns:
        Lower and upper end.
    """
    values, identity = np.asarray(values, np.float64), np.asarray(identity)
    known = ~np.isnan(values)
    people, owner = np.unique(identity[known], return_inverse=True)
    if len(people) < 2:
        return float("nan"), float("nan")
    sums = np.bincount(owner, values[known])
    counts = np.bincount(owner).astype(np.float64)
    random = np.random.default_rng(seed)
    shares = np.full(len(people), 1 / len(people))
    means = np.concatenate(
        [
            (drawn @ sums) / (drawn @ counts)
            for drawn in (
                random.multinomial(len(people), shares, size=min(BLOCK, draws - start))
                for start in range(0, draws, BLOCK)
            )
        ]
    )
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)
