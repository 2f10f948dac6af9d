"""The motion vector: 17 action units and 3 head angles, the 20 numbers that drive a face.

An action unit is stored as its OpenFace intensity (0..5) divided by 5, an angle in radians
divided by 0.70, so that a neutral, frontal face is all zeros. Angles have OpenFace's signs
(camera looks along +z, y down): pitch (pose_Rx) grows when the head nods down, yaw (pose_Ry) when
it turns towards the picture's left, roll (pose_Rz) when it tilts clockwise in the picture.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTION_UNITS: tuple[str, ...] = (
    *("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12"),
    *("AU14", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26", "AU45"),
)
ANGLES: tuple[str, ...] = ("pitch", "yaw", "roll")
NAMES: tuple[str, ...] = ACTION_UNITS + ANGLES
SIZE = len(NAMES)

INTENSITY_SCALE = 5.0
ANGLE_SCALE = 0.70


def from_openface(intensities: Tensor, angles: Tensor) -> Tensor:
    """OpenFace's units to a motion vector.

    Args:
        intensities: ...×17, action units in 0..5.
        angles: ...×3, pitch, yaw and roll in radians.

    Returns:
        ...×20.
    """
    return torch.cat((intensities / INTENSITY_SCALE, angles / ANGLE_SCALE), dim=-1)


def to_openface(motion: Tensor) -> tuple[Tensor, Tensor]:
    """Inverse of :func:`from_openface`: intensities ...×17 in 0..5 and angles ...×3 in radians."""
    count = len(ACTION_UNITS)
    return motion[..., :count] * INTENSITY_SCALE, motion[..., count:] * ANGLE_SCALE


def flip(motion: Tensor) -> Tensor:
    """Motion of the mirrored face: yaw and roll change their sign; the units have no side."""
    signs = motion.new_ones(SIZE)
    signs[[NAMES.index("yaw"), NAMES.index("roll")]] = -1
    return motion * signs


def edit(motion: Tensor, values: Mapping[str, float]) -> Tensor:
    """Sets named numbers of a motion vector.

    Args:
        motion: ...×20.
        values: name to value: action units as 0..1 (a fifth of OpenFace's intensity), angles in degrees.

    Returns:
        A changed copy.

    Raises:
        InputError: for a name that is not one of the 20.
    """
    edited = motion.clone()
    for name, value in values.items():
        if name not in NAMES:
            msg = f"unknown motion {name!r}: choose from {', '.join(NAMES)}"
            raise InputError(msg)
        edited[..., NAMES.index(name)] = math.radians(value) / ANGLE_SCALE if name in ANGLES else value
    return edited
