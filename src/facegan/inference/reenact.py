"""One picture moved by another picture or by a video: what stands behind ``facegan reenact``."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING

import av
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from facegan.errors import InputError
from facegan.inference.driver import follow, read_motion
from facegan.inference.pictures import cover, is_picture, read_picture, to_images, to_tensor, write_picture
from facegan.inference.writer import VideoWriter
from facegan.preparation.video import VideoReader

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from facegan.inference.animator import Animator, Source

BATCH = 8
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
    """

    out: Path
    frames: int
    faceless: int
    fps: float
    sound: bool
    seconds: float
    damage: str | None

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
        return "; ".join((*parts, f"took {self.seconds:.1f} s"))


def reenact(
    animator: Animator,
    source: Path,
    driving: Path,
    out: Path,
    *,
    background: Path | None = None,
    overwrite: bool = False,
    progress: bool = True,
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
        background: picture to put behind the head in place of the source's background.
        overwrite: replace ``out`` if it exists.
        progress: show a progress bar.

    Raises:
        InputError: if a file cannot be read or shows no face, or ``out`` exists or has the wrong
            suffix; ``out`` is not touched.
        OSError: if the result cannot be written, for example to a full disk; nothing is left of it.
    """
    began = perf_counter()
    still = is_picture(driving)
    _check_out(out, still, overwrite)
    video = None if still else VideoReader(driving)
    face = animator.prepare(read_picture(source), source)
    behind = to_tensor(cover(read_picture(background), animator.size)) if background else None
    if video is None:
        write_picture(out, to_images(animator.animate(face, read_motion(driving), behind))[0])
        return Summary(out, 1, 0, 0.0, sound=False, seconds=perf_counter() - began, damage=None)
    frames, faceless, sound = _write_video(animator, face, behind, video, out, progress)
    return Summary(out, frames, faceless, video.rate, sound, perf_counter() - began, video.damage)


def _write_video(
    animator: Animator,
    source: Source,
    background: Tensor | None,
    video: VideoReader,
    out: Path,
    progress: bool,
) -> tuple[int, int, bool]:
    """Number of frames, of those without a face, and whether there is sound."""
    frames = faceless = 0
    writer: VideoWriter | None = None
    with ExitStack() as stack:
        bar = stack.enter_context(_bar(progress))
        task = bar.add_task("reenacting", total=_duration(video.path))
        steps = stack.enter_context(closing(follow(video, source.motion[0].cpu())))
        while batch := list(islice(steps, BATCH)):
            if writer is None:  # only now it is sure that there is a face
                size = (animator.size, animator.size)
                writer = stack.enter_context(VideoWriter.open(out, video.path, size, video.rate))
            motion = torch.stack([step.motion for step in batch])
            images = to_images(animator.animate(source, motion, background))
            for step, image in zip(batch, images, strict=True):
                writer.write(image, step.time)
            frames += len(batch)
            faceless += sum(not step.found for step in batch)
            bar.update(task, completed=batch[-1].time)
    return frames, faceless, writer is not None and writer.sound is not None


def _check_out(out: Path, still: bool, overwrite: bool) -> None:
    suffixes = PICTURE_SUFFIXES if still else VIDEO_SUFFIXES
    if out.suffix.lower() not in suffixes:
        kind = "picture" if still else "video"
        msg = f"cannot write {out}: a driving {kind} makes a {kind}, name it {' or '.join(suffixes)}"
        raise InputError(msg)
    if out.is_dir():
        msg = f"cannot write {out}: it is a folder, choose another name"
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
