"""The sliders of the edit panel: one for each motion parameter, grouped by facial region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facegan.geometry.motion import MOTION_NAMES, POSE_ANGLES, POSE_SCALE

if TYPE_CHECKING:
    from torch import Tensor

MAX_ANGLE = 35.0
"""Degrees to either side; beyond them a single image shows too little of the face."""
MAX_RANDOM_ANGLE = 20.0
MAX_RANDOM_UNITS = 4


@dataclass(frozen=True)
class MotionSlider:
    """One slider: an action unit in 0..1, where 1 is OpenFace's intensity 5, or an angle in degrees."""

    name: str
    """In :data:`facegan.geometry.motion.MOTION_NAMES`."""
    title: str
    """The action unit's name in FACS."""

    @property
    def is_angle(self) -> bool:
        """Whether it sets an angle of the head pose."""
        return self.name in POSE_ANGLES

    @property
    def label(self) -> str:
        """Text above the slider."""
        return f"{self.title} (°)" if self.is_angle else f"{self.name} {self.title}"

    @property
    def minimum(self) -> float:
        """Least value."""
        return -MAX_ANGLE if self.is_angle else 0.0

    @property
    def maximum(self) -> float:
        """Greatest value."""
        return MAX_ANGLE if self.is_angle else 1.0

    @property
    def step(self) -> float:
        """Distance of two values."""
        return 1.0 if self.is_angle else 0.01


SLIDER_GROUPS: dict[str, tuple[MotionSlider, ...]] = {
    "Brows": (
        MotionSlider("AU01", "Inner brow raiser"),
        MotionSlider("AU02", "Outer brow raiser"),
        MotionSlider("AU04", "Brow lowerer"),
    ),
    "Eyes": (
        MotionSlider("AU05", "Upper lid raiser"),
        MotionSlider("AU06", "Cheek raiser"),
        MotionSlider("AU07", "Lid tightener"),
        MotionSlider("AU45", "Blink"),
    ),
    "Nose": (MotionSlider("AU09", "Nose wrinkler"),),
    "Mouth": (
        MotionSlider("AU12", "Lip corner puller"),
        MotionSlider("AU14", "Dimpler"),
        MotionSlider("AU15", "Lip corner depressor"),
        MotionSlider("AU10", "Upper lip raiser"),
        MotionSlider("AU17", "Chin raiser"),
        MotionSlider("AU20", "Lip stretcher"),
        MotionSlider("AU23", "Lip tightener"),
        MotionSlider("AU25", "Lips part"),
        MotionSlider("AU26", "Jaw drop"),
    ),
    "Head pose": (
        MotionSlider("pitch", "Pitch"),
        MotionSlider("yaw", "Yaw"),
        MotionSlider("roll", "Roll"),
    ),
}
SLIDERS: tuple[MotionSlider, ...] = tuple(slider for group in SLIDER_GROUPS.values() for slider in group)
"""In the order of the page."""


def motion_to_slider_values(motion: Tensor) -> list[float]:
    """Convert 20 motion parameters to values of :data:`SLIDERS`, rounded and limited to their ranges."""
    values = []
    for slider in SLIDERS:
        value = float(motion[MOTION_NAMES.index(slider.name)])
        if slider.is_angle:
            value = float(np.rad2deg(value * POSE_SCALE))
        value = min(max(value, slider.minimum), slider.maximum)
        values.append(round(round(value / slider.step) * slider.step, 2))
    return values


def sample_slider_values(generator: np.random.Generator) -> list[float]:
    """Sample a random pose and the intensities of one to four random action units; the others are zero."""
    units = [slider.name for slider in SLIDERS if not slider.is_angle]
    active = set(
        generator.choice(units, generator.integers(1, MAX_RANDOM_UNITS, endpoint=True), replace=False)
    )
    values = []
    for slider in SLIDERS:
        if slider.is_angle:
            values.append(float(round(generator.uniform(-MAX_RANDOM_ANGLE, MAX_RANDOM_ANGLE))))
        else:
            values.append(round(generator.uniform(0.3, 1), 2) if slider.name in active else 0.0)
    return values
