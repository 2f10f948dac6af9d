"""Image grids with a title above every column and a label beside every row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SMALLEST = 128
"""Images of fewer pixels per side are enlarged, so that their titles fit."""
INK = (32, 32, 32)
SYMBOL = re.compile(r"(|.* )([a-zA-Z]'?)_(\w+)")


def make_image_grid(
    images: NDArray[np.uint8], titles: Sequence[str], labels: Sequence[str] = ()
) -> NDArray[np.uint8]:
    """Draw a grid of images.

    Args:
        images: rows×columns×H×W×3, RGB.
        titles: of the columns; an index after an underscore is typeset as a subscript: ``face I_fr``.
        labels: of the rows, to their left; without labels there is no margin.

    Returns:
        H'×W'×3, RGB on white; both sides even, as videos need them.
    """
    factor = -(-SMALLEST // images.shape[-2])
    images = images.repeat(factor, axis=2).repeat(factor, axis=3)
    rows, columns, height, width = images.shape[:4]
    gap, size = width // 32, width / 10
    font = ImageFont.load_default(size)
    top = 2 * gap + round(1.2 * size)
    left = gap + max((round(font.getlength(label)) + gap for label in labels), default=0)
    right, bottom = left + columns * (width + gap), top + rows * (height + gap)
    canvas = Image.new("RGB", (right + right % 2, bottom + bottom % 2), "white")
    draw = ImageDraw.Draw(canvas)
    for row, column in np.ndindex(rows, columns):
        at = (left + column * (width + gap), top + row * (height + gap))
        canvas.paste(Image.fromarray(images[row, column]), at)
    for column, title in enumerate(titles):
        _write(draw, left + column * (width + gap) + width / 2, gap + size, title, size, width)
    for row, label in enumerate(labels):
        draw.text((left - gap, top + row * (height + gap) + height / 2), label, INK, font, "rm")
    return np.asarray(canvas)


def _write(
    draw: ImageDraw.ImageDraw, middle: float, baseline: float, title: str, size: float, width: float
) -> None:
    """Write a centered title, as large as fits; a subscript is smaller and lower."""
    symbol = SYMBOL.fullmatch(title)
    text, index = (symbol[1] + symbol[2], symbol[3]) if symbol else (title, "")
    while size > 1 and _length(text, size) + _length(index, 0.75 * size) > width:
        size -= 0.5
    left = middle - (_length(text, size) + _length(index, 0.75 * size)) / 2
    draw.text((left, baseline), text, INK, ImageFont.load_default(size), "ls")
    after = left + _length(text, size)
    draw.text((after, baseline + size / 5), index, INK, ImageFont.load_default(0.75 * size), "ls")


def _length(text: str, size: float) -> float:
    return ImageFont.load_default(size).getlength(text)
