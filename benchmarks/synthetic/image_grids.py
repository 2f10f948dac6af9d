"""Contact sheets: who is drawn and how they move, and what each action unit does to a face.

``python -m benchmarks.synthetic.image_grids --out docs`` draws the pictures of docs/synthetic.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if __name__ == "__main__":
    # One thread is fastest; numpy's library reads this when it is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from facegan.geometry.motion import NUM_MOTION_PARAMS, edit_motion
from facegan.io.atomic import atomic_file
from synthetic_heads import Camera, render, sample_identity, sample_scene

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

PEOPLE = (43, 26, 59, 49, 25, 14, 62, 36)
"""Seeds of people who have little in common."""
MODELS = (43, 36)
"""Seeds of those who show the action units; nothing hides what moves in their faces."""


class Moment(NamedTuple):
    """How somebody looks: what is not named is at rest."""

    title: str
    values: Mapping[str, float]
    """Action units 0..1, angles in degrees."""
    gaze: tuple[float, float] = (0, 0)
    """Radians, right and down."""


MOMENTS = (
    Moment("at rest", {}),
    Moment("talking", {"AU25": 0.8, "AU26": 0.35, "AU20": 0.3, "yaw": -9, "roll": 4}, (-0.12, 0)),
    Moment("laughing", {"AU06": 0.9, "AU07": 0.4, "AU12": 1, "AU25": 0.8, "AU26": 0.3, "pitch": -5}),
    Moment("surprised", {"AU01": 1, "AU02": 1, "AU05": 0.9, "AU25": 0.7, "AU26": 0.8}),
    Moment("angry", {"AU04": 1, "AU05": 0.5, "AU07": 0.4, "AU17": 0.4, "AU23": 0.8, "pitch": 8}, (0, -0.1)),
    Moment("sad", {"AU01": 0.9, "AU04": 0.5, "AU15": 1, "AU17": 0.5, "pitch": 6, "roll": -9}, (0.1, 0.15)),
    Moment("eyes closed", {"AU45": 1, "yaw": 26, "pitch": 8, "roll": 5}),
    Moment("side glance", {"AU02": 0.4, "AU14": 0.5, "yaw": -42, "pitch": -16}, (-0.45, 0.1)),
)
"""Columns of the sheet of people."""
UNITS = {
    "AU01": "inner brow raiser",
    "AU02": "outer brow raiser",
    "AU04": "brow lowerer",
    "AU05": "upper lid raiser",
    "AU06": "cheek raiser",
    "AU07": "lid tightener",
    "AU09": "nose wrinkler",
    "AU10": "upper lip raiser",
    "AU12": "lip corner puller",
    "AU14": "dimpler",
    "AU15": "lip corner depressor",
    "AU17": "chin raiser",
    "AU20": "lip stretcher",
    "AU23": "lip tightener",
    "AU25": "lips part",
    "AU26": "jaw drop",
    "AU45": "blink",
}
"""Names in the Facial Action Coding System."""
STRENGTHS = (0, 0.25, 0.5, 0.75, 1)
CLOSE_UP = Camera(distance=90, focal=90 / 20, center=(0.5, 0.42))
"""Sees 20 cm: the face without the hair."""
GAP, MARGIN = 1 / 48, 1 / 8
"""White between the pictures and around them, as fractions of a picture's side."""
INK, PALE = (32, 32, 32), (110, 110, 110)
JPEG_QUALITY = 88


def people(seeds: Sequence[int] = PEOPLE, size: int = 192) -> NDArray[np.uint8]:
    """A row a person, each in a scene of their own; a column for each of :data:`MOMENTS`.

    Args:
        seeds: of the people.
        size: side of a picture in pixels, 32 or more.

    Returns:
        H×W×3, RGB.
    """
    sheet = _Sheet.blank(len(seeds), len(MOMENTS), size, header=0.2, label=0.0)
    for row, seed in enumerate(seeds):
        identity = sample_identity(seed)
        for column, (_, values, gaze) in enumerate(MOMENTS):
            frame = render(identity, _vector(values), size, gaze=gaze, noise_seed=len(MOMENTS) * row + column)
            sheet.put(row, column, frame.image)
    for column, moment in enumerate(MOMENTS):
        sheet.title(column, moment.title)
    return sheet.pixels


