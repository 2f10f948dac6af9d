"""Comparison view: source, driving frame, target landmarks and result beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from facegan.geometry.crop import Crop, landmark_extent
from facegan.geometry.landmarks import CLOSED_CONTOURS, OPEN_CONTOURS, denormalize_points
from facegan.io.image_grid import make_image_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_SIDE, MAX_SIDE = 256, 720
"""Limits of the side of a cell in pixels; between them it is that of the result."""
LINE_COLOR = (255, 255, 255)
CROP_SCALE = 3.0
"""Side of the crop around a face as a multiple of the face's extent."""
FRACTION_BITS = 4
"""Fractional bits of coordinates in OpenCV's drawing functions."""


def draw_side_by_side(
    source: NDArray[np.uint8],
    driving: NDArray[np.uint8] | None,
    landmarks: NDArray[np.float32],
    result: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Draw the images in a row with titles.

    Args:
        source: source image, H×W×3, each image of any size.
        driving: driving frame, if there is one.
        landmarks: target landmarks l_t, 68×2 in -1..1.
        result: the result.

    Returns:
        H'×W'×3 with even sides.
    """
    size = min(max(MIN_SIDE, *result.shape[:2]), MAX_SIDE)
    images = {
        "source": source,
        "driving": driving,
        "landmarks": draw_landmark_contours(landmarks, size),
        "result": result,
    }
    cells = {title: _letterbox(image, size) for title, image in images.items() if image is not None}
    return make_image_grid(np.stack(list(cells.values()))[None], list(cells))


def crop_to_face(frame: NDArray[np.uint8], landmarks: NDArray[np.float32] | None) -> NDArray[np.uint8]:
    """Crop the square around a face that is small in its frame; return other frames as they are.

    Args:
        frame: H×W×3.
        landmarks: 68×2 in pixels, if there is a face.
    """
    if landmarks is None:
        return frame
    side = CROP_SCALE * max(landmark_extent(landmarks))
    if side >= min(frame.shape[:2]):
        return frame
    return Crop.around(landmarks, side).cut(frame, max(1, round(side)))


def draw_landmark_contours(landmarks: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Draw landmarks (68×2 in -1..1) as white contours on black, size×size×3."""
    image = np.zeros((size, size, 3), np.uint8)
    points = np.rint(denormalize_points(landmarks, size) * 2**FRACTION_BITS).astype(np.int32)
    for contours, closed in ((OPEN_CONTOURS, False), (CLOSED_CONTOURS, True)):
        lines = [points[list(contour)] for contour in contours]
        cv2.polylines(image, lines, closed, LINE_COLOR, max(1, size // 128), cv2.LINE_AA, FRACTION_BITS)
    return image


def _letterbox(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Fit an image into a square and pad it with white."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    square = np.full((size, size, 3), 255, np.uint8)
    top, left = (size - shape[1]) // 2, (size - shape[0]) // 2
    square[top : top + shape[1], left : left + shape[0]] = small
    return square
