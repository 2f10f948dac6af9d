"""What is wrong with a crop: blurred, covered, or the one before it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from facegan.geometry.segmentation import BACKGROUND
from facegan.perception.face_parser import FACE_OVAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 128
"""Pixels of a crop in which sharpness is measured, whatever its own."""
FINGERPRINT = 32
"""The same for the difference of two crops."""


def sharpness(picture: NDArray[np.uint8], mesh: NDArray[np.float32]) -> float:
    """How much of the contrast of a face is fine: the Laplacian's variance against the picture's.

    Args:
        picture: S×S×3 crop.
        mesh: 478×3 in its pixels.

    Returns:
        0 for a face of one color; it does not change with light and contrast.
    """
    low = np.floor(mesh[:, :2].min(axis=0)).astype(int).clip(0, len(picture) - 1)
    high = np.ceil(mesh[:, :2].max(axis=0)).astype(int).clip(low + 1, len(picture))
    face = cv2.cvtColor(picture[low[1] : high[1], low[0] : high[0]], cv2.COLOR_RGB2GRAY)
    gray = cv2.resize(face, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA).astype(np.float64)
    spread = float(gray.var())
    return float(cv2.Laplacian(gray, cv2.CV_64F).var()) / spread if spread else 0.0


def covered(labels: NDArray[np.uint8], mesh: NDArray[np.float32]) -> float:
    """Share of the face's oval that is neither face nor hair, 0..1: a hand, a microphone, the picture's edge.

    Args:
        labels: S×S segmentation.
        mesh: 478×3 in its pixels.
    """
    oval = np.zeros(labels.shape, np.uint8)
    cv2.fillConvexPoly(oval, np.rint(mesh[list(FACE_OVAL), :2]).astype(np.int32), 1)
    inside = labels[oval.astype(bool)]
    return float((inside == BACKGROUND).mean()) if inside.size else 1.0


def fingerprint(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A small picture to tell crops apart by the mean difference."""
    small = cv2.resize(picture, (FINGERPRINT, FINGERPRINT), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)
