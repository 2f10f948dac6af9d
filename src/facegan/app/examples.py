"""Heads to try the page with: drawn ones, made when the page starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facegan.geometry.motion import NUM_MOTION_PARAMS
from facegan.io.images import write_image
from facegan.io.video_writer import write_video
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
        write_image(path, render(sample_identity(seed), np.zeros(NUM_MOTION_PARAMS, np.float32), SIDE).image)
        photographs.append(path)
    driver = folder / "driver.mp4"
    identity = sample_identity(DRIVER)
    motions = sample_motion(DRIVER, round(seconds * RATE), RATE, motion_style=MOTION_STYLE).motion
    write_video(driver, (render(identity, motion, SIDE).image for motion in motions), RATE)
    return Examples(tuple(photographs), driver)
