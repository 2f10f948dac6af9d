"""Reenactment from file to file: a source image animated by a driving image or video."""

from __future__ import annotations

import math
import os
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from facegan.errors import InputError
from facegan.inference.driving_video import DrivingVideo, read_driving_image
from facegan.inference.frame_composer import FrameComposer, RenderConfig
from facegan.inference.motion_transfer import MotionTransfer, MotionTransferConfig
from facegan.io.images import downscale_to_fit, is_image, read_image, write_image
from facegan.io.prefetch import prefetch
from facegan.io.video_writer import VideoWriter
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from facegan.inference.animator import Animator
    from facegan.inference.driving_video import DrivingFrame

    OnFrame = Callable[[NDArray[np.uint8], float], None]

BATCH_SIZE = 8
MAX_VIDEO_SIDE = 3840
"""A source image into which video frames are stitched is reduced to this size."""
VIDEO_SUFFIXES = (".mp4",)
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class ReenactmentSummary:
    """Summary of a reenactment.

    Attributes:
        out: the file.
        frames: number of frames, 1 for an image.
        frames_without_face: number of driving frames without a detected face.
        fps: mean frames per second, 0 for an image.
        has_sound: whether the result has sound.
        seconds: computing time.
        decode_error: why the driving video was read only in part, or None.
        latency: mean delay by smoothing in seconds, or None.
    """

    out: Path
    frames: int = 1
    frames_without_face: int = 0
    fps: float = 0.0
    has_sound: bool = False
    seconds: float = 0.0
    decode_error: str | None = None
    latency: float | None = None

    def describe(self) -> str:
        """Describe the result in one line."""
        parts = [f"{self.out}: image"]
        if self.fps:
            sound = "with sound" if self.has_sound else "no sound"
            parts = [f"{self.out}: {self.frames} frames at {self.fps:.4g} fps, {sound}"]
        if self.frames_without_face:
            parts.append(f"{self.frames_without_face} driving frames without a face")
        if self.decode_error:
            parts.append(f"driving video read only up to its damage ({self.decode_error})")
        if self.latency is not None:
            parts.append(f"smoothing delays the motion by {1000 * self.latency:.0f} ms on average")
        return "; ".join((*parts, f"took {self.seconds:.1f} s"))


