"""Facial expressions that build up and fade: felt ones, and units that move on their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.conventions import ACTION_UNITS
from synthetic_heads.motion.time_curves import pulse, sample_onsets, sample_uniform

if TYPE_CHECKING:
    from synthetic_heads.arrays import Doubles

EXPRESSIONS: dict[str, dict[str, float]] = {
    "smile": {"AU06": 0.7, "AU12": 0.9},
    "polite smile": {"AU12": 0.7, "AU14": 0.3},
    "laugh": {"AU06": 0.9, "AU07": 0.4, "AU12": 1.0, "AU25": 0.8, "AU26": 0.5},
    "frown": {"AU04": 0.9, "AU07": 0.7},
    "anger": {"AU04": 0.9, "AU05": 0.5, "AU07": 0.4, "AU17": 0.4, "AU23": 0.8},
    "surprise": {"AU01": 0.9, "AU02": 0.9, "AU05": 0.9, "AU25": 0.7, "AU26": 0.8},
    "fear": {"AU01": 0.9, "AU02": 0.4, "AU04": 0.5, "AU05": 0.8, "AU20": 0.8, "AU25": 0.5},
    "disgust": {"AU09": 0.9, "AU10": 0.7, "AU04": 0.3, "AU17": 0.3},
    "sneer": {"AU10": 0.8, "AU14": 0.3},
    "sadness": {"AU01": 0.8, "AU04": 0.4, "AU15": 0.9, "AU17": 0.5},
    "contempt": {"AU14": 0.9},
    "doubt": {"AU02": 0.7, "AU15": 0.5, "AU17": 0.8},
    "pout": {"AU17": 0.6, "AU23": 0.9},
    "listening": {"AU01": 0.4, "AU02": 0.6},
    "tension": {"AU07": 0.7, "AU20": 0.5},
}
APART = ("AU25", "AU26")
"""Units of the lips' opening, which speech has the better claim to."""


def sample_expressions(random: np.random.Generator, time: Doubles, every: float) -> Doubles:
    """Sample expressions, one every so many seconds on average.

    Args:
        random: what to draw from.
        time: T seconds.
        every: seconds.

    Returns:
        T×17, action units 0..1.
    """
    rest = np.ones((len(time), len(ACTION_UNITS)))
    for onset in sample_onsets(random, time, every):
        weights = _weights(random)
        strength = sample_uniform(random, (0.4, 1.0))
        rise, hold, fall = (sample_uniform(random, span) for span in ((0.5, 1.0), (0.3, 1.8), (0.6, 1.3)))
        for unit in np.flatnonzero(weights):
            # No two muscles start together or are equally strong.
            lag, own = sample_uniform(random, (0.0, 0.25)), sample_uniform(random, (0.5, 1.1))
            where, shape = pulse(time, onset + lag, rise, hold, fall)
            rest[where, unit] *= 1 - min(1.0, strength * own * weights[unit]) * shape
    return 1 - rest


def _weights(random: np.random.Generator) -> Doubles:
    """An expression out of the table, or one to three units that have nothing to do with each other."""
    count = len(ACTION_UNITS)
    if random.random() < 0.45:
        weights = np.zeros(count)
        weights[random.choice(count, random.integers(1, 4), replace=False)] = 1.0
        return weights
    named = EXPRESSIONS[str(random.choice(list(EXPRESSIONS)))]
    return np.array([named.get(name, 0.0) for name in ACTION_UNITS])
