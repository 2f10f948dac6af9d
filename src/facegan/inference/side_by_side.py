"""Source, driver, landmarks and result in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from facegan.geometry.crop import Crop, landmark_extent
from facegan.geometry.landmarks import CLOSED_CONTOURS, OPEN_CONTOURS, denormalize_points
from facegan.io.image_grid import make_image_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST, LARGEST = 256, 720
"""Sides of a panel in pixels; between them it is the result's own."""
INK = (255, 255, 255)
AROUND = 3.0
"""Side of a close-up as a multiple of the face's extent."""
FRACTION = 4
"""Bits of a pixel's fraction in OpenCV's drawing."""


def side_by_side(
    source: NDArray[np.uint8],
    driver: NDArray[np.uint8] | None,
    landmarks: NDArray[np.float32],
    result: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Draws them with their titles; sides are even.

    Args:
        source: the picture to be moved, H×W×3, each of any size.
        driver: the driver's frame, if there is one.
        landmarks: l_t, 68×2 in -1..1.
        result: the moved picture.
    """
    size = min(max(SMALLEST, *result.shape[:2]), LARGEST)
    panels = {
        "source": source,
        "driver": driver,
        "landmarks": draw_contours(landmarks, size),
        "result": result,
    }
    shown = {title: _fit(picture, size) for title, picture in panels.items() if picture is not None}
    return make_image_grid(np.stack(list(shown.values()))[None], list(shown))


def close_up(frame: NDArray[np.uint8], landmarks: NDArray[np.float32] | None) -> NDArray[np.uint8]:
    """The frame; if the face (landmarks 68×2 in pixels) is small in it, the square around the face."""
    if landmarks is None:
        return frame
    side = AROUND * max(landmark_extent(landmarks))
    if side >= min(frame.shape[:2]):
        return frame
    return Crop.around(landmarks, side).cut(frame, max(1, round(side)))


def draw_contours(landmarks: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Landmarks (68×2 in -1..1) as lines on black, size×size×3."""
    picture = np.zeros((size, size, 3), np.uint8)
    points = np.rint(denormalize_points(landmarks, size) * 2**FRACTION).astype(np.int32)
    for contours, closed in ((OPEN_CONTOURS, False), (CLOSED_CONTOURS, True)):
        lines = [points[list(contour)] for contour in contours]
        cv2.polylines(picture, lines, closed, INK, max(1, size // 128), cv2.LINE_AA, FRACTION)
    return picture


def _fit(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The whole picture in a square, with white where it does not reach."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    square = np.full((size, size, 3), 255, np.uint8)
    top, left = (size - shape[1]) // 2, (size - shape[0]) // 2
    square[top : top + shape[1], left : left + shape[0]] = small
    return square
