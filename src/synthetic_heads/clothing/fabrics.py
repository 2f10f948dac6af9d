"""Fabrics: what clothes are woven, knitted or printed with."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from synthetic_heads.arrays import Floats, as_float32

if TYPE_CHECKING:
    from collections.abc import Sequence


TILE = 128
"""Side of a tile in texels."""
TILE_CM = 8.0
"""Side of a tile on the body."""

SHADED = ("melange", "denim", "rib")
"""Patterns whose second color is a paler first one."""
Color = tuple[float, float, float]
SOBER = (
    *((0.0, 0.0, 0.06), (0.62, 0.35, 0.16), (0.6, 0.1, 0.28), (0.6, 0.04, 0.5)),
    *((0.1, 0.12, 0.75), (0.0, 0.0, 0.9), (0.08, 0.35, 0.3), (0.62, 0.5, 0.3)),
)
"""Hue, saturation and value of black, navy, charcoal, gray, beige, white, brown, and blue."""
LIVELY = (
    *((0.98, 0.7, 0.45), (0.95, 0.55, 0.3), (0.35, 0.4, 0.3), (0.45, 0.5, 0.35), (0.58, 0.5, 0.6)),
    *((0.12, 0.6, 0.75), (0.05, 0.5, 0.7), (0.8, 0.3, 0.45), (0.97, 0.22, 0.8), (0.25, 0.3, 0.45)),
)
"""Red, burgundy, bottle green, teal, mid blue, mustard, rust, plum, rose, olive."""
LIGHT = ((0.0, 0.0, 0.9), (0.58, 0.14, 0.85), (0.6, 0.03, 0.8), (0.97, 0.08, 0.86), (0.14, 0.08, 0.88))
"""White, light blue, pale gray, pale pink, cream: shirts."""
DARK = (
    (0.0, 0.0, 0.07),
    (0.62, 0.4, 0.17),
    (0.6, 0.08, 0.22),
    (0.6, 0.05, 0.36),
    (0.08, 0.3, 0.25),
    (0.1, 0.2, 0.55),
)
"""Black, navy, charcoal, gray, brown, tan: jackets."""


class Fabric(NamedTuple):
    """A cloth.

    Attributes:
        pattern: a key of :data:`PATTERNS`.
        color: of the ground, linear RGB.
        second: of the pattern, linear RGB.
        repeats: of the pattern in a tile.
    """

    pattern: str
    color: Color
    second: Color
    repeats: int


def sample_fabric(random: np.random.Generator, palette: Sequence[Color], patterns: Sequence[str]) -> Fabric:
    """Sample a fabric in one of these colors (HSV) with one of these patterns."""
    color = _vary(random, palette[int(random.integers(len(palette)))])
    dark = sum(color) < 0.6
    contrast = (0.0, 0.0, 0.85) if dark else SOBER[int(random.integers(len(SOBER) - 4))]
    second = _vary(random, LIVELY[int(random.integers(len(LIVELY)))] if random.random() < 0.3 else contrast)
    pattern = patterns[int(random.integers(len(patterns)))]
    if pattern == "denim":
        color = _vary(random, (0.6, 0.5, 0.42))
    if pattern in SHADED:
        second = (0.4 * color[0] + 0.35, 0.4 * color[1] + 0.35, 0.4 * color[2] + 0.35)
    return Fabric(pattern, color, second, int(random.integers(2, 7)))


def _vary(random: np.random.Generator, hsv: Color) -> Color:
    """A color near this one (HSV, sRGB) as linear RGB; cloth reflects 1 % to 80 %."""
    hue, saturation, value = hsv
    rgb = colorsys.hsv_to_rgb(
        (hue + random.normal(0, 0.02)) % 1,
        float(np.clip(saturation * random.uniform(0.7, 1.15), 0, 1)),
        float(np.clip(value * random.uniform(0.85, 1.12), 0, 0.92)),
    )
    red, green, blue = (float(np.clip(channel**2.2, 0.01, 0.8)) for channel in rgb)
    return red, green, blue


def cloth_texture(fabric: Fabric, random: np.random.Generator) -> Floats:
    """Paint a tile of a fabric.

    Returns:
        128×128×3, linear RGB in 0..1; it goes on over its edges.
    """
    v, u = (np.mgrid[:TILE, :TILE] + 0.5) / TILE
    share = PATTERNS[fabric.pattern](u, v, fabric.repeats, random)
    wide = cv2.blur(np.tile(as_float32(share), (3, 3)), (3, 3))
    share = as_float32(wide)[TILE : 2 * TILE, TILE : 2 * TILE, None]
    tile = (1 - share) * as_float32(fabric.color) + share * as_float32(fabric.second)
    # Yarns: uneven along the thread; and wear: uneven in patches.
    yarn = _noise(random, 0.8, 2.2) * 0.06 + _noise(random, 2.2, 0.8) * 0.06 + _noise(random, 14, 14) * 0.03
    return as_float32(np.clip(tile * np.exp(yarn)[..., None], 0, 1))


def _noise(random: np.random.Generator, across: float, down: float) -> Floats:
    """Tileable noise of mean 0 and deviation 1 with these radii in texels."""
    white = random.standard_normal((TILE, TILE))
    frequency = np.fft.fftfreq(TILE) ** 2 * 2 * np.pi**2
    low = np.exp(-frequency[:, None] * down**2 - frequency[None] * across**2)
    field = np.fft.ifft2(np.fft.fft2(white) * low).real
    field -= field.mean()
    return as_float32(field / field.std())


def _plain(u: Floats, v: Floats, repeats: int, random: np.random.Generator) -> Floats:
    return np.zeros_like(u)


def _melange(u: Floats, v: Floats, repeats: int, random: np.random.Generator) -> Floats:
    return as_float32(np.clip(0.12 + 0.06 * _noise(random, 1.2, 0.6), 0, 0.6))


def _stripes(u: Floats, v: Floats, repeats: int, random: np.random.Generator) -> Floats:
    return as_float32((v * repeats % 1) < random.choice((0.25, 0.5)))


def _pinstripes(u: Floats, v: Floats, repeats: int, random: np.random.Generator) -> Floats:
    return as_float32(((u * 2 * repeats % 1) < 0.14) * 0.5)


def _checks(u: Floats, v: Floats, repeats: int, random: np.random.Generator) -> Floats:
    line = random.choice((0.18, 0.5))
    return as_float32(0.45 * ((u * repeats % 1) < line) + 0.45 * ((v * repeats % 1) < line))


def _dots(u: Floats, v: Floats, repeats: int, random: np.random.Generator) -> Floats:
    x, y = u * repeats % 1 - 0.5, v * repeats % 1 - 0.5
    corner = np.hypot(np.abs(x) - 0.5, np.abs(y) - 0.5)
    return as_float32(np.minimum(np.hypot(x, y), corner) < 0.17)


def _print(u: Floats, v: Floats, repeats: int, random: np.random.Generator) -> Floats:
    """Leave and petals strewn over the tile."""
    share = np.zeros_like(u)
    for _ in range(6 * repeats):
        at, turn, long = random.random(2), random.uniform(0, np.pi), random.uniform(0.05, 0.11)
        x, y = (u - at[0] + 0.5) % 1 - 0.5, (v - at[1] + 0.5) % 1 - 0.5
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        share[(along / long) ** 2 + (across / long * 2.4) ** 2 < 1] = random.uniform(0.4, 1)
    return share


def _diagonal(u: Floats, v: Floats, repeats: int, random: np.random.Generator) -> Floats:
    return as_float32(((u + v) * (repeats // 2 + 2) % 1) < 0.3)


def _denim(u: Floats, v: Floats, repeats: int, random: np.random.Generator) -> Floats:
    twill = 0.5 + 0.5 * np.sin(2 * np.pi * (u + v) * 32)
    return as_float32(np.clip(0.12 * twill + 0.08 * _noise(random, 0.8, 3), 0, 0.5))


def _rib(u: Floats, v: Floats, repeats: int, random: np.random.Generator) -> Floats:
    return as_float32(0.06 - 0.06 * np.cos(2 * np.pi * u * 16))


PATTERNS = {
    "plain": _plain,
    "melange": _melange,
    "stripes": _stripes,
    "pinstripes": _pinstripes,
    "checks": _checks,
    "dots": _dots,
    "print": _print,
    "diagonal": _diagonal,
    "denim": _denim,
    "rib": _rib,
}
