"""Confidence interval of a mean of pairs: pairs of one identity are alike, so identities are resampled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

NUM_RESAMPLES = 2000
CHUNK = 100
"""Resamples that are weighted at once, to bound the memory."""


def bootstrap_interval(
    values: ArrayLike, identities: ArrayLike, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """Compute the 95 % interval of a mean of pairs by a cluster bootstrap over identities.

    Percentiles (Davison and Hinkley, Bootstrap Methods and their Application, 1997, 3.8). With a single
    identity there is nothing to resample: the interval is NaN.

    Args:
        values: N, one a pair; NaN is left out.
        identities: N, the identity of each pair.
        num_resamples: number of resamples.
        seed: of the resamples.

    Returns:
        Lower and upper end.
    """
    values, identities = np.asarray(values, np.float64), np.asarray(identities)
    valid = ~np.isnan(values)
    names, cluster = np.unique(identities[valid], return_inverse=True)
    if len(names) < 2:
        return float("nan"), float("nan")
    sums = np.bincount(cluster, values[valid])
    counts = np.bincount(cluster).astype(np.float64)
    random = np.random.default_rng(seed)
    shares = np.full(len(names), 1 / len(names))
    means = []
    for start in range(0, num_resamples, CHUNK):
        drawn = random.multinomial(len(names), shares, size=min(CHUNK, num_resamples - start))
        means.append((drawn @ sums) / (drawn @ counts))
    low, high = np.percentile(np.concatenate(means), (2.5, 97.5))
    return float(low), float(high)