def reenact(
    animator: Animator,
    source: Path,
    driving: Path,
    out: Path,
    *,
    transfer: MotionTransferConfig | None = None,
    render: RenderConfig | None = None,
    provenance: ProvenanceConfig | None = None,
    face: int = 1,
    driving_face: int = 1,
    overwrite: bool = False,
    progress: bool = True,
    on_frame: OnFrame | None = None,
) -> ReenactmentSummary:
    """Animate the face of a source image by a driving image or video.

    A driving image gives an image. A driving video gives a video with as many frames, at the same times and
    with the same sound; in frames without a face the last motion stays, and before the first face the source
    keeps its own motion. Memory does not grow with the length of the video.

    Args:
        animator: the model.
        source: source image.
        driving: driving image or video.
        out: file to write: ``.mp4`` for a video, ``.png``, ``.jpg`` or ``.jpeg`` for an image.
        transfer: how motion is transferred.
        render: what the result shows besides the face.
        provenance: how the result is marked.
        face: which face of the source image, 1 for the largest.
        driving_face: which face of the driving image or video.
        overwrite: replace ``out`` if it exists.
        progress: show a progress bar.
        on_frame: called with each frame of the result and the completed fraction of the driving video (NaN
            if the file does not declare its duration). An exception ends the work and leaves no file.

    Raises:
        InputError: if a file cannot be read or shows no face, or ``out`` exists or has the wrong suffix;
            ``out`` is not touched.
        OSError: if the result cannot be written, for example to a full disk; no file is left.
    """
    start = perf_counter()
    transfer, render = transfer or MotionTransferConfig(), render or RenderConfig()
    image = read_image(source)
    is_video = not is_image(driving)
    check_out(out, VIDEO_SUFFIXES if is_video else IMAGE_SUFFIXES, overwrite, inputs=(source, driving))
    claim = ManifestClaim(animator.name, ("reenactment", *transfer.describe(), *render.describe()))
    marker = ProvenanceWriter(provenance or ProvenanceConfig(), claim)
    driving_video = DrivingVideo(driving, driving_face) if is_video else None
    if is_video and render.paste_back:
        image = downscale_to_fit(image, MAX_VIDEO_SIDE)
    person = animator.prepare(image, source, face)
    source_motion = person.motion[0].cpu()
    composer = FrameComposer(animator, person, render)
    if driving_video is None:
        frame = read_driving_image(read_image(driving), driving, driving_face)
        # No face precedes that of a single image: its change is counted from the neutral face.
        motion_transfer = MotionTransfer(transfer, source_motion, torch.zeros_like(source_motion))
        result = composer.compose(motion_transfer(frame.motion, frame.time)[None], [frame])[0]
        write_image(out, result, marker)
        if on_frame:
            on_frame(result, 1.0)
        return ReenactmentSummary(out, seconds=perf_counter() - start)
    reference = driving_video.find_neutral_motion() if transfer.reference == "neutral" else None
    motion_transfer = MotionTransfer(transfer, source_motion, reference)
    reader = driving_video.reader
    num_frames = frames_without_face = 0
    with closing(_compose_frames(driving_video, motion_transfer, composer)) as composed:
        first = next(composed)
        height, width = first[1].shape[:2]
        with (
            VideoWriter.open(out, (width, height), reader.fps, marker, driving) as writer,
            _bar(progress) as bar,
        ):
            task = bar.add_task("reenacting", total=reader.duration)
            for frame, result in chain([first], composed):
                writer.write(result, frame.time)
                if on_frame:
                    on_frame(result, frame.time / reader.duration if reader.duration else math.nan)
                num_frames += 1
                frames_without_face += not frame.detected
                bar.update(task, completed=frame.time)
            has_sound = writer.sound is not None
    return ReenactmentSummary(
        out,
        num_frames,
        frames_without_face,
        reader.fps,
        has_sound,
        perf_counter() - start,
        reader.decode_error,
        motion_transfer.latency,
    )


def check_out(out: Path, suffixes: tuple[str, ...], overwrite: bool, inputs: Sequence[Path]) -> None:
    """Check that a result may be written to a file, which must never be one of the inputs.

    Raises:
        InputError: if the file has another suffix, is a folder or an input, cannot be written, or exists and
            is not to be overwritten.
    """
    if out.suffix.lower() not in suffixes:
        kind = "a video" if suffixes == VIDEO_SUFFIXES else "an image"
        msg = f"cannot write {out}: the result is {kind}, name it {' or '.join(suffixes)}"
        raise InputError(msg)
    if out.is_dir():
        msg = f"cannot write {out}: it is a folder, choose another name"
        raise InputError(msg)
    if any(out.resolve() == path.resolve() for path in inputs):
        msg = f"{out} is one of the inputs, which would be lost: choose another name"
        raise InputError(msg)
    folder = next(parent for parent in out.absolute().parents if parent.exists())
    if not os.access(folder, os.W_OK):
        msg = f"cannot write {out}: no permission in {folder}"
        raise InputError(msg)
    if out.exists() and not overwrite:
        msg = f"{out} exists: choose another name, or say to overwrite it"
        raise InputError(msg)


def _compose_frames(
    driving_video: DrivingVideo, motion_transfer: MotionTransfer, composer: FrameComposer
) -> Generator[tuple[DrivingFrame, NDArray[np.uint8]]]:
    """Yield driving frames with their results; batches are composed ahead in a thread."""

    def compose_batches() -> Generator[list[tuple[DrivingFrame, NDArray[np.uint8]]]]:
        with closing(iter(driving_video)) as frames:
            while batch := list(islice(frames, BATCH_SIZE)):
                motions = torch.stack([motion_transfer(frame.motion, frame.time) for frame in batch])
                yield list(zip(batch, composer.compose(motions, batch), strict=True))

    with closing(prefetch(compose_batches(), 1)) as batches:
        for batch in batches:
            yield from batch


def _bar(progress: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    return Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True, disable=not progress
    )
