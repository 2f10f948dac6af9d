"""The sliders of the edit panel: one for each motion parameter, grouped by facial region."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facegan.geometry.motion import MOTION_NAMES, POSE_ANGLES, POSE_SCALE

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

MAX_ANGLE = 35.0
"""Degrees to either side; beyond them a single image shows too little of the face."""
MAX_RANDOM_ANGLE = 20.0
MAX_RANDOM_UNITS = 4

_ACTION_UNITS = {
    "Brows": {"AU01": "Inner brow raiser", "AU02": "Outer brow raiser", "AU04": "Brow lowerer"},
    "Eyes": {"AU05": "Upper lid raiser", "AU06": "Cheek raiser", "AU07": "Lid tightener", "AU45": "Blink"},
    "Nose": {"AU09": "Nose wrinkler"},
    "Mouth": {
        "AU12": "Lip corner puller",
        "AU14": "Dimpler",
        "AU15": "Lip corner depressor",
        "AU10": "Upper lip raiser",
        "AU17": "Chin raiser",
        "AU20": "Lip stretcher",
        "AU23": "Lip tightener",
        "AU25": "Lips part",
        "AU26": "Jaw drop",
    },
}
"""Names in FACS by facial region."""


@dataclass(frozen=True)
class MotionSlider:
    """One slider: an action unit in 0..1, where 1 is OpenFace's intensity 5, or an angle in degrees."""

    name: str
    """In :data:`facegan.geometry.motion.MOTION_NAMES`."""
    label: str
    minimum: float = 0.0
    maximum: float = 1.0
    step: float = 0.01


SLIDER_GROUPS: dict[str, tuple[MotionSlider, ...]] = {
    region: tuple(MotionSlider(name, f"{name} {title}") for name, title in units.items())
    for region, units in _ACTION_UNITS.items()
} | {
    "Head pose": tuple(
        MotionSlider(name, f"{name.capitalize()} (°)", -MAX_ANGLE, MAX_ANGLE, 1.0) for name in POSE_ANGLES
    )
}
SLIDERS: tuple[MotionSlider, ...] = tuple(slider for group in SLIDER_GROUPS.values() for slider in group)
"""In the order of the page."""


def motion_to_slider_values(motion: Tensor) -> list[float]:
    """Convert 20 motion parameters to values of :data:`SLIDERS`, rounded and limited to their ranges."""
    values = []
    for slider in SLIDERS:
        value = float(motion[MOTION_NAMES.index(slider.name)])
        if slider.name in POSE_ANGLES:
            value = math.degrees(value * POSE_SCALE)
        value = min(max(value, slider.minimum), slider.maximum)
        values.append(round(round(value / slider.step) * slider.step, 2))
    return values


def sample_slider_values(generator: np.random.Generator) -> list[float]:
    """Sample a random pose and the intensities of one to four random action units; the others are zero."""
    units = [slider.name for slider in SLIDERS if slider.name not in POSE_ANGLES]
    active = set(
        generator.choice(units, generator.integers(1, MAX_RANDOM_UNITS, endpoint=True), replace=False)
    )
    values = []
    for slider in SLIDERS:
        if slider.name in POSE_ANGLES:
            values.append(float(round(generator.uniform(-MAX_RANDOM_ANGLE, MAX_RANDOM_ANGLE))))
        else:
            values.append(round(generator.uniform(0.3, 1), 2) if slider.name in active else 0.0)
    return values
