"""Associate the faces of successive frames to tracks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from facegan.geometry.crop import Crop, landmark_extent
from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.io.shot_boundary import ShotBoundaryDetector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_SIZE_RATIO = 1.5
"""Change of a face's extent from one frame of a video to the next, as a factor, at most."""
MAX_EXTRAPOLATION = 0.2
"""Seconds for which a track is extrapolated at its last velocity; heads turn back sooner or later."""
IDENTITY_CHANGE = 20.0
"""Mean difference, of 255, of two appearance descriptors that may be two people's; those of one person
stay below 6 mostly."""
DESCRIPTOR_SIZE = 8
"""Side of an appearance descriptor in pixels: coarse, so that a moving mouth and eyes count little."""
DESCRIPTOR_EXTENT = 1.2
"""Side of the described square as a multiple of the face's extent."""


class HasLandmarks(Protocol):
    """A detected face."""

    @property
    def landmarks(self) -> NDArray[np.float32]:
        """68×2 in pixels of the frame."""
        ...


@dataclass
class _Track:
    id: int
    centroid: NDArray[np.floating]
    extent: float
    time: float
    velocity: NDArray[np.floating] = field(default_factory=partial(np.zeros, 2))
    appearance: ShotBoundaryDetector = field(default_factory=partial(ShotBoundaryDetector, IDENTITY_CHANGE))

    def predict(self, time: float) -> NDArray[np.floating]:
        """Extrapolate the centroid at the track's velocity."""
        predicted: NDArray[np.floating] = self.centroid + self.velocity * min(
            time - self.time, MAX_EXTRAPOLATION
        )
        return predicted

    def move(self, centroid: NDArray[np.floating], extent: float, time: float) -> None:
        velocity = (centroid - self.centroid) / (time - self.time)
        self.velocity = (self.velocity + velocity) / 2
        self.centroid, self.extent, self.time = centroid, extent, time


class CentroidTracker:
    """Track faces by centroid: assign ids 0, 1, 2 … in the order of appearance.

    Faces are assigned to the predicted centroids of the open tracks (constant velocity) by the Hungarian
    algorithm, as in SORT (Bewley et al., 2016). A pair that is too far apart or too different in size is no
    match; its face opens a new track. So does a face whose appearance changes abruptly from one detection to
    the next, which happens where people pass in front of each other.

    Args:
        max_distance: largest distance from the predicted centroid, in face extents.
        max_ratio: largest change of the extent, as a factor.
        max_age: seconds without detection after which a track ends.
    """

    def __init__(
        self, max_distance: float = 0.5, max_ratio: float = MAX_SIZE_RATIO, max_age: float = 0.5
    ) -> None:
        self.max_distance = max_distance
        self.max_ratio = max_ratio
        self.max_age = max_age
        self._open: list[_Track] = []
        self._count = 0
        self._several_people = False

    def reset(self) -> None:
        """End all tracks, as at a shot boundary; ids go on counting."""
        self._open = []
        self._several_people = False

    def update(self, faces: Sequence[HasLandmarks], image: NDArray[np.uint8], time: float) -> list[int]:
        """Assign the faces of the next frame to tracks.

        Args:
            faces: N detected faces.
            image: the frame, H×W×3.
            time: seconds, increasing.

        Returns:
            N track ids.
        """
        points = np.array([face.landmarks for face in faces], np.float32).reshape(-1, NUM_LANDMARKS, 2)
        extents = np.ptp(points, axis=1).max(axis=1)
        descriptors = [appearance_descriptor(image, landmarks) for landmarks in points]
        return self.assign(points.mean(axis=1), extents, time, descriptors)

    def assign(
        self,
        centroids: NDArray[np.floating],
        extents: NDArray[np.floating],
        time: float,
        descriptors: Sequence[NDArray[np.uint8]] | None = None,
    ) -> list[int]:
        """Assign faces that are given by position and size.

        Args:
            centroids: N×2 in pixels.
            extents: N, the larger of width and height in pixels.
            time: seconds, increasing.
            descriptors: N appearance descriptors. They count only after two faces were detected in one
                frame of the shot: nobody takes the place of a person who is alone.

        Returns:
            N track ids.
        """
        self._open = [track for track in self._open if time - track.time <= self.max_age]
        self._several_people = self._several_people or len(centroids) > 1
        tracks = self._match(centroids, extents, time)
        for face, (centroid, extent) in enumerate(zip(centroids, extents.tolist(), strict=True)):
            if face in tracks:
                tracks[face].move(centroid, extent, time)
            else:
                tracks[face] = _Track(self._new_id(), centroid, extent, time)
                self._open.append(tracks[face])
            if descriptors is not None:
                changed = tracks[face].appearance.update(descriptors[face])
                if changed and self._several_people:
                    tracks[face].id = self._new_id()
        return [tracks[face].id for face in range(len(centroids))]

    def _new_id(self) -> int:
        self._count += 1
        return self._count - 1

    def _match(
        self, centroids: NDArray[np.floating], extents: NDArray[np.floating], time: float
    ) -> dict[int, _Track]:
        """Map indices of faces to open tracks."""
        if not len(centroids) or not self._open:
            return {}
        # Half a second to import: not for a single image.
        from scipy.optimize import linear_sum_assignment

        track_extents = np.array([track.extent for track in self._open])
        predicted = np.stack([track.predict(time) for track in self._open])
        larger = np.maximum(extents[:, None], track_extents)
        ratio = larger / np.minimum(extents[:, None], track_extents)
        distance = np.linalg.norm(centroids[:, None] - predicted, axis=-1) / larger
        allowed = (distance <= self.max_distance) & (ratio <= self.max_ratio)
        # Finite, so that a solution exists, but more expensive than any set of allowed pairs.
        cost = np.where(allowed, distance, 1 + distance.max() * len(centroids))
        pairs = zip(*linear_sum_assignment(cost), strict=True)
        return {int(face): self._open[track] for face, track in pairs if allowed[face, track]}


def appearance_descriptor(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Compute a thumbnail of a face, by which a change of person is noticed.

    Args:
        image: H×W×3 frame.
        landmarks: 68×2 in its pixels.

    Returns:
        8×8×3.
    """
    square = Crop.around(landmarks, DESCRIPTOR_EXTENT * max(landmark_extent(landmarks)))
    corner, limit = np.array((square.x, square.y)), np.array(image.shape[1::-1])
    low = np.rint(corner).astype(int).clip(0, limit - 1)
    high = np.rint(corner + square.side).astype(int).clip(low + 1, limit)
    region = image[low[1] : high[1], low[0] : high[0]]
    size = (DESCRIPTOR_SIZE, DESCRIPTOR_SIZE)
    return np.asarray(cv2.resize(region, size, interpolation=cv2.INTER_AREA), np.uint8)
