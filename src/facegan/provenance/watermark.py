"""Invisible watermark: a spread-spectrum pattern in every image and every frame.

The pattern lives on a small grid that is stretched over the whole image, so rescaling does not move
it. A keyed sign of each low to middle frequency of brightness and of both color differences makes it;
it is stronger in textured regions, and it is the same in every frame, so nothing flickers. Cox et al.,
"Secure spread spectrum watermarking for multimedia" (1997), with the image's own part of the
correlation taken into account as in Malvar and Florêncio, "Improved spread spectrum" (2003).

The detector whitens, and correlates with the signs. For keys drawn at random the score of any unmarked
image is a weighted sum of independent signs, of variance 1: it exceeds z with the probability of the
Gaussian tail, and for any image at most exp(-z²/2) (Hoeffding).

Packages do not serve: invisible-watermark 0.2 takes no image of fewer than 256×256 pixels, its wavelet
methods lose the mark when the size changes, and it installs an OpenCV with a window system; trustmark 0.9
downloads its networks when it is first used.
"""

from __future__ import annotations

import functools
import hashlib
import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

THRESHOLD = 4.75
"""Scores above it count as detected: one false positive in a million images."""
GRID = 64
KEY = "facegan"
MIN_SIDE = 32

# Brightness, blue and red difference; ITU-R BT.601, as in JPEG.
_OPPONENT = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
_COLORS = np.linalg.inv(_OPPONENT).astype(np.float32)
_BANDS = ((14, 44), (5, 26), (5, 26))  # radii in half periods a picture, channel by channel
_AMPLITUDES = (1.3, 1.2, 0.8)  # root mean squares in gray levels, at strength 1 where nothing is busy
_RING = 3  # width of the rings of frequencies that are whitened together
_CLIP = 2.0  # standard deviations
_GOAL = 14.0  # the score that the strength is chosen for, within these limits
_WEAKEST, _STRONGEST = 0.8, 1.0


