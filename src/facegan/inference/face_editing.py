"""Editing of a source face by named motion parameters: images, the action-unit grid, videos."""

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
    POSE_ANGLES,
    build_action_unit_grid,
    edit_motion,
)
from facegan.inference.frame_composer import FrameComposer, RenderConfig
from facegan.inference.motion_transfer import MAX_DEGREES, normalize_motion_names
from facegan.inference.video_reenactment import IMAGE_SUFFIXES, MAX_VIDEO_SIDE, VIDEO_SUFFIXES, check_out
from facegan.io.image_grid import make_image_grid
from facegan.io.images import downscale_to_fit, read_image, write_image
from facegan.io.video_writer import VideoWriter
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.inference.animator import Animator, Source

FPS = 25
BATCH_SIZE = 8


def edit(
    animator: Animator, source: Source, values: Mapping[str, float], render: RenderConfig | None = None
) -> NDArray[np.uint8]:
    """Render a face with some of its motion parameters set, the others its own.

    Args:
        animator: the model.
        source: the face.
        values: action units in 0..1 and pose angles in degrees, by name.
        render: what the image shows besides the face.

    Returns:
        S×S×3, or the size of the source image if the face is stitched into it.

    Raises:
        InputError: if a name is not that of a motion parameter, or a value is out of range.
    """
    motion = edit_motion(source.motion.cpu(), check_values(values))
    return FrameComposer(animator, source, render or RenderConfig()).compose(motion)[0]


def edit_grid(animator: Animator, source: Source, values: Mapping[str, float]) -> NDArray[np.uint8]:
    """Render the action-unit grid (experiment 4 of the paper): a column per parameter, a row per value.

    Args:
        animator: the model.
        source: the face.
        values: values of other parameters in all images, as for :func:`edit`.
    """
    base = edit_motion(source.motion[0].cpu(), check_values(values))
    composer = FrameComposer(animator, source, RenderConfig())
    rows = [np.stack(composer.compose(row)) for row in build_action_unit_grid(base).unbind(dim=1)]
    return make_image_grid(np.stack(rows), MOTION_NAMES, ACTION_UNIT_GRID_LABELS)


def edit_frames(
    animator: Animator,
    source: Source,
    name: str,
    values: Mapping[str, float],
    seconds: float,
    render: RenderConfig | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Render frames in which one parameter goes from its minimum to its maximum and back, at 25 per second.

    Args:
        animator: the model.
        source: the face.
        name: name of the parameter.
        values: values of other parameters, as for :func:`edit`.
        seconds: length of the video.
        render: what the frames show besides the face.
    """
    base = edit_motion(source.motion[0].cpu(), check_values(values))
    low, high = value_range(name)
    count = max(2, round(seconds * FPS))
    phases = [(1 - math.cos(2 * math.pi * index / count)) / 2 for index in range(count)]
    composer = FrameComposer(animator, source, render or RenderConfig())
    for start in range(0, count, BATCH_SIZE):
        batch = phases[start : start + BATCH_SIZE]
        motions = torch.stack([edit_motion(base, {name: low + phase * (high - low)}) for phase in batch])
        yield from composer.compose(motions, times=[(start + index) / FPS for index in range(len(batch))])


def write_edit(
    animator: Animator,
    source: Path,
    out: Path,
    values: Mapping[str, float],
    *,
    grid: bool = False,
    animate: str | None = None,
    seconds: float = 4.0,
    render: RenderConfig | None = None,
    provenance: ProvenanceConfig | None = None,
    face: int = 1,
    overwrite: bool = False,
) -> None:
    """Edit a source image from file to file: one image, the action-unit grid, or a video of one parameter.

    Args:
        animator: the model.
        source: source image.
        out: ``.png``, ``.jpg`` or ``.jpeg``; ``.mp4`` for a video.
        values: as for :func:`edit`.
        grid: render :func:`edit_grid`.
        animate: name of the parameter that varies in a video.
        seconds: length of the video.
        render: what the result shows besides the face.
        provenance: how the result is marked.
        face: which face of the source image, 1 for the largest.
        overwrite: replace ``out`` if it exists.

    Raises:
        InputError: for bad files or values; ``out`` is not touched.
        OSError: if the result cannot be written; no file is left.
    """
    render = render or RenderConfig()
    values = check_values(values)
    if grid and (animate or render != RenderConfig()):
        msg = "a grid shows the face alone: leave out the video, the background and pasting back"
        raise InputError(msg)
    if not values and not grid and animate is None:
        msg = "nothing to edit: set a value, for example AU12=0.8, or ask for a grid or a video"
        raise InputError(msg)
    if animate is not None:
        (animate,) = normalize_motion_names({animate: 0.0})
        if not seconds > 0:
            msg = f"a video cannot last {seconds:g} seconds: choose more than 0"
            raise InputError(msg)
    check_out(out, VIDEO_SUFFIXES if animate else IMAGE_SUFFIXES, overwrite, inputs=(source,))
    actions = [f"{name} = {value:g}" for name, value in values.items()]
    actions += ["action-unit grid"] * grid + ([f"{animate} over its range"] if animate else [])
    claim = ManifestClaim(animator.name, ("edit", *actions, *render.describe()))
    marker = ProvenanceWriter(provenance or ProvenanceConfig(), claim)
    image = read_image(source)
    if animate and render.paste_back:
        image = downscale_to_fit(image, MAX_VIDEO_SIDE)
    person = animator.prepare(image, source, face)
    if animate is None:
        result = edit_grid(animator, person, values) if grid else edit(animator, person, values, render)
        write_image(out, result, marker)
        return
    frames = edit_frames(animator, person, animate, values, seconds, render)
    first = next(frames)
    with VideoWriter.open(out, (first.shape[1], first.shape[0]), FPS, marker) as writer:
        for index, frame in enumerate(chain([first], frames)):
            writer.write(frame, index / FPS)


def value_range(name: str) -> tuple[float, float]:
    """Return the range over which a parameter is animated: of pose angles in degrees.

    Args:
        name: name of a motion parameter.
    """
    if name in POSE_ANGLES:
        return ACTION_UNIT_GRID_DEGREES[0], ACTION_UNIT_GRID_DEGREES[-1]
    return 0.0, 1.0


def check_values(values: Mapping[str, float]) -> dict[str, float]:
    """Return the values by the standard names of the motion parameters.

    Raises:
        InputError: if a name is not that of a motion parameter, an action unit is not in 0..1, or a pose
            angle is beyond 60 degrees.
    """
    values = normalize_motion_names(values)
    for name, value in values.items():
        low, high = (-MAX_DEGREES, MAX_DEGREES) if name in POSE_ANGLES else (0.0, 1.0)
        if not low <= value <= high:
            unit = " degrees" if name in POSE_ANGLES else ""
            msg = f"{name}={value:g} is out of range: {low:g} to {high:g}{unit}"
            raise InputError(msg)
    return values
