"""One picture moved by numbers with names: what stands behind ``facegan edit``."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import torch

from facegan.errors import InputError
from facegan.geometry.motion import (
    ACTION_UNIT_GRID_DEGREES,
    ACTION_UNIT_GRID_LABELS,
    MOTION_NAMES,
    NUM_MOTION_PARAMS,
    POSE_ANGLES,
    build_action_unit_grid,
    edit_motion,
)
from facegan.inference.frame_composer import RenderConfig, Scene
from facegan.inference.motion_transfer import LARGEST_ANGLE
from facegan.inference.reenact import MAX_VIDEO_SIDE, PICTURE_SUFFIXES, VIDEO_SUFFIXES, check_out
from facegan.io.image_grid import make_image_grid
from facegan.io.images import downscale_to_fit, read_image, write_image
from facegan.io.video_writer import VideoWriter
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.inference.animator import Animator, Source

RATE = 25
BATCH = 8


def edit(
    animator: Animator, source: Source, values: Mapping[str, float], look: RenderConfig | None = None
) -> NDArray[np.uint8]:
    """A face with some of its 20 numbers set, the others its own.

    Args:
        animator: the model.
        source: the face.
        values: name to value: action units as 0..1, angles in degrees.
        look: what is behind the head and around it.

    Returns:
        S×S×3, or as large as the photograph if pasted back into it.

    Raises:
        InputError: for a name that is not one of the 20, or a value beyond its range.
    """
    motion = edit_motion(source.motion.cpu(), check(values))
    return Scene(animator, source, look or RenderConfig()).draw(motion)[0]


def edit_grid(animator: Animator, source: Source, values: Mapping[str, float]) -> NDArray[np.uint8]:
    """Every number moved alone, as in the paper's experiment 4: a column a number, a row a value.

    Arguments as for :func:`edit`; ``values`` hold in all pictures.
    """
    base = edit_motion(source.motion[0].cpu(), check(values))
    scene = Scene(animator, source, RenderConfig())
    rows = [np.stack(scene.draw(row)) for row in build_action_unit_grid(base).unbind(dim=1)]
    return make_image_grid(np.stack(rows), MOTION_NAMES, ACTION_UNIT_GRID_LABELS)


def edit_frames(
    animator: Animator,
    source: Source,
    name: str,
    values: Mapping[str, float],
    seconds: float,
    look: RenderConfig | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Frames in which one number goes from its least value to its greatest and back, at 25 a second.

    Args:
        animator: the model.
        source: the face.
        name: of the number.
        values: of other numbers, as for :func:`edit`.
        seconds: for the way there and back.
        look: what is behind the head and around it.
    """
    base = edit_motion(source.motion[0].cpu(), check(values))
    low, high = limits(name)
    count = max(2, round(seconds * RATE))
    way = [(1 - math.cos(2 * math.pi * index / count)) / 2 for index in range(count)]
    scene = Scene(animator, source, look or RenderConfig())
    for start in range(0, count, BATCH):
        part = way[start : start + BATCH]
        motion = torch.stack([edit_motion(base, {name: low + share * (high - low)}) for share in part])
        yield from scene.draw(motion, times=[(start + index) / RATE for index in range(len(part))])


def write_edit(
    animator: Animator,
    source: Path,
    out: Path,
    values: Mapping[str, float],
    *,
    grid: bool = False,
    animate: str | None = None,
    seconds: float = 4.0,
    look: RenderConfig | None = None,
    marks: ProvenanceConfig | None = None,
    face: int = 1,
    overwrite: bool = False,
) -> None:
    """From file to file, marked: :func:`edit`, or the grid, or the video of one number.

    Args:
        animator: the model.
        source: photograph of the face.
        out: ``.png``, ``.jpg`` or ``.jpeg``; ``.mp4`` for a video.
        values: as for :func:`edit`.
        grid: draw :func:`edit_grid`.
        animate: name of the number that a video moves.
        seconds: length of the video.
        look: what is behind the head and around it.
        marks: which marks the result gets; by default all but the badge.
        face: which face of the photograph, 1 the largest.
        overwrite: replace ``out`` if it exists.

    Raises:
        InputError: for bad files or values; ``out`` is not touched.
        OSError: if the result cannot be written; nothing is left of it.
    """
    look = look or RenderConfig()
    check(values)
    if grid and (animate or look != RenderConfig()):
        msg = "a grid shows the face alone: leave out the video, the background and pasting back"
        raise InputError(msg)
    if not values and not grid and animate is None:
        msg = "nothing to edit: set a number, for example AU12=0.8, or ask for a grid or a video"
        raise InputError(msg)
    if animate is not None and not (seconds > 0 and limits(animate)):
        msg = f"a video cannot last {seconds:g} seconds: choose more than 0"
        raise InputError(msg)
    check_out(out, VIDEO_SUFFIXES if animate else PICTURE_SUFFIXES, overwrite, inputs=(source,))
    moved = [f"{name} = {value:g}" for name, value in values.items()]
    moved += ["grid of all numbers"] * grid + ([f"{animate} from end to end"] if animate else [])
    marker = ProvenanceWriter(
        marks or ProvenanceConfig(), ManifestClaim(animator.name, ("edit", *moved, *look.describe()))
    )
    photograph = read_image(source)
    if animate and look.paste_back:
        photograph = downscale_to_fit(photograph, MAX_VIDEO_SIDE)
    person = animator.prepare(photograph, source, face)
    if animate is None:
        image = edit_grid(animator, person, values) if grid else edit(animator, person, values, look)
        write_image(out, image, marker)
        return
    frames = edit_frames(animator, person, animate, values, seconds, look)
    first = next(frames)
    with VideoWriter.open(out, (first.shape[1], first.shape[0]), RATE, marker) as writer:
        for index, frame in enumerate(chain([first], frames)):
            writer.write(frame, index / RATE)


def limits(name: str) -> tuple[float, float]:
    """Least and greatest value of a number: of action units 0 and 1, of angles degrees.

    Raises:
        InputError: for a name that is not one of the 20.
    """
    edit_motion(torch.zeros(NUM_MOTION_PARAMS), {name: 0.0})
    return (ACTION_UNIT_GRID_DEGREES[0], ACTION_UNIT_GRID_DEGREES[-1]) if name in POSE_ANGLES else (0.0, 1.0)


def check(values: Mapping[str, float]) -> Mapping[str, float]:
    """The same values.

    Raises:
        InputError: for a name that is not one of the 20, an action unit beyond 0..1, or an angle beyond
            60 degrees.
    """
    for name, value in values.items():
        low, high = (-LARGEST_ANGLE, LARGEST_ANGLE) if name in POSE_ANGLES else limits(name)
        if not low <= value <= high:
            unit = " degrees" if name in POSE_ANGLES else ""
            msg = f"{name}={value:g} is beyond its range: {low:g} to {high:g}{unit}"
            raise InputError(msg)
    return values
