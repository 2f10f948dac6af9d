"""Face measurements of images, whatever method made them: landmarks, motion, gaze, identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from facegan.geometry.motion import ACTION_UNITS, motion_to_openface
from facegan.metrics.eye_metrics import CLOSED_EYE_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


class FaceMeasurements(NamedTuple):
    """Measurements of the faces of N images; not a number where no face is detected."""

    landmarks: Floats
    """N×68×2 in -1..1."""
    motion: Floats
    """Motion parameters, N×20."""
    gaze: Floats
    """Position of the right and left iris in its eye, N×2×2, as for :class:`facegan.metrics.GazeError`."""
    identity: Floats
    """Identity embeddings, N×D."""

    @property
    def detected(self) -> NDArray[np.bool_]:
        """Whether all back ends found a face, N."""
        both = np.isfinite(self.landmarks).all(axis=(1, 2)) & np.isfinite(self.motion).all(axis=1)
        return np.asarray(both)

    @property
    def action_units(self) -> Floats:
        """Action-unit intensities, N×17 in 0..1."""
        return self.motion[:, : len(ACTION_UNITS)]

    @property
    def head_pose(self) -> Floats:
        """Pitch, yaw and roll in radians, N×3."""
        return np.asarray(motion_to_openface(torch.from_numpy(self.motion))[1].numpy())

    @property
    def blink(self) -> Floats:
        """Intensity of AU45, N in 0..1."""
        return self.motion[:, ACTION_UNITS.index("AU45")]

    @property
    def open_eye_gaze(self) -> Floats:
        """The gaze of open eyes, N×2×2; not a number where the eyes are closed."""
        return np.where((self.blink < CLOSED_EYE_THRESHOLD)[:, None, None], self.gaze, np.float32(np.nan))

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> FaceMeasurements:
        """Return the measurements of some images, in the order of the indices."""
        return FaceMeasurements(*(column[indices] for column in self))

    @classmethod
    def concatenate(cls, parts: Iterable[FaceMeasurements]) -> FaceMeasurements:
        """Join the measurements of several sets of images."""
        return cls(*map(np.concatenate, zip(*parts, strict=True)))
