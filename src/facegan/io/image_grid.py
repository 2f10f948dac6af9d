"""Sheets: pictures in rows and columns, with a title above every column and a label beside every row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SMALLEST = 128
"""Pictures of fewer pixels a side are enlarged: their titles would be wider than they are."""
INK = (32, 32, 32)
SYMBOL = re.compile(r"(|.* )([a-zA-Z])_(\w+)")


def make_image_grid(
    pictures: NDArray[np.uint8], titles: Sequence[str], labels: Sequence[str] = ()
) -> NDArray[np.uint8]:
    """Draws a sheet.

    Args:
        pictures: rows×columns×H×W×3, RGB.
        titles: of the columns. A letter's index is set as such: ``face I_fr``.
        labels: of the rows, written to their left; none for no space there.

    Returns:
        H'×W'×3, RGB on white; both sides even, as videos need them.
    """
    factor = -(-SMALLEST // pictures.shape[-2])
    pictures = pictures.repeat(factor, axis=2).repeat(factor, axis=3)
    rows, columns, height, width = pictures.shape[:4]
    gap, size = width // 32, width / 10
    font = ImageFont.load_default(size)
    top = 2 * gap + round(1.2 * size)
    left = gap + max((round(font.getlength(label)) + gap for label in labels), default=0)
    right, bottom = left + columns * (width + gap), top + rows * (height + gap)
    paper = Image.new("RGB", (right + right % 2, bottom + bottom % 2), "white")
    pen = ImageDraw.Draw(paper)
    for row, column in np.ndindex(rows, columns):
        at = (left + column * (width + gap), top + row * (height + gap))
        paper.paste(Image.fromarray(pictures[row, column]), at)
    for column, title in enumerate(titles):
        _write(pen, left + column * (width + gap) + width / 2, gap + size, title, size, width)
    for row, label in enumerate(labels):
        pen.text((left - gap, top + row * (height + gap) + height / 2), label, INK, font, "rm")
    return np.asarray(paper)


def _write(
    pen: ImageDraw.ImageDraw, middle: float, baseline: float, title: str, size: float, width: float
) -> None:
    """A title around a middle, as large as fits; an index is smaller and lower."""
    symbol = SYMBOL.fullmatch(title)
    text, index = (symbol[1] + symbol[2], symbol[3]) if symbol else (title, "")
    while size > 1 and _length(text, size) + _length(index, 0.75 * size) > width:
        size -= 0.5
    left = middle - (_length(text, size) + _length(index, 0.75 * size)) / 2
    pen.text((left, baseline), text, INK, ImageFont.load_default(size), "ls")
    after = left + _length(text, size)
    pen.text((after, baseline + size / 5), index, INK, ImageFont.load_default(0.75 * size), "ls")


def _length(text: str, size: float) -> float:
    return ImageFont.load_default(size).getlength(text)