def action_units(models: Sequence[int] = MODELS, size: int = 144) -> NDArray[np.uint8]:
    """A row a unit, a column for each of :data:`STRENGTHS`; a block of rows a model, side by side.

    Args:
        models: seeds of who shows them.
        size: side of a picture in pixels, 32 or more.

    Returns:
        H×W×3, RGB.
    """
    rows = -(-len(UNITS) // len(models))
    blocks = []
    for block, seed in enumerate(models):
        sheet = _Sheet.blank(rows, len(STRENGTHS), size, header=0.2, label=1.25)
        identity, scene = sample_identity(seed), replace(sample_scene(seed), camera=CLOSE_UP)
        for row, name in enumerate(list(UNITS)[block * rows : (block + 1) * rows]):
            sheet.label(row, name, UNITS[name])
            for column, strength in enumerate(STRENGTHS):
                sheet.put(row, column, render(identity, _vector({name: strength}), size, scene=scene).image)
        for column, strength in enumerate(STRENGTHS):
            sheet.title(column, f"{strength:g}")
        blocks.append(sheet.pixels)
    return np.concatenate(blocks, axis=1)


def _vector(values: Mapping[str, float]) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = edit_motion(torch.zeros(NUM_MOTION_PARAMS), values).numpy()
    return vector


@dataclass(frozen=True)
class _Sheet:
    """Square pictures in rows and columns on white, with text above and beside them."""

    paper: Image.Image
    size: int
    corner: tuple[int, int]
    """Where the first picture begins."""

    @classmethod
    def blank(cls, rows: int, columns: int, size: int, *, header: float, label: float) -> _Sheet:
        """Space for text above and beside the pictures is given as a fraction of their side."""
        margin, gap = round(MARGIN * size), round(GAP * size)
        left, top = margin + round(label * size), margin + round(header * size)
        width = left + columns * (size + gap) - gap + margin
        height = top + rows * (size + gap) - gap + margin
        return cls(Image.new("RGB", (width, height), "white"), size, (left, top))

    @property
    def pixels(self) -> NDArray[np.uint8]:
        return np.asarray(self.paper)

    def put(self, row: int, column: int, picture: NDArray[np.uint8]) -> None:
        self.paper.paste(Image.fromarray(picture), self._at(row, column))

    def title(self, column: int, text: str) -> None:
        x, y = self._at(0, column)
        self._write((x + self.size // 2, y - self.size // 16), text, "ms", INK)

    def label(self, row: int, text: str, more: str) -> None:
        x, y = self._at(row, 0)
        right, middle = x - self.size // 12, y + self.size // 2
        self._write((right, middle - self.size // 48), text, "rs", INK)
        self._write((right, middle + self.size // 48), more, "ra", PALE)

    def _at(self, row: int, column: int) -> tuple[int, int]:
        step = self.size + round(GAP * self.size)
        return self.corner[0] + column * step, self.corner[1] + row * step

    def _write(self, at: tuple[int, int], text: str, anchor: str, ink: tuple[int, int, int]) -> None:
        font = ImageFont.load_default(self.size / 8)
        ImageDraw.Draw(self.paper).text(at, text, ink, font, anchor)


def main() -> int:
    """Draws both sheets."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic.image_grids", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("docs"), help="folder for heads.jpg and action_units.jpg"
    )
    out = parser.parse_args().out
    for name, draw in (("heads.jpg", people), ("action_units.jpg", action_units)):
        with atomic_file(out / name, overwrite=True) as path:
            Image.fromarray(draw()).save(path, quality=JPEG_QUALITY, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
