"""One picture moved by another picture or by a video: what stands behind ``facegan reenact``."""

from __future__ import annotations

import math
import os
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain, islice
from time import perf_counter
from typing import TYPE_CHECKING

import av
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from facegan.errors import InputError
from facegan.inference.driving_video import find_reference, follow, read_step
from facegan.inference.frame_composer import RenderConfig, Scene
from facegan.inference.motion_transfer import MotionTransfer, MotionTransferConfig
from facegan.io.images import downscale_to_fit, is_image, read_image, write_image
from facegan.io.prefetch import prefetch
from facegan.io.video_reader import VideoReader
from facegan.io.video_writer import VideoWriter
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from facegan.inference.animator import Animator
    from facegan.inference.driving_video import Step

    OnFrame = Callable[[NDArray[np.uint8], float], None]

BATCH = 8
MAX_VIDEO_SIDE = 3840
"""A photograph into whose whole frame a video is pasted is made no larger than this."""
VIDEO_SUFFIXES = (".mp4",)
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Summary:
    """What was made.

    Attributes:
        out: the file.
        frames: number of frames, 1 for a picture.
        faceless: number of frames in which the driver shows no face.
        fps: frames per second on average, 0 for a picture.
        sound: whether there is sound.
        seconds: how long it took.
        damage: why the driver was read only in part, or None.
        latency: by how many seconds smoothing delayed what moved, on average, or None.
    """

    out: Path
    frames: int = 1
    faceless: int = 0
    fps: float = 0.0
    sound: bool = False
    seconds: float = 0.0
    damage: str | None = None
    latency: float | None = None

    def describe(self) -> str:
        """The same in words."""
        parts = [f"{self.out}: picture"]
        if self.fps:
            sound = "with sound" if self.sound else "no sound"
            parts = [f"{self.out}: {self.frames} frames at {self.fps:.4g} fps, {sound}"]
        if self.faceless:
            parts.append(f"driver without a face in {self.faceless} frames")
        if self.damage:
            parts.append(f"driver read only up to its damage ({self.damage})")
        if self.latency is not None:
            parts.append(f"smoothed, which delays motion by {1000 * self.latency:.0f} ms on average")
        return "; ".join((*parts, f"took {self.seconds:.1f} s"))


def reenact(
    animator: Animator,
    source: Path,
    driving: Path,
    out: Path,
    *,
    control: MotionTransferConfig | None = None,
    look: RenderConfig | None = None,
    marks: ProvenanceConfig | None = None,
    face: int = 1,
    driving_face: int = 1,
    overwrite: bool = False,
    progress: bool = True,
    on_frame: OnFrame | None = None,
) -> Summary:
    """Moves the face of a picture as another face moves.

    A driving picture makes a picture. A driving video makes a video with as many frames, at the same
    times and with the same sound; where it shows no face the last motion stays, and before its first
    face the source has its own. Memory does not grow with its length.

    Args:
        animator: the model.
        source: photograph of the face to be moved.
        driving: picture or video of the face that moves.
        out: file to write: ``.mp4`` for a video, ``.png``, ``.jpg`` or ``.jpeg`` for a picture.
        control: what of the driver's motion is taken over.
        look: what is behind the head and around it.
        marks: which marks the result gets; by default all but the badge.
        face: which face of the source, 1 the largest.
        driving_face: which face of the driver.
        overwrite: replace ``out`` if it exists.
        progress: show a progress bar.
        on_frame: called with each frame of the result, and with the share of the driver that is done
            (NaN where its length is unknown). What it raises ends the work, and nothing is left.

    Raises:
        InputError: if a file cannot be read or shows no face, or ``out`` exists or has the wrong
            suffix; ``out`` is not touched.
        OSError: if the result cannot be written, for example to a full disk; nothing is left of it.
    """
    began = perf_counter()
    control, look = control or MotionTransferConfig(), look or RenderConfig()
    photograph = read_image(source)
    still = is_image(driving)
    check_out(out, PICTURE_SUFFIXES if still else VIDEO_SUFFIXES, overwrite, inputs=(source, driving))
    actions = ("reenactment", *control.describe(), *look.describe())
    marker = ProvenanceWriter(marks or ProvenanceConfig(), ManifestClaim(animator.name, actions))
    video = None if still else VideoReader(driving)
    if video is not None and look.paste_back:
        photograph = downscale_to_fit(photograph, MAX_VIDEO_SIDE)
    person = animator.prepare(photograph, source, face)
    own = person.motion[0].cpu()
    scene = Scene(animator, person, look)
    if video is None:
        step = read_step(read_image(driving), driving, driving_face)
        # A single picture has no face before it: its change is that from the neutral face.
        steering = MotionTransfer(control, own, torch.zeros_like(own) if control.relative else None)
        image = scene.draw(steering(step.motion, step.time)[None], [step])[0]
        write_image(out, image, marker)
        if on_frame:
            on_frame(image, 1.0)
        return Summary(out, seconds=perf_counter() - began)
    reference = find_reference(video, control.reference, driving_face)
    steering = MotionTransfer(control, own, reference if control.relative else None)
    frames = faceless = 0
    duration = _duration(driving)

    def drawn() -> Generator[list[tuple[Step, NDArray[np.uint8]]]]:
        with closing(prefetch(follow(video, driving_face), BATCH)) as steps:
            while batch := list(islice(steps, BATCH)):
                motion = torch.stack([steering(step.motion, step.time) for step in batch])
                yield list(zip(batch, scene.draw(motion, batch), strict=True))

    with ExitStack() as stack:
        bar = stack.enter_context(_bar(progress))
        task = bar.add_task("reenacting", total=duration)
        writer: VideoWriter | None = None
        batches = stack.enter_context(closing(prefetch(drawn(), 1)))
        for step, image in chain.from_iterable(batches):
            if writer is None:
                size = image.shape[1], image.shape[0]
                writer = stack.enter_context(VideoWriter.open(out, size, video.fps, marker, driving))
            writer.write(image, step.time)
            if on_frame:
                on_frame(image, step.time / duration if duration else math.nan)
            frames += 1
            faceless += not step.found
            bar.update(task, completed=step.time)
        sound = writer is not None and writer.sound is not None
    seconds = perf_counter() - began
    return Summary(out, frames, faceless, video.fps, sound, seconds, video.decode_error, steering.latency)


def check_out(out: Path, suffixes: tuple[str, ...], overwrite: bool, inputs: Sequence[Path]) -> None:
    """Raises InputError unless a file may be written here: never over one of the inputs."""
    if out.suffix.lower() not in suffixes:
        kind = "video" if suffixes == VIDEO_SUFFIXES else "picture"
        msg = f"cannot write {out}: the result is a {kind}, name it {' or '.join(suffixes)}"
        raise InputError(msg)
    if out.is_dir():
        msg = f"cannot write {out}: it is a folder, choose another name"
        raise InputError(msg)
    if any(out.resolve() == given.resolve() for given in inputs):
        msg = f"{out} is one of the inputs, which would be lost: choose another name"
        raise InputError(msg)
    folder = next(parent for parent in out.absolute().parents if parent.exists())
    if not os.access(folder, os.W_OK):
        msg = f"cannot write {out}: no permission in {folder}"
        raise InputError(msg)
    if out.exists() and not overwrite:
        msg = f"{out} exists: choose another name, or say to overwrite it"
        raise InputError(msg)


def _duration(path: Path) -> float | None:
    """Length of a video in seconds, if its file says so."""
    with av.open(path) as container:
        return container.duration / av.time_base if container.duration else None


def _bar(progress: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    return Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True, disable=not progress
    )
