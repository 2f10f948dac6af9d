"""How the built-in head moves: speech, expressions, blinks, gaze and pose, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synthetic_heads.conventions import ACTION_UNITS, POSE_SCALE
from synthetic_heads.motion.emotion import APART, sample_expressions
from synthetic_heads.motion.speech import sample_speech
from synthetic_heads.motion.time_curves import (
    LEAD,
    interpolate_levels,
    pulse,
    sample_onsets,
    sample_uniform,
    smooth_noise,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_heads.arrays import Doubles


class MotionSequence(NamedTuple):
    """What a head does, frame by frame."""

    motion: NDArray[np.float32]
    """T×20, the motion parameters of :mod:`synthetic_heads.conventions`; units within 0..1."""
    gaze: NDArray[np.float32]
    """T×2, how far the eyes are turned in the head, to the image's right and down, in radians."""


@dataclass(frozen=True)
class MotionStyle:
    """A manner of moving. Numbers named by what happens are mean seconds from one to the next.

    Attributes:
        talking: share of the time spent in phrases.
        expression: expressions.
        posture: turns of the head to somewhere else, where it stays.
        reach: how far it turns: pitch, yaw and roll in degrees.
        gesture: nods and shakes of the head.
        nodding: share of nods among them.
        glance: movements of the eyes.
        contact: share of the glances that go to the camera.
        blink: blinks.
    """

    talking: float
    expression: float
    posture: float
    reach: tuple[float, float, float]
    gesture: float
    nodding: float
    glance: float
    contact: float
    blink: float


MOTION_STYLES = {
    "calm talker": MotionStyle(0.85, 3.0, 2.5, (8, 16, 8), 5.0, 0.6, 1.2, 0.75, 4.5),
    "lively talker": MotionStyle(0.75, 1.6, 1.4, (12, 24, 12), 2.2, 0.5, 0.8, 0.6, 3.6),
    "listener": MotionStyle(0.0, 2.0, 2.0, (14, 34, 12), 1.8, 0.75, 0.9, 0.4, 4.0),
    "actor": MotionStyle(0.3, 0.9, 1.5, (30, 46, 30), 4.0, 0.5, 1.0, 0.5, 3.5),
}
LIMITS = (30.0, 45.0, 30.0)
"""Pitch, yaw and roll in degrees that no head goes beyond."""
GAZE_LIMITS = (0.5, 0.35)
"""Right and down in radians that no eye goes beyond."""
REFLEX = 0.85
"""Share of the head's turn that eyes take back which stay on the camera (vestibulo-ocular reflex)."""
LARGE_GLANCE = 0.2
"""Radians of a glance that the lids tend to go with."""
CLOSE, SHUT, OPEN = 0.08, 0.045, 0.16
"""Seconds that a blink takes to close, stays shut for (a frame at least) and takes to open."""


def sample_motion(seed: int, frames: int, fps: float, *, motion_style: str | None = None) -> MotionSequence:
    """Sample the movements of somebody in front of a camera.

    The same seed gives the same movement: another frame rate samples it elsewhere, and more frames go on
    with it. From one frame to the next at 25 frames a second, AU45 changes by less than 0.85, what speech
    moves by less than 0.7, every other unit by less than 0.25, an angle by less than 10 degrees.

    Args:
        seed: what to draw from, 0 or more.
        frames: how many, one or more.
        fps: frames a second.
        motion_style: a name out of ``MOTION_STYLES``; drawn from the seed by default.

    Raises:
        ValueError: if there is no such style.
    """
    chooser, *streams = np.random.default_rng([seed, 2]).spawn(7)
    name = str(chooser.choice(list(MOTION_STYLES))) if motion_style is None else motion_style
    if name not in MOTION_STYLES:
        msg = f"no motion style {name!r}: choose from {', '.join(MOTION_STYLES)}"
        raise ValueError(msg)
    style = MOTION_STYLES[name]
    speaking, expressing, posing, gesturing, looking, blinking = streams
    time = np.arange(frames) / fps

    speech = sample_speech(speaking, time, style.talking)
    felt = sample_expressions(expressing, time, style.expression)
    apart = [ACTION_UNITS.index(unit) for unit in APART]
    felt[:, apart] *= 1 - speech.talking[:, None]
    turns = list(sample_onsets(posing, time, style.posture))
    head = _posture(posing, time, turns, style) + _gestures(gesturing, time, style, speech.talking)
    head = np.clip(head, -np.radians(LIMITS), np.radians(LIMITS))
    glances, gaze = _gaze(looking, time, head, turns, style)
    closed = np.zeros_like(felt)
    closed[:, ACTION_UNITS.index("AU45")] = _blinks(blinking, time, style, glances)
    # Units that two causes contract do not add up beyond 1.
    units = 1 - (1 - speech.units) * (1 - felt) * (1 - closed)
    vector = np.concatenate((units, head / POSE_SCALE), axis=1)
    return MotionSequence(vector.astype(np.float32), gaze.astype(np.float32))


