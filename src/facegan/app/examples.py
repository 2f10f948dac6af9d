"""Heads to try the page with: drawn ones, made when the page starts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import Image

from facegan.geometry.motion import NUM_MOTION_PARAMS
from synthetic_heads import render, sample_identity, sample_motion

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = (3, 5, 12, 20, 31, 44)
"""Seeds."""
DRIVER = 8
MOTION_STYLE = "lively talker"
SECONDS = 3
RATE = 12
SIDE = 256


@dataclass(frozen=True)
class Examples:
    """Where they lie."""

    photographs: tuple[Path, ...]
    driver: Path


def draw(folder: Path, people: tuple[int, ...] = PEOPLE, seconds: float = SECONDS) -> Examples:
    """Draws photographs and a driving video.

    Args:
        folder: for the files.
        people: seeds of the photographed.
        seconds: length of the video.
    """
    photographs = []
    for number, seed in enumerate(people, 1):
        path = folder / f"person_{number}.png"
        Image.fromarray(
            render(sample_identity(seed), np.zeros(NUM_MOTION_PARAMS, np.float32), SIDE).image
        ).save(path)
        photographs.append(path)
    driver = folder / "driver.mp4"
    _film(driver, round(seconds * RATE))
    return Examples(tuple(photographs), driver)


def _film(path: Path, frames: int) -> None:
    identity = sample_identity(DRIVER)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE))
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for motion in sample_motion(DRIVER, frames, RATE, motion_style=MOTION_STYLE).motion:
            image = render(identity, motion, SIDE).image
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
