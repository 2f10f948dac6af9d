"""Brushes for backgrounds: noise, colors, light on reliefs, a lens out of focus.

Images are WORK×WORK×3 in linear light without an upper end; places are fractions of the side.
"""

from __future__ import annotations

import colorsys
import math

import cv2
import numpy as np

from synthetic_heads.arrays import Floats, as_float32

WORK = 384
"""Side of the image that is painted; the one asked for is sampled from it."""

Y, X = as_float32((np.mgrid[:WORK, :WORK] + 0.5) / WORK)
"""Wall of every pixel."""


def hsv(hue: float, saturation: float, value: float) -> Floats:
    """Linear RGB of a color given as sRGB's hue, saturation and value."""
    rgb = colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0), 1), min(max(value, 0), 1))
    return as_float32(rgb) ** 2.2


def blend(first: Floats, second: Floats, share: Floats) -> Floats:
    """Colors 3 or images, mixed by shares H×W."""
    return np.ascontiguousarray(first + (second - first) * share[..., None], np.float32)


def smoothstep(values: Floats, low: float, high: float) -> Floats:
    """Smooth step from 0 at ``low`` to 1 at ``high``, which may lie below it."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return as_float32(share * share * (3 - 2 * share))


def noise(
    random: np.random.Generator, cells: float, octaves: int = 4, gain: float = 0.5, stretch: float = 1
) -> Floats:
    """Fractal noise of mean 0 and deviation about 1.

    Args:
        random: where it comes from.
        cells: across the image, of the coarsest octave.
        octaves: each twice as fine as the one before.
        gain: strength of an octave relative to the one before.
        stretch: how much longer than high the cells are.
    """
    total = np.zeros((WORK, WORK), np.float32)
    weight = norm = 1.0
    for octave in range(octaves):
        rows, columns = (
            max(2, math.ceil(cells * 2**octave * share)) + 3 for share in (stretch**0.5, stretch**-0.5)
        )
        grid = random.standard_normal((rows, columns), dtype=np.float32)
        # Into the middle of the outermost cells, so that no edge is flat.
        scale = as_float32([[(columns - 3) / WORK, 0, 1], [0, (rows - 3) / WORK, 1]])
        total += weight * cv2.warpAffine(
            grid,
            scale,
            (WORK, WORK),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        norm += weight**2 if octave else 0
        weight *= gain
    return total * np.float32(1.35 / norm**0.5)


def relief_light(height: Floats, strength: float, angle: float) -> Floats:
    """Light on a relief (heights in fractions of the side) from this direction, 1 where it is flat."""
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=WORK / 8)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=WORK / 8)
    slope = across * math.cos(angle) + down * math.sin(angle)
    return as_float32(np.clip(1 - strength * slope, 0.15, 2.5))


def spotlight(random: np.random.Generator, floor: float, reach: tuple[float, float] = (0.4, 1.1)) -> Floats:
    """A pool of light sample_x in the image: 1 in its middle, down to ``floor``."""
    x, y = random.uniform(-0.1, 1.1), random.uniform(-0.1, 0.8)
    wide, tall = random.uniform(*reach, 2)
    return as_float32(floor + (1 - floor) / (1 + (((X - x) / wide) ** 2 + ((Y - y) / tall) ** 2) ** 1.3))


def window_light(random: np.random.Generator, floor: float) -> Floats:
    """Light that falls off from one side."""
    side = X if random.random() < 0.5 else 1 - X
    slant = random.uniform(-0.4, 0.6)
    return as_float32(
        floor + (1 - floor) * np.exp(-random.uniform(0.6, 2.2) * np.clip(side + slant * Y, 0, None))
    )


def fill_polygon(image: Floats, points: Floats, color: Floats) -> None:
    """Fill a polygon N×2."""
    corners = np.rint(points * np.float32(WORK * 16)).astype(np.int32)
    cv2.fillPoly(image, [corners], [float(channel) for channel in color], cv2.LINE_8, 4)


def fill_disc(image: Floats, x: float, y: float, radius: float, color: Floats) -> None:
    """Fill a disc."""
    at = (round(x * WORK * 16), round(y * WORK * 16))
    cv2.circle(
        image, at, max(1, round(radius * WORK * 16)), [float(channel) for channel in color], -1, cv2.LINE_8, 4
    )


def defocus(image: Floats, radius: float, rim: float = 0.25) -> Floats:
    """Blur as a lens out of focus does: every point becomes a disc, a little brighter at its rim.

    Args:
        image: linear light.
        radius: of the disc, a fraction of the side.
        rim: how much brighter the rim is.
    """
    pixels = radius * WORK
    if pixels > 9:
        small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        blurred = cv2.filter2D(small, -1, _disc(pixels / 2, rim), borderType=cv2.BORDER_REFLECT_101)
        return as_float32(cv2.resize(blurred, (WORK, WORK), interpolation=cv2.INTER_CUBIC))
    return as_float32(cv2.filter2D(image, -1, _disc(pixels, rim), borderType=cv2.BORDER_REFLECT_101))


def _disc(radius: float, rim: float) -> Floats:
    """A disc with a soft edge as a filter."""
    half = math.ceil(radius + 1)
    distance = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1])
    disc = np.clip(radius + 0.5 - distance, 0, 1) * (1 + rim * (distance / max(radius, 1)) ** 4)
    return as_float32(disc / disc.sum())
