"""Speaking: phrases and pauses, syllables and the shapes of the mouth (visemes)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synthetic_heads.conventions import ACTION_UNITS
from synthetic_heads.motion.time_curves import LEAD, interpolate_levels, minimum_jerk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synthetic_heads.arrays import Doubles


VISEMES: dict[str, dict[str, float]] = {
    "p": {"AU17": 0.3, "AU23": 0.25},
    "f": {"AU10": 0.45, "AU17": 0.35, "AU25": 0.15, "AU26": 0.05},
    "t": {"AU14": 0.15, "AU20": 0.25, "AU25": 0.35, "AU26": 0.1},
    "s": {"AU14": 0.3, "AU20": 0.35, "AU25": 0.3},
    "sh": {"AU10": 0.3, "AU23": 0.5, "AU25": 0.45, "AU26": 0.1},
    "l": {"AU25": 0.5, "AU26": 0.25},
    "a": {"AU25": 0.85, "AU26": 0.8},
    "e": {"AU10": 0.15, "AU14": 0.15, "AU20": 0.5, "AU25": 0.6, "AU26": 0.3},
    "i": {"AU14": 0.3, "AU20": 0.7, "AU25": 0.45, "AU26": 0.1},
    "o": {"AU17": 0.15, "AU23": 0.6, "AU25": 0.6, "AU26": 0.55},
    "u": {"AU17": 0.25, "AU23": 0.9, "AU25": 0.35, "AU26": 0.15},
}
CONSONANTS, VOWELS = ("p", "f", "t", "s", "sh", "l"), ("a", "e", "i", "o", "u")
CLOSING = 0.1
"""Seconds in which the lips meet; they stay together for as long as one frame at least."""


class Speech(NamedTuple):
    """What somebody's mouth does.

    Attributes:
        units: T×17, action units 0..1.
        talking: T, from 0 in a pause to 1 in a phrase.
    """

    units: Doubles
    talking: Doubles


def sample_speech(random: np.random.Generator, time: Doubles, share: float) -> Speech:
    """Sample what the mouth does when somebody talks for this share (0 to 1) of the time."""
    shapes = np.array([[viseme.get(name, 0.0) for name in ACTION_UNITS] for viseme in VISEMES.values()])
    names = list(VISEMES)
    # How clearly somebody speaks: each unit by its own factor, a clip long.
    habit = random.uniform(0.55, 1.0, len(ACTION_UNITS))
    talking = np.zeros_like(time)
    onsets, durations, levels = [-LEAD], [0.1], [np.zeros(len(ACTION_UNITS))]
    for begin, end in _phrases(random, float(time[-1]) + 1, share):
        talking += minimum_jerk((time - begin + 0.15) / 0.3) - minimum_jerk((time - end + 0.1) / 0.3)
        moment = begin
        while moment < end:
            for letters, (least, most) in ((CONSONANTS, (0.08, 0.12)), (VOWELS, (0.09, 0.2))):
                name = str(random.choice(letters))
                emphasis = habit * random.uniform(0.6, 1.1, len(habit))
                onsets.append(moment)
                durations.append(CLOSING if name == "p" else float(random.uniform(0.1, 0.14)))
                levels.append(shapes[names.index(name)] * emphasis)
                moment += CLOSING + 0.045 if name == "p" else float(random.uniform(least, most))
        onsets.append(moment)
        durations.append(float(random.uniform(0.15, 0.3)))
        # In a pause some keep their lips a little apart.
        levels.append(_only("AU25", float(random.choice((0.0, random.uniform(0.1, 0.3))))))
    return Speech(np.clip(interpolate_levels(time, onsets, durations, levels), 0, 1), np.clip(talking, 0, 1))


def _phrases(random: np.random.Generator, end: float, share: float) -> Iterator[tuple[float, float]]:
    """Begin and end of each phrase; pauses are as long as leaves talking its share."""
    moment = -LEAD
    while share > 0 and moment < end:
        phrase = random.uniform(0.7, 2.8)
        yield moment, moment + phrase
        moment += phrase + 0.35 + 1.75 * (1 - share) / share * random.uniform(0.3, 1.7)


def _only(name: str, value: float) -> NDArray[np.float64]:
    return np.where([unit == name for unit in ACTION_UNITS], value, 0.0)
