"""Hard cuts: frames that have nothing to do with the frame before."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 16.0
"""Mean difference of two small pictures, of 255, that may be a cut; talking heads stay below 5."""
FACTOR = 4.0
"""By which a cut stands out of the differences before it: a moving camera makes large ones all the time."""
MEMORY = 8
"""Differences that are remembered."""


class ShotBoundaryDetector:
    """Tells cuts from movement, by small pictures of successive frames.

    Args:
        least: mean difference, of 255, that may be a cut.
    """

    def __init__(self, least: float = LEAST) -> None:
        self._least = least
        self._last: NDArray[np.float32] | None = None
        self._before: deque[float] = deque(maxlen=MEMORY)

    def update(self, thumbnail: NDArray[np.uint8]) -> bool:
        """Takes the next frame.

        Args:
            thumbnail: the whole of what is watched, h×w×3, of one small size.

        Returns:
            Whether there is a cut before it.
        """
        current = thumbnail.astype(np.float32)
        last, self._last = self._last, current
        if last is None:
            return False
        difference = float(np.abs(current - last).mean())
        usual = float(np.median(self._before)) if self._before else 0.0
        if difference > max(self._least, FACTOR * usual):
            self._before.clear()
            return True
        self._before.append(difference)
        return False
