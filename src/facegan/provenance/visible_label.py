"""The visible mark: a small pill that says AI."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXT = "AI"
SHARE = 0.065
"""Its height as a share of the picture's shorter side."""
SMALLEST = 11  # pixels: below, it could not be read
OVERSAMPLING = 4


def draw_badge(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with the pill in its lower right corner.

    Args:
        image: H×W×3, RGB, 32 pixels a side or more.
    """
    height, width = image.shape[:2]
    tall = max(SMALLEST, round(SHARE * min(height, width)))
    pill, cover = _pill(tall)
    margin = tall // 3
    rows = slice(height - margin - tall, height - margin)
    columns = slice(width - margin - pill.shape[1], width - margin)
    marked = image.copy()
    marked[rows, columns] = np.rint(image[rows, columns] * (1 - cover) + pill * cover)
    return marked


@functools.lru_cache(maxsize=8)
def _pill(tall: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Colors h×w×3 and opacity h×w×1."""
    high = tall * OVERSAMPLING
    wide = round(high * 1.6)
    picture = Image.new("RGBA", (wide, high), (16, 16, 16, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, wide - 1, high - 1), radius=high // 2, fill=(16, 16, 16, 190))
    font = ImageFont.load_default(high * 0.72)
    draw.text((wide / 2, high / 2), TEXT, font=font, fill="white", anchor="mm", stroke_width=high * 0.02)
    small = picture.resize((wide // OVERSAMPLING, tall), Image.Resampling.BOX)
    values = np.asarray(small, np.float32)
    return values[..., :3], values[..., 3:] / np.float32(255)
