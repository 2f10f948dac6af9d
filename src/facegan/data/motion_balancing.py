"""How often each crop drives in an epoch: all alike, or rare motion as often as common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 10
"""Into how many parts the range of a number is cut."""


def balanced(motion: NDArray[np.float32]) -> NDArray[np.float64]:
    """Chances if a number is drawn, then an occupied part of its range, then a crop in that part.

    Args:
        motion: N×20.

    Returns:
        N, with a sum of 1.
    """
    chance = np.zeros(len(motion))
    for values in motion.T.astype(np.float64):
        low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
        scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
        part = np.minimum((BINS * scaled).astype(int), BINS - 1)
        counts = np.bincount(part, minlength=BINS)
        chance += 1 / (np.count_nonzero(counts) * counts[part])
    return np.asarray(chance / motion.shape[1])


def chances(motion: NDArray[np.float32], balance: float) -> NDArray[np.float64]:
    """A mixture of all crops alike (``balance`` 0) and :func:`balanced` (1); N, with a sum of 1."""
    return (1 - balance) / max(len(motion), 1) + balance * balanced(motion)


def draw(chances: NDArray[np.float64], start: float) -> NDArray[np.int64]:
    """Systematic resampling: as many draws as crops, each crop ⌊N p⌋ or ⌈N p⌉ times.

    Args:
        chances: N, with a sum of 1.
        start: all that is random about it, 0..1.

    Returns:
        N indices in rising order.
    """
    ends = np.cumsum(chances) * len(chances)
    ends /= ends[-1:] / len(chances)
    places = np.searchsorted(ends, np.arange(len(chances)) + start, side="right")
    return np.minimum(places, len(chances) - 1).astype(np.int64)
