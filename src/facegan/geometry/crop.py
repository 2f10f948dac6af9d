"""The paper's crop: a square that holds the interocular center at a fixed place.

The square has one side for a whole track and translates with the face, without rotation. Positions are
pixels of the frame with (0, 0) the center of its top left pixel, as everywhere; the square itself
is measured from the frame's corner, so that the one of (0, 0, 64) covers the pixels 0 to 63.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from facegan.geometry.landmarks import interocular_center
from facegan.geometry.segmentation import argmax_labels, one_hot_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

EYES = (0.5, 0.42)
"""Position of the interocular center in the square, as a fraction of its side."""
SIDE = 2.0
"""Side of the square as a multiple of the face's extent."""


@dataclass(frozen=True)
class Crop:
    """A square region of a frame.

    Attributes:
        x: left edge in pixels, from the frame's left edge.
        y: upper edge in pixels, from the frame's upper edge.
        side: in pixels.
    """

    x: float
    y: float
    side: float

    @classmethod
    def for_face(cls, landmarks: NDArray[np.floating]) -> Crop:
        """Compute the crop of a face in a single image.

        Args:
            landmarks: 68×2 in pixels of the frame.
        """
        return cls.around(landmarks, SIDE * max(landmark_extent(landmarks)))

    @classmethod
    def around(cls, landmarks: NDArray[np.floating], side: float) -> Crop:
        """Place a square of a given side around a face.

        Args:
            landmarks: 68×2 in pixels of the frame.
            side: in pixels, see :func:`track_side`.
        """
        x, y = interocular_center(landmarks) + 0.5 - side * np.array(EYES)
        return cls(float(x), float(y), float(side))

    def to_crop(self, points: NDArray[np.floating], size: int) -> NDArray[np.float32]:
        """Map positions in the frame to positions in the cropped image.

        Args:
            points: ...×2 in pixels of the frame, or ...×3: a depth is scaled alike.
            size: side of the cropped image in pixels.
        """
        scale = size / self.side
        result = np.array(points, dtype=np.float64) * scale
        result[..., :2] += (0.5 - np.array((self.x, self.y))) * scale - 0.5
        return result.astype(np.float32)

    def to_frame(self, points: NDArray[np.floating], size: int) -> NDArray[np.float32]:
        """Map positions in the cropped image to positions in the frame, the inverse of :meth:`to_crop`."""
        scale = self.side / size
        result = np.array(points, dtype=np.float64) * scale
        result[..., :2] += np.array((self.x, self.y)) + 0.5 * scale - 0.5
        return result.astype(np.float32)

    def cut(self, image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """Crop an image with subpixel accuracy; beyond the frame its border is replicated.

        Args:
            image: H×W×C frame.
            size: side of the result in pixels.

        Returns:
            size×size×C.
        """
        return self._sample(image, size, cv2.INTER_CUBIC)

    def cut_labels(self, labels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """Crop a segmentation, H×W to size×size; each pixel gets the label that covers most of it."""
        return argmax_labels(self._sample(one_hot_labels(labels), size, cv2.INTER_LINEAR))

    def _sample(self, image: NDArray[np.uint8], size: int, interpolation: int) -> NDArray[np.uint8]:
        # Sampled no coarser than the frame, then averaged in whole blocks: exact in place, and no
        # aliasing when a large face becomes a small image.
        fine = size * max(1, math.ceil(self.side / size))
        step = self.side / fine
        offset_x, offset_y = (edge + 0.5 * step - 0.5 for edge in (self.x, self.y))
        sampled = cv2.warpAffine(
            image,
            np.array([[step, 0, offset_x], [0, step, offset_y]]),
            (fine, fine),
            flags=interpolation | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if fine > size:
            sampled = cv2.resize(sampled, (size, size), interpolation=cv2.INTER_AREA)
        return sampled.astype(np.uint8, copy=False)


def landmark_extent(landmarks: NDArray[np.floating]) -> tuple[float, float]:
    """Compute width and height of the bounding box of 68×2 landmarks, in their unit."""
    width, height = np.ptp(landmarks, axis=-2)
    return float(width), float(height)


def track_side(extents: NDArray[np.floating]) -> float:
    """Compute the side of a track's crops from the median extent of its faces.

    Args:
        extents: N, in each frame the larger of the face's width and height, in pixels.
    """
    return SIDE * float(np.median(extents))
