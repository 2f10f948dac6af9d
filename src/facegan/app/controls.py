"""The 20 numbers of a motion as a person would name them, and where on the page they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facegan.geometry.motion import ACTION_UNITS, MOTION_NAMES, POSE_ANGLES, POSE_SCALE
from synthetic_heads import MOTION_STYLES, sample_motion

if TYPE_CHECKING:
    from torch import Tensor

MAX_ANGLE = 35.0
"""Degrees to either side; further round a single photograph shows too little."""
RANDOM_FRAMES = 50
"""Length of the drawn movement that a random expression is taken from, at 25 a second."""


@dataclass(frozen=True)
class MotionTransferConfig:
    """One slider."""

    name: str
    """In :data:`facegan.geometry.motion.NAMES`."""
    title: str
    """In words."""

    @property
    def label(self) -> str:
        """What stands above the slider."""
        return f"{self.title} · {self.name}" + (" (°)" if self.is_angle else "")

    @property
    def is_angle(self) -> bool:
        """Whether it is an angle of the head; else it is an action unit."""
        return self.name in POSE_ANGLES

    @property
    def low(self) -> float:
        """The least value."""
        return -MAX_ANGLE if self.is_angle else 0.0

    @property
    def high(self) -> float:
        """The greatest value: degrees, or 1 for OpenFace's intensity 5."""
        return MAX_ANGLE if self.is_angle else 1.0

    @property
    def step(self) -> float:
        """How finely it moves."""
        return 1.0 if self.is_angle else 0.01


GROUPS: dict[str, tuple[MotionTransferConfig, ...]] = {
    "Brow": (
        MotionTransferConfig("AU01", "Inner brows up"),
        MotionTransferConfig("AU02", "Outer brows up"),
        MotionTransferConfig("AU04", "Brows down"),
    ),
    "Eyes": (
        MotionTransferConfig("AU05", "Eyes wide"),
        MotionTransferConfig("AU06", "Cheeks up"),
        MotionTransferConfig("AU07", "Lids tight"),
        MotionTransferConfig("AU45", "Eyes shut"),
    ),
    "Nose": (MotionTransferConfig("AU09", "Nose wrinkled"),),
    "Mouth": (
        MotionTransferConfig("AU12", "Smile"),
        MotionTransferConfig("AU14", "Dimples"),
        MotionTransferConfig("AU15", "Corners down"),
        MotionTransferConfig("AU10", "Upper lip up"),
        MotionTransferConfig("AU17", "Chin up"),
        MotionTransferConfig("AU20", "Lips stretched"),
        MotionTransferConfig("AU23", "Lips pressed"),
        MotionTransferConfig("AU25", "Lips apart"),
        MotionTransferConfig("AU26", "Jaw open"),
    ),
    "Head": (
        MotionTransferConfig("pitch", "Nod"),
        MotionTransferConfig("yaw", "Turn"),
        MotionTransferConfig("roll", "Tilt"),
    ),
}
CONTROLS: tuple[MotionTransferConfig, ...] = tuple(control for group in GROUPS.values() for control in group)
"""In the order of the page."""


def read(motion: Tensor) -> list[float]:
    """What the sliders show for a motion of 20 numbers, in the order of :data:`CONTROLS`."""
    values = []
    for control in CONTROLS:
        value = float(motion[MOTION_NAMES.index(control.name)])
        if control.is_angle:
            value = float(np.rad2deg(value * POSE_SCALE))
        shown = round(min(max(value, control.low), control.high) / control.step) * control.step
        values.append(round(shown, 2))
    return values


def sample(generator: np.random.Generator) -> Tensor:
    """A random motion of 20 numbers, such as people really make: out of a drawn movement.

    One of the moments with the strongest expressions: most of a movement is nearly at rest.
    """
    import torch

    motion_style = str(generator.choice(sorted(MOTION_STYLES)))
    movement = sample_motion(int(generator.integers(2**31)), RANDOM_FRAMES, 25, motion_style=motion_style)
    motion = np.asarray(movement.motion, np.float32)
    strongest = np.argsort(motion[:, : len(ACTION_UNITS)].sum(axis=1))[-RANDOM_FRAMES // 5 :]
    return torch.from_numpy(motion[int(generator.choice(strongest))])
