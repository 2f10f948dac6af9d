"""Centroid tracker: which face of this frame is which face of the frames before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class _Track:
    id: int
    centroid: NDArray[np.floating]
    size: float
    time: float


class CentroidTracker:
    """Gives faces of successive frames track ids, 0, 1, 2 … in the order of their appearance.

    Faces and open tracks are matched so that the distances sum up least; a pair that is too far apart,
    or too different in size, is no match, and the face opens a new track.

    Args:
        max_distance: how far a face may move between two sightings, in face sizes.
        max_ratio: by which factor its size may change.
        patience: seconds after which an unseen track ends.
    """

    def __init__(self, max_distance: float = 0.5, max_ratio: float = 1.5, patience: float = 0.5) -> None:
        self.max_distance = max_distance
        self.max_ratio = max_ratio
        self.patience = patience
        self._open: list[_Track] = []
        self._count = 0

    def end_all(self) -> None:
        """Ends all tracks, as at a cut."""
        self._open = []

    def update(self, centroids: NDArray[np.floating], sizes: NDArray[np.floating], time: float) -> list[int]:
        """Takes the faces of the next frame.

        Args:
            centroids: N×2 in pixels.
            sizes: N, in pixels.
            time: seconds, increasing.

        Returns:
            N track ids.
        """
        self._open = [track for track in self._open if time - track.time <= self.patience]
        ids = [-1] * len(centroids)
        for face, track in self._matches(centroids, sizes):
            ids[face] = track.id
            track.centroid, track.size, track.time = centroids[face], float(sizes[face]), time
        for face, id_ in enumerate(ids):
            if id_ < 0:
                ids[face] = self._count
                self._open.append(_Track(self._count, centroids[face], float(sizes[face]), time))
                self._count += 1
        return ids

    def _matches(
        self, centroids: NDArray[np.floating], sizes: NDArray[np.floating]
    ) -> list[tuple[int, _Track]]:
        if not len(centroids) or not self._open:
            return []
        known_sizes = np.array([track.size for track in self._open])
        known_centroids = np.stack([track.centroid for track in self._open])
        larger = np.maximum(sizes[:, None], known_sizes)
        ratio = larger / np.minimum(sizes[:, None], known_sizes)
        distance = np.linalg.norm(centroids[:, None] - known_centroids, axis=-1) / larger
        allowed = (distance <= self.max_distance) & (ratio <= self.max_ratio)
        # Finite, so that a solution exists, but dearer than any set of allowed pairs.
        cost = np.where(allowed, distance, 1 + self.max_distance * len(centroids))
        pairs = zip(*linear_sum_assignment(cost), strict=True)
        return [(int(face), self._open[track]) for face, track in pairs if allowed[face, track]]
