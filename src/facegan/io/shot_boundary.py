"""Detect shot boundaries (hard cuts)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD = 16.0
"""Mean difference of two thumbnails, of 255, that may be a cut; talking heads stay below 5."""
FACTOR = 4.0
"""Smallest ratio of a cut's difference to the median of those before: a moving camera differs steadily."""
WINDOW = 8
"""Number of differences in the median."""


class ShotBoundaryDetector:
    """Distinguish cuts from motion by the difference of successive thumbnails.

    Args:
        threshold: mean difference, of 255, that may be a cut.
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._last: NDArray[np.float32] | None = None
        self._before: deque[float] = deque(maxlen=WINDOW)

    def update(self, thumbnail: NDArray[np.uint8]) -> bool:
        """Compare the next frame with the one before.

        Args:
            thumbnail: the frame reduced to h×w×3, of one size for all.

        Returns:
            Whether there is a cut before it.
        """
        current = thumbnail.astype(np.float32)
        last, self._last = self._last, current
        if last is None:
            return False
        difference = float(np.abs(current - last).mean())
        usual = float(np.median(self._before)) if self._before else 0.0
        if difference > max(self._threshold, FACTOR * usual):
            self._before.clear()
            return True
        self._before.append(difference)
        return False
