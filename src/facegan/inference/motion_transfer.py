"""Transfer of a driving face's motion to the source: absolute or relative, scaled, in part, smoothed."""

from __future__ import annotations

import math
from collections.abc import Mapping  # noqa: TC003  the command line reads the types of MotionTransferConfig
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import torch

from facegan.errors import InputError
from facegan.geometry.motion import ACTION_UNITS, MOTION_NAMES, POSE_SCALE
from facegan.inference.one_euro_filter import OneEuroFilter

if TYPE_CHECKING:
    from torch import Tensor

POSE = slice(len(ACTION_UNITS), None)
EXPRESSION = slice(len(ACTION_UNITS))
MAX_DEGREES = 60.0
"""Largest pose angle; data sets do not have larger ones."""
MAX_POSE = math.radians(MAX_DEGREES) / POSE_SCALE


@dataclass(frozen=True)
class MotionTransferConfig:
    """How the motion of the driving face is transferred to the source.

    Attributes:
        relative: Add the change of the driving motion since its reference to the source's own motion.
        reference: Reference of relative motion: the first face, or the most neutral one.
        only: Transfer only the expression or only the pose; the other stays the source's own.
        strength: Factors of motion parameters, for example AU12=1.5 yaw=0.5; of the change if relative.
        smooth: Smooth the driving motion with a one-euro filter; the delay is reported.

    Raises:
        InputError: if a factor names no motion parameter or is not finite, or a reference is given for
            motion that is not relative.
    """

    relative: bool = False
    reference: Literal["first", "neutral"] = "first"
    only: Literal["expression", "pose"] | None = None
    strength: Mapping[str, float] = field(default_factory=dict)
    smooth: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", normalize_motion_names(self.strength))
        if self.reference != "first" and not self.relative:
            msg = "the reference is that of relative motion: ask for relative motion too"
            raise InputError(msg)

    def describe(self) -> tuple[str, ...]:
        """Describe the differences from plain transfer."""
        words = []
        if self.relative:
            words.append(f"motion relative to the {self.reference} driving face")
        if self.only:
            words.append(f"{self.only} only")
        words += [f"{name} × {factor:g}" for name, factor in self.strength.items()]
        if self.smooth:
            words.append("smoothed")
        return tuple(words)


class MotionTransfer:
    """Map driving motion to the motion of the source.

    Args:
        config: how.
        source_motion: 20, the source's own motion.
        reference: 20, the reference of relative motion; by default the first driving motion.
    """

    def __init__(
        self, config: MotionTransferConfig, source_motion: Tensor, reference: Tensor | None = None
    ) -> None:
        self._config, self._source_motion, self._reference = config, source_motion, reference
        self._filter = OneEuroFilter() if config.smooth else None
        self._factors = torch.tensor([config.strength.get(name, 1.0) for name in MOTION_NAMES])

    def __call__(self, motion: Tensor | None, time: float) -> Tensor:
        """Transfer the motion of the next driving frame.

        Args:
            motion: 20, the driving motion; None before the first face.
            time: time in seconds, increasing.

        Returns:
            20: action units in 0..1, angles within 60 degrees; the source's own motion for None.
        """
        if motion is None:
            return self._source_motion
        smoothed = self._filter(motion, time) if self._filter else motion
        if self._config.relative:
            if self._reference is None:
                self._reference = motion
            target = self._source_motion + self._factors * (smoothed - self._reference)
        else:
            target = self._factors * smoothed
        target[EXPRESSION] = target[EXPRESSION].clamp(0, 1)
        target[POSE] = target[POSE].clamp(-MAX_POSE, MAX_POSE)
        if self._config.only == "expression":
            target[POSE] = self._source_motion[POSE]
        elif self._config.only == "pose":
            target[EXPRESSION] = self._source_motion[EXPRESSION]
        return target

    @property
    def latency(self) -> float | None:
        """Mean delay by smoothing in seconds; None without smoothing."""
        return self._filter.latency if self._filter else None


def normalize_motion_names(values: Mapping[str, float]) -> dict[str, float]:
    """Return the values by the standard names of the motion parameters (``au12`` becomes ``AU12``).

    Raises:
        InputError: if a name is not that of a motion parameter, or a value is not finite.
    """
    names = {name.lower(): name for name in MOTION_NAMES}
    for name, value in values.items():
        if name.lower() not in names:
            msg = f"unknown motion {name!r}: choose from {', '.join(MOTION_NAMES)}"
            raise InputError(msg)
        if not math.isfinite(value):
            msg = f"{name}={value:g} is not a finite number: give one"
            raise InputError(msg)
    return {names[name.lower()]: value for name, value in values.items()}
