"""Sampling weights of driving frames: uniform, or balanced over the motion parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 10
"""Bins over the range of each motion parameter."""


def balanced_weights(motion: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the probability of each crop if a parameter, then an occupied bin, then a crop in it is drawn.

    Args:
        motion: N×20 motion parameters.

    Returns:
        N probabilities with a sum of 1.
    """
    weights = np.zeros(len(motion))
    for values in motion.T.astype(np.float64):
        low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
        scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
        bins = np.minimum((BINS * scaled).astype(int), BINS - 1)
        counts = np.bincount(bins, minlength=BINS)
        weights += 1 / (np.count_nonzero(counts) * counts[bins])
    return np.asarray(weights / motion.shape[1])


def sampling_weights(motion: NDArray[np.float32], balance: float) -> NDArray[np.float64]:
    """Mix uniform (``balance`` 0) and balanced weights (1); N probabilities with a sum of 1."""
    return (1 - balance) / max(len(motion), 1) + balance * balanced_weights(motion)


def systematic_resample(weights: NDArray[np.float64], offset: float) -> NDArray[np.int64]:
    """Draw N of N crops by systematic resampling: each ⌊N p⌋ or ⌈N p⌉ times.

    Args:
        weights: N probabilities with a sum of 1.
        offset: the one random number, 0..1.

    Returns:
        N indices in ascending order.
    """
    ends = np.cumsum(weights) * len(weights)
    ends /= ends[-1:] / len(weights)
    indices = np.searchsorted(ends, np.arange(len(weights)) + offset, side="right")
    return np.minimum(indices, len(weights) - 1).astype(np.int64)
