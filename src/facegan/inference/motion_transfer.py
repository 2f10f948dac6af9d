"""What of the driver's motion the source takes over, and how strongly."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import torch

from facegan.errors import InputError
from facegan.geometry.motion import ACTION_UNITS, MOTION_NAMES, POSE_SCALE
from facegan.inference.smoothing import OneEuroFilter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

POSE = slice(len(ACTION_UNITS), None)
EXPRESSION = slice(len(ACTION_UNITS))
LARGEST_ANGLE = 60.0
"""Degrees; data sets have no more."""
LARGEST = math.radians(LARGEST_ANGLE) / POSE_SCALE
SPELLINGS = {name.lower(): name for name in MOTION_NAMES}


@dataclass(frozen=True)
class MotionTransferConfig:
    """How a driver moves a source.

    Attributes:
        relative: add the driver's change against its reference to the source's own motion, in place of
            taking the driver's motion over.
        reference: the driver's first face, or its most neutral one.
        only: take over the expression or the pose alone; the other stays the source's.
        strength: factors of some of the 20 numbers, by name: of the change if relative.
        smooth: calm the driver's motion with a one-euro filter.

    Raises:
        InputError: for a name that is not one of the 20.
    """

    relative: bool = False
    reference: Literal["first", "neutral"] = "first"
    only: Literal["expression", "pose"] | None = None
    strength: Mapping[str, float] = field(default_factory=dict)
    smooth: bool = False

    def __post_init__(self) -> None:
        for name in self.strength:
            if name not in MOTION_NAMES:
                msg = f"unknown motion {name!r}: choose from {', '.join(MOTION_NAMES)}"
                raise InputError(msg)

    def describe(self) -> tuple[str, ...]:
        """In words, what differs from the driver's plain motion."""
        words = []
        if self.relative:
            words.append(f"motion relative to the driver's {self.reference} face")
        if self.only:
            words.append(f"{self.only} only")
        words += [f"{name} × {factor:g}" for name, factor in self.strength.items()]
        if self.smooth:
            words.append("smoothed")
        return tuple(words)


class MotionTransfer:
    """Makes the source's motion of the driver's.

    Args:
        control: how.
        own: the source's own motion, 20 numbers.
        reference: the driver's, where it is at rest; needed if the control is relative.
    """

    def __init__(self, control: MotionTransferConfig, own: Tensor, reference: Tensor | None = None) -> None:
        if control.relative and reference is None:
            msg = "relative motion needs a reference"
            raise ValueError(msg)
        self._control, self._own, self._reference = control, own, reference
        self._filter = OneEuroFilter() if control.smooth else None
        self._factors = torch.tensor([control.strength.get(name, 1.0) for name in MOTION_NAMES])

    def __call__(self, motion: Tensor | None, time: float) -> Tensor:
        """The source's motion, 20 numbers; action units stay in 0..1, angles within 60 degrees.

        Args:
            motion: the driver's, None where it shows no face yet: the source has its own.
            time: seconds, increasing.
        """
        if motion is None:
            return self._own
        if self._filter:
            motion = self._filter(motion, time)
        if self._reference is None:
            target = self._factors * motion
        else:
            target = self._own + self._factors * (motion - self._reference)
        target[EXPRESSION] = target[EXPRESSION].clamp(0, 1)
        target[POSE] = target[POSE].clamp(-LARGEST, LARGEST)
        if self._control.only == "expression":
            target[POSE] = self._own[POSE]
        elif self._control.only == "pose":
            target[EXPRESSION] = self._own[EXPRESSION]
        return target

    @property
    def latency(self) -> float | None:
        """By how many seconds smoothing delayed what moved, on average; None without it."""
        return self._filter.latency if self._filter else None


def parse_settings(texts: Sequence[str]) -> dict[str, float]:
    """``NAME=VALUE`` of the 20 numbers, for example ``AU12=1.5``; small letters will do.

    Raises:
        InputError: if one is not of that form.
    """
    settings = {}
    for text in texts:
        written, _, value = text.partition("=")
        name = SPELLINGS.get(written.lower(), written)
        try:
            settings[name] = float(value)
        except ValueError:
            settings[name] = float("nan")
        if name not in MOTION_NAMES or not abs(settings[name]) < float("inf"):
            msg = f"cannot read {text!r}: write NAME=NUMBER, NAME one of {', '.join(MOTION_NAMES)}"
            raise InputError(msg)
    return settings
