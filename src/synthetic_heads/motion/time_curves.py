"""Smooth curves over time, the stuff that movements are made of.

They are functions of time alone: another frame rate samples the same movement, and a longer clip begins
like a shorter one. ``time`` is T seconds in ascending order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

    from synthetic_heads.arrays import Doubles


LEAD = 4.0
"""Seconds that events begin before a clip, so that its first frame is in the middle of things."""


def minimum_jerk(x: Doubles) -> Doubles:
    """From 0 to 1 as a muscle moves (least jerk); steepest in the middle, with 1.875."""
    x = np.clip(x, 0, 1)
    eased: Doubles = x**3 * (10 - 15 * x + 6 * x**2)
    return eased


def interpolate_levels(time: Doubles, onsets: ArrayLike, durations: ArrayLike, levels: ArrayLike) -> Doubles:
    """A value that leaves for each level at its onset and arrives after its duration.

    Movements that overlap add up. Before the first onset the value is zero.

    Args:
        time: T.
        onsets: E seconds.
        durations: E seconds.
        levels: E×K.

    Returns:
        T×K.
    """
    onsets, durations = np.asarray(onsets, float), np.asarray(durations, float)
    levels = np.asarray(levels, float)
    changes = np.diff(levels, axis=0, prepend=np.zeros_like(levels[:1]))
    first, last = np.searchsorted(time, onsets), np.searchsorted(time, onsets + durations)
    moving = np.zeros((len(time), levels.shape[1]))
    arrived = np.zeros((len(time) + 1, levels.shape[1]))
    for begin, end, onset, duration, change in zip(first, last, onsets, durations, changes, strict=True):
        moving[begin:end] += minimum_jerk((time[begin:end, None] - onset) / duration) * change
        arrived[end] += change
    curve: Doubles = moving + np.cumsum(arrived[:-1], axis=0)
    return curve


def pulse(time: Doubles, onset: float, rise: float, hold: float, fall: float) -> tuple[slice, Doubles]:
    """Something that comes, stays and goes: the part of the time that it fills, and its 0..1 there."""
    end = onset + rise + hold
    where = slice(*np.searchsorted(time, (onset, end + fall)).tolist())
    return where, minimum_jerk((time[where] - onset) / rise) - minimum_jerk((time[where] - end) / fall)


def smooth_noise(random: np.random.Generator, time: Doubles, seconds: float) -> Doubles:
    """A value that wanders about zero, to and fro in about so many seconds; its variance is 1."""
    waves = 6
    periods = seconds * random.uniform(0.6, 2.4, (waves, 1))
    phases = random.uniform(0, 2 * np.pi, (waves, 1))
    value: Doubles = np.sqrt(2 / waves) * np.sin(2 * np.pi * time / periods + phases).sum(axis=0)
    return value


def sample_onsets(random: np.random.Generator, time: Doubles, every: float) -> Iterator[float]:
    """Onsets from before the clip to beyond its end, 0.3 to 1.7 times ``every`` seconds apart."""
    # Of its own, so that how many there are changes nothing that is drawn later.
    (random,) = random.spawn(1)
    moment = -LEAD + random.uniform(0, every)
    while moment < time[-1] + 1:
        yield moment
        moment += every * random.uniform(0.3, 1.7)


def sample_uniform(random: np.random.Generator, bounds: Any) -> float:
    """A number between two bounds."""
    return float(random.uniform(*bounds))