def embed_watermark(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image with the watermark; a deterministic function of the image.

    Args:
        image: H×W×3, RGB, 32 pixels a side or more.

    Raises:
        ValueError: for a smaller image.
    """
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE:
        msg = f"an image of {width}×{height} is too small to be marked: {MIN_SIDE} pixels a side or more"
        raise ValueError(msg)
    planes = _planes(image)
    change = _pattern() * _visibility(planes) * _gain(height, width)
    before, after = (float(_unit(_whiten(grid)) @ key_signs(KEY)) for grid in (planes, planes + change))
    strength = np.clip((_GOAL - before) / max(after - before, 1e-3), _WEAKEST, _STRONGEST)
    colors = np.ascontiguousarray(np.moveaxis(np.tensordot(_COLORS, strength * change, 1), 0, -1))
    stretched = cv2.resize(colors.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(image, stretched, dtype=cv2.CV_8U), np.uint8)


class WatermarkDetector:
    """Detect the watermark in an image, or in the frames of a video together.

    Frames are summed before they are correlated: moving content averages out and the watermark does not;
    static content is not counted twice.

    Args:
        key: key of the pattern.
    """

    def __init__(self, key: str = KEY) -> None:
        self._signs = key_signs(key)
        self._sum = np.zeros_like(self._signs)

    def add(self, image: NDArray[np.uint8]) -> None:
        """Add an image or frame, H×W×3, RGB, of any size."""
        self._sum += _unit(_whiten(_planes(image)))

    @property
    def evidence(self) -> Array:
        """Vector that is correlated with the signs of a key: of length 1, or 0 if nothing was added."""
        return _unit(self._sum)

    @property
    def score(self) -> float:
        """Score, standard normal without a watermark; 0 if nothing was added."""
        return float(np.dot(self.evidence, self._signs))


@functools.lru_cache(maxsize=4)
def key_signs(key: str) -> Array:
    """Return the signs of a key, 1 or -1, of all frequencies in use, channel after channel."""
    count = _spectrum().amplitudes.size
    # A hash, since the streams of random generators may change from version to version.
    digest = hashlib.shake_256(key.encode()).digest(-(-count // 8))
    return np.unpackbits(np.frombuffer(digest, np.uint8))[:count] * np.float32(2) - 1


class _Spectrum(NamedTuple):
    masks: NDArray[np.bool_]  # 3×GRID×GRID: the frequencies in use
    amplitudes: Array  # theirs
    rings: NDArray[np.intp]  # which of them are whitened together
    counts: NDArray[np.intp]  # how many there are in each ring


@functools.cache
def _spectrum() -> _Spectrum:
    radius = np.hypot(*np.mgrid[:GRID, :GRID])
    masks = np.stack([(radius >= low) & (radius < high) for low, high in _BANDS])
    sizes = masks.sum((1, 2))
    amplitudes = np.repeat(np.array(_AMPLITUDES) * GRID / np.sqrt(sizes), sizes)
    rings = np.stack([radius // _RING + 100 * channel for channel in range(3)])[masks]
    _, rings, counts = np.unique(rings, return_inverse=True, return_counts=True)
    return _Spectrum(masks, amplitudes.astype(np.float32), rings, counts)


@functools.cache
def _pattern() -> Array:
    """In gray levels, 3×GRID×GRID."""
    spectrum = _spectrum()
    coefficients = np.zeros(spectrum.masks.shape, np.float32)
    coefficients[spectrum.masks] = key_signs(KEY) * spectrum.amplitudes
    return np.stack([cv2.idct(plane) for plane in coefficients])


def _planes(image: NDArray[np.uint8]) -> Array:
    """Resample the image to the grid, 3×GRID×GRID."""
    shrinks = min(image.shape[:2]) >= GRID
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = cv2.resize(image, (GRID, GRID), interpolation=interpolation)
    return np.asarray(np.tensordot(_OPPONENT, small.astype(np.float32), (1, 2)), np.float32)


def _visibility(planes: Array) -> Array:
    """Strength of the pattern that texture masks, GRID×GRID."""
    details = planes - np.stack([_blur(plane, 1.0) for plane in planes])
    energy = details[0] ** 2 + 4 * details[1] ** 2 + 4 * details[2] ** 2
    activity = np.sqrt(_blur(energy, 1.0))
    # The plain side of an edge is plain.
    activity = _blur(np.asarray(cv2.erode(activity, np.ones((3, 3), np.uint8)), np.float32), 1.0)
    return np.asarray(np.minimum(0.5 + 0.2 * activity, 2.0), np.float32)


def _gain(height: int, width: int) -> float:
    """Compensate for small images, in which the pattern is finer, less visible and less robust to codecs."""
    return min(max(math.pow(256**2 / (height * width), 0.2), 0.7), 1.5)


def _whiten(planes: Array) -> Array:
    """Whiten the coefficients: locally, then ring by ring, with outliers clipped."""
    spectrum = _spectrum()
    coefficients = []
    for plane, mask, amplitude, reach in zip(planes, spectrum.masks, _AMPLITUDES, (1.5, 5, 5), strict=True):
        details = plane - _blur(plane, reach)
        details /= np.sqrt(_blur(details * details, 3.0) + 4 * amplitude**2)
        coefficients.append(cv2.dct(details * (2.5 * amplitude))[mask])
    values = np.concatenate(coefficients)
    spread = np.bincount(spectrum.rings, np.abs(values)) / spectrum.counts * 1.25
    spreads = np.hypot(spread[spectrum.rings], 0.7 * spectrum.amplitudes)
    return np.asarray(spectrum.amplitudes * np.clip(values / spreads, -_CLIP, _CLIP) / spreads, np.float32)


def _unit(values: Array) -> Array:
    return values / max(math.sqrt(float(values @ values)), 1e-9)


def _blur(plane: Array, sigma: float) -> Array:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)
