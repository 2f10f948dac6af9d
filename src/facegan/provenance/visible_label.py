"""Visible label: a small pill with the letters AI."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXT = "AI"
RELATIVE_HEIGHT = 0.065
"""Height as a fraction of the image's shorter side."""
MIN_HEIGHT = 11  # pixels; a smaller label cannot be read
OVERSAMPLING = 4


def draw_visible_label(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image with the label in its lower right corner.

    Args:
        image: H×W×3, RGB, 32 pixels a side or more.
    """
    height, width = image.shape[:2]
    label_height = max(MIN_HEIGHT, round(RELATIVE_HEIGHT * min(height, width)))
    label, opacity = _render_label(label_height)
    margin = label_height // 3
    rows = slice(height - margin - label_height, height - margin)
    columns = slice(width - margin - label.shape[1], width - margin)
    labeled = image.copy()
    labeled[rows, columns] = np.rint(image[rows, columns] * (1 - opacity) + label * opacity)
    return labeled


@functools.lru_cache(maxsize=8)
def _render_label(label_height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Render colors h×w×3 and opacity h×w×1."""
    height = label_height * OVERSAMPLING
    width = round(height * 1.6)
    image = Image.new("RGBA", (width, height), (16, 16, 16, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), radius=height // 2, fill=(16, 16, 16, 190))
    font = ImageFont.load_default(height * 0.72)
    draw.text((width / 2, height / 2), TEXT, font=font, fill="white", anchor="mm", stroke_width=height * 0.02)
    small = image.resize((width // OVERSAMPLING, label_height), Image.Resampling.BOX)
    values = np.asarray(small, np.float32)
    return values[..., :3], values[..., 3:] / np.float32(255)