def _posture(
    random: np.random.Generator, time: Doubles, turns: Sequence[float], style: MotionStyle
) -> Doubles:
    """Where the head is held, T×3 in radians: turned somewhere else now and then, never quite still."""
    drift = np.stack([smooth_noise(random, time, 3.0) for _ in range(3)], axis=1) * (1.2, 1.8, 1.2)
    postures, durations = [np.zeros(3)], [1.0]
    for _ in turns:
        # Often towards the camera again.
        near = 0.25 if random.random() < 0.4 else 1.0
        postures.append(near * np.array(style.reach) * random.uniform(-1, 1, 3))
        degrees = float(np.abs(postures[-1] - postures[-2]).max())
        durations.append(0.35 + 0.011 * degrees * sample_uniform(random, (0.8, 1.6)))
    return np.radians(drift + interpolate_levels(time, (-2 * LEAD, *turns), durations, postures))


def _gestures(random: np.random.Generator, time: Doubles, style: MotionStyle, talking: Doubles) -> Doubles:
    """Nods and shakes, and the beat of speech, T×3 in radians."""
    beat = np.stack([smooth_noise(random, time, 0.6) for _ in range(3)], axis=1) * (1.0, 0.6, 0.5)
    swing = talking[:, None] * beat
    for onset in sample_onsets(random, time, style.gesture):
        nod = random.random() < style.nodding
        cycles = random.integers(1, 4)
        rate = sample_uniform(random, (1.4, 2.2) if nod else (1.2, 1.8))
        degrees = sample_uniform(random, (3, 8) if nod else (4, 11))
        length = cycles / rate
        where, window = pulse(time, onset, 0.3 * length, 0.4 * length, 0.3 * length)
        wave = np.sin(2 * np.pi * rate * (time[where] - onset)) * random.choice((-1, 1))
        swing[where, 0 if nod else 1] += degrees * window * wave
    return np.radians(swing)


def _gaze(
    random: np.random.Generator, time: Doubles, head: Doubles, turns: Sequence[float], style: MotionStyle
) -> tuple[list[float], Doubles]:
    """Glances and what they fix: the camera, however the head is turned, or something aside.

    Returns:
        When the large glances begin, and the gaze T×2.
    """
    # The eyes leave before the head.
    onsets = sorted([*sample_onsets(random, time, style.glance), *(turn - 0.08 for turn in turns)])
    targets = []
    for _ in onsets:
        if random.random() < style.contact:
            targets.append((REFLEX, *random.normal(0, 0.02, 2)))
        else:
            aside = random.uniform(-1, 1, 2) * (0.45, 0.25)
            targets.append((sample_uniform(random, (0.0, 0.5)), *aside))
    sizes = np.abs(np.diff(targets, axis=0, prepend=np.zeros((1, 3)))[:, 1:]).max(axis=1, initial=0)
    # A saccade takes 20 ms and 2 ms more for each degree.
    fixed = interpolate_levels(time, onsets, 0.03 + 0.002 * np.degrees(sizes), targets)
    pitch, yaw = head[:, 0], head[:, 1]
    # Positive yaw faces the image's left, positive pitch its bottom.
    gaze = fixed[:, 1:] + fixed[:, :1] * np.stack((yaw, -pitch), axis=1)
    large = [onset for onset, size in zip(onsets, sizes, strict=True) if size > LARGE_GLANCE]
    return large, np.array(GAZE_LIMITS) * np.tanh(gaze / GAZE_LIMITS)


def _blinks(
    random: np.random.Generator, time: Doubles, style: MotionStyle, glances: Sequence[float]
) -> Doubles:
    """How far the lids are closed, T in 0..1."""
    doubling, going_with, depths = random.spawn(3)
    onsets = list(sample_onsets(random, time, style.blink))
    onsets += [onset + CLOSE + SHUT + OPEN + 0.05 for onset in onsets if doubling.random() < 0.15]
    onsets += [glance for glance in glances if going_with.random() < 0.35]
    closed, free = np.zeros_like(time), -np.inf
    for onset in sorted(onsets):
        depth = sample_uniform(depths, (0.85, 1.0))
        if onset >= free:
            where, shape = pulse(time, onset, CLOSE, SHUT, OPEN)
            closed[where] = depth * shape
            free = onset + CLOSE + SHUT + OPEN
    return closed
