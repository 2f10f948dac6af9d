"""Centroid tracker: which face of this frame is which face of the frames before."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from facegan.geometry.crop import Crop, extent
from facegan.io.shot_boundary import ShotBoundaryDetector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

AHEAD = 0.2
"""Seconds for which a face is taken to move on as it did; heads turn back sooner or later."""
OTHER = 20.0
"""Mean difference, of 255, of two looks that may be two people's; those of one stay below 6 mostly."""
LOOK = 8
"""Side of a look in pixels: coarse, so that a moving mouth and eyes count little."""
LOOK_SIDE = 1.2
"""The same as a multiple of the face's extent."""


@dataclass
class _Track:
    id: int
    centroid: NDArray[np.floating]
    size: float
    time: float
    velocity: NDArray[np.floating] = field(default_factory=partial(np.zeros, 2))
    look: ShotBoundaryDetector = field(default_factory=partial(ShotBoundaryDetector, OTHER))

    def place(self, time: float) -> NDArray[np.floating]:
        """Where the face should be now."""
        expected: NDArray[np.floating] = self.centroid + self.velocity * min(time - self.time, AHEAD)
        return expected

    def move(self, centroid: NDArray[np.floating], size: float, time: float) -> None:
        now = (centroid - self.centroid) / (time - self.time)
        self.velocity = (self.velocity + now) / 2
        self.centroid, self.size, self.time = centroid, size, time


class CentroidTracker:
    """Gives faces of successive frames track ids, 0, 1, 2 … in the order of their appearance.

    Faces and open tracks are matched so that the distances from where the tracks should be by now, at the
    speed they had, sum up least; a pair that is too far apart, or too different in size, is no match, and
    the face opens a new track. So does a face that takes the place of another from one sighting to the
    next, as detectors let it happen where people pass before each other.

    Args:
        max_distance: how far from its expected place a face may be, in face sizes.
        max_ratio: by which factor its size may change.
        max_age: seconds after which an unseen track ends.
    """

    def __init__(self, max_distance: float = 0.5, max_ratio: float = 1.5, max_age: float = 0.5) -> None:
        self.max_distance = max_distance
        self.max_ratio = max_ratio
        self.max_age = max_age
        self._open: list[_Track] = []
        self._count = 0
        self._company = False

    def reset(self) -> None:
        """Ends all tracks, as at a cut."""
        self._open = []
        self._company = False

    def update(
        self,
        centroids: NDArray[np.floating],
        sizes: NDArray[np.floating],
        time: float,
        looks: Sequence[NDArray[np.uint8]] | None = None,
    ) -> list[int]:
        """Takes the faces of the next frame.

        Args:
            centroids: N×2 in pixels.
            sizes: N, in pixels.
            time: seconds, increasing.
            looks: of each face what :func:`look` gives, to notice that it is another's; they count only
                once two faces were seen together, since nobody takes the place of a person who is alone.

        Returns:
            N track ids.
        """
        self._open = [track for track in self._open if time - track.time <= self.max_age]
        self._company = self._company or len(centroids) > 1
        tracks = self._matches(centroids, sizes, time)
        for face, (centroid, size) in enumerate(zip(centroids, sizes.tolist(), strict=True)):
            if face in tracks:
                tracks[face].move(centroid, size, time)
            else:
                tracks[face] = _Track(self._new_id(), centroid, size, time)
                self._open.append(tracks[face])
            if looks is not None and tracks[face].look.update(looks[face]) and self._company:
                tracks[face].id = self._new_id()
        return [tracks[face].id for face in range(len(centroids))]

    def _new_id(self) -> int:
        self._count += 1
        return self._count - 1

    def _matches(
        self, centroids: NDArray[np.floating], sizes: NDArray[np.floating], time: float
    ) -> dict[int, _Track]:
        """Face to open track."""
        if not len(centroids) or not self._open:
            return {}
        # Half a second to import: not for a single picture.
        from scipy.optimize import linear_sum_assignment

        known_sizes = np.array([track.size for track in self._open])
        places = np.stack([track.place(time) for track in self._open])
        larger = np.maximum(sizes[:, None], known_sizes)
        ratio = larger / np.minimum(sizes[:, None], known_sizes)
        distance = np.linalg.norm(centroids[:, None] - places, axis=-1) / larger
        allowed = (distance <= self.max_distance) & (ratio <= self.max_ratio)
        # Finite, so that a solution exists, but dearer than any set of allowed pairs.
        cost = np.where(allowed, distance, 1 + distance.max() * len(centroids))
        pairs = zip(*linear_sum_assignment(cost), strict=True)
        return {int(face): self._open[track] for face, track in pairs if allowed[face, track]}


def look(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """What a face looks like from afar, for :meth:`CentroidTracker.update`.

    Args:
        image: H×W×3 frame.
        landmarks: 68×2 in its pixels.
    """
    square = Crop.around(landmarks, LOOK_SIDE * max(extent(landmarks)))
    corner, limit = np.array((square.x, square.y)), np.array(image.shape[1::-1])
    low = np.rint(corner).astype(int).clip(0, limit - 1)
    high = np.rint(corner + square.side).astype(int).clip(low + 1, limit)
    small = cv2.resize(image[low[1] : high[1], low[0] : high[0]], (LOOK, LOOK), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)
