"""Stitching of an animated face into the source image that it was cut from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.inference.animator import Source

MARGIN, SEAM, EDGE = 0.03, 0.02, 0.08
"""Dilation of the head's mask, standard deviation of its blur, width of the fade at the crop's edge, as
fractions of the crop's side."""


class Compositor:
    """Stitch results into a source image.

    The head, and the region that it covered, come from the result; all other pixels stay the source image's.
    A constant shift corrects the colors of the result: the mean difference of the source's head and its
    reconstruction.

    Args:
        source: the face.
        reconstruction: S×S×3, the result for the source's own motion.
    """

    def __init__(self, source: Source, reconstruction: NDArray[np.uint8]) -> None:
        self._photograph = source.photograph
        self._crop, self._size = source.crop, len(reconstruction)
        self._head = (source.segmentation[0] > 0).float().cpu().numpy()
        cut = source.crop.cut(source.photograph, self._size)
        weights = self._head if self._head.any() else np.ones_like(self._head)
        difference = cut.astype(np.float32) - reconstruction
        self._shift = (difference * weights[..., None]).sum(axis=(0, 1)) / weights.sum()
        height, width = source.photograph.shape[:2]
        side = source.crop.side
        self._top, self._left = max(0, int(source.crop.y)), max(0, int(source.crop.x))
        self._bottom = min(height, int(np.ceil(source.crop.y + side)))
        self._right = min(width, int(np.ceil(source.crop.x + side)))
        self._fade = self._to_region(_fade(self._size))

    def __call__(self, result: NDArray[np.uint8], mask: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Stitch one result into the source image.

        Args:
            result: I_r, S×S×3.
            mask: M, S×S in 0..1.

        Returns:
            H×W×3, the size of the source image.
        """
        outline = np.maximum(self._head, mask)
        radius = round(MARGIN * self._size)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        soft = cv2.GaussianBlur(cv2.dilate(outline, kernel), (0, 0), SEAM * self._size)
        weight = (self._to_region(np.asarray(soft, np.float32)) * self._fade)[..., None]
        patch = self._to_region(np.add(result, self._shift, dtype=np.float32))
        stitched = self._photograph.copy()
        region = stitched[self._top : self._bottom, self._left : self._right]
        region[...] = (region + weight * (patch - region)).round().clip(0, 255).astype(np.uint8)
        return stitched

    def _to_region(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Warp an image of the crop to the region of the source image that the crop covers."""
        scale = self._crop.side / self._size
        # Position of the crop's pixel (0, 0) in the region; positions are those of pixel centers.
        x = self._crop.x + 0.5 * scale - 0.5 - self._left
        y = self._crop.y + 0.5 * scale - 0.5 - self._top
        shape = (self._right - self._left, self._bottom - self._top)
        interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
        matrix = np.array([[scale, 0, x], [0, scale, y]])
        return np.asarray(
            cv2.warpAffine(image, matrix, shape, flags=interpolation, borderMode=cv2.BORDER_REPLICATE),
            np.float32,
        )


def _fade(size: int) -> NDArray[np.float32]:
    """Weights S×S, 1 inside and falling smoothly to 0 at the edge."""
    depth = (np.minimum(np.arange(size), np.arange(size)[::-1]) + 0.5) / (EDGE * size)
    ramp = np.clip(depth, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    return np.minimum.outer(ramp, ramp).astype(np.float32)
