"""The motion vector: 17 action units and 3 head angles, the 20 motion parameters that drive a face.

An action unit is stored as its OpenFace intensity (0..5) divided by 5, an angle in radians
divided by 0.70, so that a neutral, frontal face is all zeros. Angles have OpenFace's signs
(camera looks along +z, y down): pitch (pose_Rx) grows when the head nods down, yaw (pose_Ry) when
it turns towards the image's left, roll (pose_Rz) when it tilts clockwise in the image.
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
POSE_ANGLES: tuple[str, ...] = ("pitch", "yaw", "roll")
MOTION_NAMES: tuple[str, ...] = ACTION_UNITS + POSE_ANGLES
NUM_MOTION_PARAMS = len(MOTION_NAMES)

INTENSITY_SCALE = 5.0
POSE_SCALE = 0.70

ACTION_UNIT_GRID_INTENSITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Values of every action unit in the action-unit grid (experiment 4 of the paper)."""
ACTION_UNIT_GRID_DEGREES = (-30, -15, 0, 15, 30)
"""Values of every pose angle in the same grid."""
ACTION_UNIT_GRID_LABELS = tuple(
    f"{intensity:g} / {degrees}°"
    for intensity, degrees in zip(ACTION_UNIT_GRID_INTENSITIES, ACTION_UNIT_GRID_DEGREES, strict=True)
)
"""Labels of the grid's values: intensity of an action unit / pose angle."""


def motion_from_openface(intensities: Tensor, angles: Tensor) -> Tensor:
    """Convert OpenFace's units to a motion vector.

    Args:
        intensities: ...×17, action units in 0..5.
        angles: ...×3, pitch, yaw and roll in radians.

    Returns:
        ...×20.
    """
    return torch.cat((intensities / INTENSITY_SCALE, angles / POSE_SCALE), dim=-1)


def motion_to_openface(motion: Tensor) -> tuple[Tensor, Tensor]:
    """Invert :func:`motion_from_openface`: intensities ...×17 in 0..5 and angles ...×3 in radians."""
    count = len(ACTION_UNITS)
    return motion[..., :count] * INTENSITY_SCALE, motion[..., count:] * POSE_SCALE


def flip_motion(motion: Tensor) -> Tensor:
    """Mirror a motion: yaw and roll change their sign; the units have no side."""
    signs = motion.new_ones(NUM_MOTION_PARAMS)
    signs[[MOTION_NAMES.index("yaw"), MOTION_NAMES.index("roll")]] = -1
    return motion * signs


def rotation_matrix(motion: Tensor) -> Tensor:
    """Compute the head's rotation R = Rx(pitch) Ry(yaw) Rz(roll), ...×3×3, of ...×20."""
    angles = motion[..., len(ACTION_UNITS) :] * POSE_SCALE
    (sx, sy, sz), (cx, cy, cz) = angles.sin().unbind(dim=-1), angles.cos().unbind(dim=-1)
    rows = (
        (cy * cz, -cy * sz, sy),
        (cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy),
        (sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy),
    )
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def rotate_in_plane(motion: Tensor, angle: float) -> Tensor:
    """Rotate the image plane of a motion: Rz(angle) R.

    Args:
        motion: ...×20.
        angle: in degrees, clockwise in the image.
    """
    radians = torch.tensor(math.radians(angle), dtype=torch.float64)
    sine, cosine, one = radians.sin(), radians.cos(), torch.ones((), dtype=torch.float64)
    zero = 0 * one
    in_plane = torch.stack((cosine, -sine, zero, sine, cosine, zero, zero, zero, one)).reshape(3, 3)
    matrix = in_plane.to(motion.device) @ rotation_matrix(motion.double())
    pitch = torch.atan2(-matrix[..., 1, 2], matrix[..., 2, 2])
    yaw = matrix[..., 0, 2].clamp(-1, 1).asin()
    roll = torch.atan2(-matrix[..., 0, 1], matrix[..., 0, 0])
    angles = torch.stack((pitch, yaw, roll), dim=-1) / POSE_SCALE
    return torch.cat((motion[..., : len(ACTION_UNITS)], angles.to(motion.dtype)), dim=-1)


def edit_motion(motion: Tensor, values: Mapping[str, float]) -> Tensor:
    """Set named parameters of a motion vector.

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
        if name not in MOTION_NAMES:
            msg = f"unknown motion {name!r}: choose from {', '.join(MOTION_NAMES)}"
            raise InputError(msg)
        edited[..., MOTION_NAMES.index(name)] = (
            math.radians(value) / POSE_SCALE if name in POSE_ANGLES else value
        )
    return edited


def build_action_unit_grid(motion: Tensor) -> Tensor:
    """Build the motions of the action-unit grid (experiment 4): each parameter varied alone.

    Args:
        motion: 20, the motion whose other parameters stay.

    Returns:
        20×5×20: for each parameter, in the order of MOTION_NAMES, the motion with the parameter at each of
        the values of ACTION_UNIT_GRID_INTENSITIES, or of ACTION_UNIT_GRID_DEGREES if it is a pose angle.
    """
    values = {name: ACTION_UNIT_GRID_INTENSITIES for name in ACTION_UNITS} | {
        name: ACTION_UNIT_GRID_DEGREES for name in POSE_ANGLES
    }
    rows = [
        torch.stack([edit_motion(motion, {name: value}) for value in values[name]]) for name in MOTION_NAMES
    ]
    return torch.stack(rows)
