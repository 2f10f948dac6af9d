"""The camera's sensor and image style: noise, highlights, sRGB."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.rendering.compilation import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


MIDDLE_GRAY = 0.18
LEVELS = 304.8
"""8-bit levels of sRGB per unit of linear light at middle gray."""
READ = 0.12
"""Share of the read noise in the variance at middle gray; the rest is shot noise."""
BRIGHTEST = 2.0
"""Linear light that becomes white."""
SHOULDER = 0.7
"""Linear light from which highlights are compressed."""
STEPS = 8192
BANK = 512


def camera_noise(image: Floats, seed: int, strength: float) -> Floats:
    """Add what a sensor adds: read noise, and shot noise whose variance grows with the light.

    The noise is a little blurred, as demosaicing leaves it, and stronger in brightness than in color. Frames
    with different seeds have independent noise.

    Args:
        image: H×W×3, linear light, 1 is diffuse white.
        seed: of the frame.
        strength: standard deviation of the brightness at middle gray in 8-bit sRGB levels: about 0.5 in
            daylight, 4 in a dim room.

    Returns:
        H×W×3, linear light, not clipped.
    """
    random = np.random.default_rng(seed)
    top, left = random.integers(BANK, size=2).tolist()
    noisy = np.empty_like(image)
    _add(image, _bank(), top, left, 1 - 2 * int(random.integers(2)), strength / LEVELS, noisy)
    return noisy


def to_srgb(image: Floats) -> NDArray[np.uint8]:
    """Linear light to 8-bit sRGB; light over 0.7 is compressed softly, 2 becomes white.

    Args:
        image: linear light of any shape; what lies outside 0..2 is clipped.
    """
    coded = np.empty(image.shape, np.uint8)
    _look_up(image.ravel(), _curve(), coded.ravel())
    return coded


@functools.lru_cache(maxsize=1)
def _curve() -> NDArray[np.uint8]:
    """8-bit sRGB of linear light 0..BRIGHTEST."""
    light = np.linspace(0, BRIGHTEST, STEPS)
    over = np.maximum(light - SHOULDER, 0) / (1 - SHOULDER)
    light = np.minimum(light, SHOULDER) + (1 - SHOULDER) * (1 - np.exp(-over))
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    curve: NDArray[np.uint8] = np.rint(255 * np.minimum(coded, 1)).astype(np.uint8)
    return curve


@functools.lru_cache(maxsize=1)
def _bank() -> Floats:
    """BANK×BANK×3 noise without edges; its brightness has deviation 1."""
    random = np.random.default_rng(0)
    luma, red, blue = (
        cv2.GaussianBlur(np.pad(random.standard_normal((BANK, BANK)), 8, "wrap"), (0, 0), sigma)[8:-8, 8:-8]
        for sigma in (0.55, 1.1, 1.1)
    )
    luma, red, blue = (field / field.std() for field in (luma, red, blue))
    weights = np.array([0.2126, 0.7152, 0.0722])
    color = 0.5 * np.stack((red, np.zeros_like(red), blue), axis=-1)
    color -= (color @ weights)[..., None]
    bank = luma[..., None] + color
    return as_float32(bank - bank.mean(axis=(0, 1)))


@njit(cache=True)
def _add(
    image: Floats, bank: Floats, top: int, left: int, sign: int, deviation: float, noisy: Floats
) -> None:  # fmt: skip
    """Add the bank from this corner on, scaled by the deviation at middle gray."""
    rows, columns, channels = image.shape
    size = len(bank)
    shot = np.float32(deviation * deviation * (1 - READ) / MIDDLE_GRAY)
    read = np.float32(deviation * deviation * READ)
    for row in range(rows):
        fields = bank[(row + top) % size]
        for column in range(columns):
            field = fields[(column + left) % size]
            for channel in range(channels):
                light = image[row, column, channel]
                scale = np.sqrt(read + shot * max(light, np.float32(0)))
                noisy[row, column, channel] = light + np.float32(sign) * scale * field[channel]


@njit(cache=True)
def _look_up(light: Floats, curve: NDArray[np.uint8], coded: NDArray[np.uint8]) -> None:
    """The curve's value at each light."""
    scale = np.float32((len(curve) - 1) / BRIGHTEST)
    last = np.float32(len(curve) - 1)
    for index in range(len(light)):
        at = light[index] * scale + np.float32(0.5)
        coded[index] = curve[int(min(max(at, np.float32(0)), last))]
