"""Segmentation labels of a crop: background, face, hair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BACKGROUND, FACE, HAIR = 0, 1, 2
LABELS = ("background", "face", "hair")


def reduce_labels(labels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Downsample a square label map by majority vote within each block.

    Args:
        labels: S×S of 0 background, 1 face, 2 hair.
        size: side of the result in pixels, at most S.
    """
    return argmax_labels(cv2.resize(one_hot_labels(labels), (size, size), interpolation=cv2.INTER_AREA))


def one_hot_labels(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Encode H×W labels as H×W×3 with 255 in the channel of each pixel's label."""
    return np.take(255 * np.eye(len(LABELS), dtype=np.uint8), labels, axis=0)


def argmax_labels(shares: NDArray[Any]) -> NDArray[np.uint8]:
    """Decode H×W×3 label shares as H×W labels: each pixel has the label of its largest share."""
    labels: NDArray[np.uint8] = shares.argmax(axis=-1).astype(np.uint8)
    return labels
