"""Synthetic heads as example inputs of the page, rendered when it starts."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from facegan.geometry.motion import NUM_MOTION_PARAMS
from facegan.io.video_writer import VideoWriter

if TYPE_CHECKING:
    from pathlib import Path

SOURCE_SEEDS = (3, 5, 12, 20, 31, 44)
DRIVING_SEED = 8
DRIVING_SECONDS = 3
DRIVING_FPS = 12
SIZE = 256

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examples:
    """Files of the examples."""

    source_images: tuple[Path, ...] = ()
    driving_video: Path | None = None


def render_examples(folder: Path) -> Examples:
    """Render example source images and a driving video into a folder.

    Returns:
        The files; none, with a line in the log, where the renderer's extra is not installed.
    """
    source_images = tuple(folder / f"head_{number}.png" for number in range(1, len(SOURCE_SEEDS) + 1))
    driving_video = folder / "driving.mp4"
    neutral = np.zeros(NUM_MOTION_PARAMS, np.float32)
    try:
        from synthetic_heads import render, sample_identity, sample_motion

        for path, seed in zip(source_images, SOURCE_SEEDS, strict=True):
            Image.fromarray(render(sample_identity(seed), neutral, SIZE).image).save(path)
        identity = sample_identity(DRIVING_SEED)
        motions = sample_motion(DRIVING_SEED, DRIVING_SECONDS * DRIVING_FPS, DRIVING_FPS).motion
        with VideoWriter.open(driving_video, (SIZE, SIZE), DRIVING_FPS) as writer:
            for index, motion in enumerate(motions):
                writer.write(render(identity, motion, SIZE).image, index / DRIVING_FPS)
    except ImportError as error:
        log.warning("the page has no examples: %s", error)
        return Examples()
    return Examples(source_images, driving_video)
