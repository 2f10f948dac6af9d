"""Putting the moved face back into the photograph that it was cut out of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.inference.animator import Source

MARGIN, SEAM, EDGE = 0.03, 0.02, 0.08
"""By how much more than the head is pasted; how soft its outline is; how wide the crop's edge fades.
Fractions of the crop's side."""


class Compositor:
    """Puts results back into a photograph.

    Only the head, and the place where it was, come from the result: all else keeps the photograph's own
    pixels. The result's colors are shifted as it takes to make the unmoved result's head like the
    photograph's.

    Args:
        source: the face that was cut out.
        unmoved: S×S×3, what the model makes of it in its own motion.
    """

    def __init__(self, source: Source, unmoved: NDArray[np.uint8]) -> None:
        self._photograph = source.photograph
        self._crop, self._size = source.crop, len(unmoved)
        self._head = (source.segmentation[0] > 0).float().cpu().numpy()
        cut = source.crop.cut(source.photograph, self._size)
        weights = self._head if self._head.any() else np.ones_like(self._head)
        difference = cut.astype(np.float32) - unmoved
        self._shift = (difference * weights[..., None]).sum(axis=(0, 1)) / weights.sum()
        height, width = source.photograph.shape[:2]
        side = source.crop.side
        self._top, self._left = max(0, int(source.crop.y)), max(0, int(source.crop.x))
        self._bottom = min(height, int(np.ceil(source.crop.y + side)))
        self._right = min(width, int(np.ceil(source.crop.x + side)))
        self._fade = self._to_region(_fade(self._size))

    def __call__(self, result: NDArray[np.uint8], mask: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The photograph with the moved face.

        Args:
            result: I_r, S×S×3.
            mask: M, S×S in 0..1.

        Returns:
            As large as the photograph.
        """
        outline = np.maximum(self._head, mask)
        radius = round(MARGIN * self._size)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        soft = cv2.GaussianBlur(cv2.dilate(outline, kernel), (0, 0), SEAM * self._size)
        share = (self._to_region(np.asarray(soft, np.float32)) * self._fade)[..., None]
        picture = self._to_region(np.add(result, self._shift, dtype=np.float32))
        whole = self._photograph.copy()
        region = whole[self._top : self._bottom, self._left : self._right]
        region[...] = (region + share * (picture - region)).round().clip(0, 255).astype(np.uint8)
        return whole

    def _to_region(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """A picture of the crop as it lies in the photograph, without what lies beyond the photograph."""
        scale = self._crop.side / self._size
        # Where pixel (0, 0) of the crop lies in the region; positions are those of pixel centers.
        x = self._crop.x + 0.5 * scale - 0.5 - self._left
        y = self._crop.y + 0.5 * scale - 0.5 - self._top
        shape = (self._right - self._left, self._bottom - self._top)
        how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
        matrix = np.array([[scale, 0, x], [0, scale, y]])
        return np.asarray(
            cv2.warpAffine(picture, matrix, shape, flags=how, borderMode=cv2.BORDER_REPLICATE), np.float32
        )


def _fade(size: int) -> NDArray[np.float32]:
    """1 inside, down to 0 at the edge, S×S."""
    depth = (np.minimum(np.arange(size), np.arange(size)[::-1]) + 0.5) / (EDGE * size)
    ramp = np.clip(depth, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    return np.minimum.outer(ramp, ramp).astype(np.float32)
