"""Estimate the head's rotation from a face mesh.

MediaPipe fits its canonical face to the mesh under a camera that sees the whole image, so that the angles
of one and the same face depend on where in the image it is and how large: by 20 degrees of yaw at the
edge of a wide one. The same fit (MediaPipe's face geometry module, ``geometry_pipeline.cc``) is made here
in a square around the face, that of :class:`facegan.geometry.crop.Crop`, so that a frame and the crop of it
give the same angles.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from facegan.geometry.crop import EYES, SIDE
from facegan.geometry.landmarks import interocular_center, landmarks_from_mesh

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIELD_OF_VIEW = math.radians(63)
"""Vertical field of view of MediaPipe's camera."""
CANONICAL_FACE = Path(__file__).with_name("canonical_face.npz")
"""Vertices 468×3 in cm (x right, y up, z towards the camera) and Procrustes weights, 468."""
_TO_OPENFACE = np.diag([1.0, -1.0, -1.0])
"""From MediaPipe's axes to OpenFace's (x right, y down, z away from the camera)."""


class HeadPose:
    """Fit MediaPipe's canonical face to meshes."""

    def __init__(self) -> None:
        with np.load(CANONICAL_FACE) as data:
            vertices, weights = data["vertices"].astype(np.float64), data["weights"].astype(np.float64)
        self._weights = (weights / weights.sum())[:, None]
        self._vertices = vertices - (self._weights * vertices).sum(axis=0)

    def __call__(self, mesh: NDArray[np.floating]) -> NDArray[np.float64]:
        """Estimate the head's rotation, 3×3, with x right, y up, z towards the camera.

        Args:
            mesh: 478×3 in pixels, x right, y down, z away from the camera.
        """
        points = landmarks_from_mesh(mesh)
        side = SIDE * float(np.ptp(points, axis=0).max())
        normalized = mesh / side
        normalized[:, :2] += np.array(EYES) - interocular_center(points) / side
        return self.fit(normalized, 1.0)

    def fit(self, mesh: NDArray[np.floating], aspect: float) -> NDArray[np.float64]:
        """Estimate the rotation as MediaPipe does, under a camera that sees the whole image.

        Args:
            mesh: 478×3; x and y as fractions of the image, z in x's unit.
            aspect: width over height of the image.
        """
        height = 2 * math.tan(FIELD_OF_VIEW / 2)
        width = aspect * height
        screen = np.array(mesh[: len(self._vertices)], np.float64)
        screen[:, 1] = 1 - screen[:, 1]
        screen = screen * (width, height, width) - (width / 2, height / 2, 0)
        first = self._align(screen * (1, 1, -1)).scale
        second = self._align(_unproject(screen, first)).scale
        return self._align(_unproject(screen, first * second)).rotation

    def _align(self, points: NDArray[np.float64]) -> _Similarity:
        """Weighted Procrustes analysis: the scaled rotation of the canonical face nearest to the points."""
        left, _, right = np.linalg.svd((points * self._weights).T @ self._vertices)
        if np.linalg.det(left) * np.linalg.det(right) < 0:
            left[:, 2] *= -1
        rotation = left @ right
        numerator = (self._weights * (self._vertices @ rotation.T) * points).sum()
        return _Similarity(rotation, float(numerator / (self._weights * self._vertices**2).sum()))


class _Similarity(NamedTuple):
    rotation: NDArray[np.float64]
    scale: float


def head_angles(rotation: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Decompose a head's rotation into OpenFace's pitch, yaw and roll: R = Rx(pitch) Ry(yaw) Rz(roll).

    Args:
        rotation: 3×3, possibly scaled, in MediaPipe's axes: x right, y up, z towards the camera.

    Returns:
        3 angles in radians, with x right, y down, z away from the camera.
    """
    # By hand: importing SciPy's rotations takes a quarter of a second at every start.
    matrix = _TO_OPENFACE @ (rotation / np.cbrt(np.linalg.det(rotation))) @ _TO_OPENFACE
    pitch = np.arctan2(-matrix[1, 2], matrix[2, 2])
    yaw = np.arcsin(np.clip(matrix[0, 2], -1, 1))
    roll = np.arctan2(-matrix[0, 1], matrix[0, 0])
    return np.array([pitch, yaw, roll], np.float32)


def _unproject(screen: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Unproject points of the screen to space, for a face of 1/scale of its natural size."""
    depth = (screen[:, 2] - screen[:, 2].mean() + 1) / scale
    return np.stack((screen[:, 0] * depth, screen[:, 1] * depth, -depth), axis=1)
