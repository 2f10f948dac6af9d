"""Read videos frame by frame, upright, each frame with its time."""

from __future__ import annotations

import codecs
import math
from typing import TYPE_CHECKING, TypeAlias

import av
import numpy as np
from av.stream import Disposition

from facegan.errors import InputError
from facegan.io.shot_boundary import ShotBoundaryDetector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction
    from pathlib import Path

    from av.container import InputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

Frame: TypeAlias = "tuple[int, float, NDArray[np.uint8]]"
"""Index in the file from 0; seconds since the start of the file (video or sound, whichever is first),
strictly increasing; H×W×3 RGB, upright, with square pixels."""

DEFAULT_RATE = 25.0
THUMBNAIL = 32
"""Side of the thumbnails by which shot boundaries are detected."""
TEXT = 512
"""Number of first bytes that distinguish a text from a video."""
MIN_STEP = 1e-3  # seconds between frames of equal time stamps


class VideoReader:
    """Decode a video file as a stream of frames, with one frame in memory; several passes are possible.

    Rotation flags, pixel aspect ratios and variable frame rates are honored. Frames after the first
    decoding error are not delivered; ``decode_error`` says what was wrong.

    Args:
        path: a file in any container and codec that FFmpeg reads.

    Attributes:
        fps: average frames per second.
        duration: length in seconds, None if the file does not declare it.
        shot_index: number of shot boundaries before the last delivered frame.
        decode_error: after a pass, the reason why it ended early, or None.

    Raises:
        InputError: if the file is no video (empty, unreadable, an image, only sound); while reading, if no
            frame can be decoded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.decode_error: str | None = None
        self.shot_index = 0
        # Kept for the first pass, so that the file is opened once.
        self._container: InputContainer | None = self._open()
        stream = _video_stream(self._container, path)
        self.fps = float(stream.average_rate or stream.guessed_rate or DEFAULT_RATE)
        duration = self._container.duration
        self.duration = duration / av.time_base if duration else None

    def frames(self, frame_stride: int = 1, sample_fps: float | None = None) -> Iterator[Frame]:
        """Iterate over the frames.

        Args:
            frame_stride: deliver only each ``frame_stride``-th frame.
            sample_fps: of these, deliver so many per second; None for all.
        """
        self.decode_error, self.shot_index = None, 0
        cuts = ShotBoundaryDetector()
        due = 0
        index = -1
        opened, self._container = self._container or self._open(), None
        with opened as container:
            stream = _video_stream(container, self.path)
            # Times count from the start of the container, so that image and sound stay together.
            start = (container.start_time or 0) / av.time_base
            # AVI files hold a rate and no times; those that FFmpeg guesses are wrong for H.264.
            untimed = container.format.name == "avi"
            time = -MIN_STEP
            for index, frame in enumerate(self._decode(container, stream)):
                if untimed or frame.time is None:
                    time = time + 1 / self.fps if index else 0.0
                else:
                    time = max(frame.time - start, time + MIN_STEP)
                # Every frame is compared: skipped frames must not change the shot boundaries.
                small = frame.to_ndarray(format="rgb24", width=THUMBNAIL, height=THUMBNAIL)
                self.shot_index += cuts.update(np.asarray(small, np.uint8))
                if index % frame_stride == 0 and (sample_fps is None or time * sample_fps >= due - MIN_STEP):
                    due = math.floor(time * (sample_fps or 0) + MIN_STEP) + 1
                    yield index, time, _upright(frame, stream.sample_aspect_ratio)
        if index < 0:
            msg = f"cannot read {self.path}: no frame can be decoded ({self.decode_error or 'no image data'})"
            raise InputError(msg)

    def _open(self) -> InputContainer:
        try:
            if _is_text(self.path):
                # FFmpeg would follow playlists and scripts to the files that they name.
                msg = f"cannot read {self.path} as a video: it is a text"
                raise InputError(msg)
            return av.open(self.path)
        except (av.error.FFmpegError, OSError) as error:
            if self.path.is_file() and self.path.stat().st_size == 0:
                reason = "the file is empty"
            else:
                reason = error.strerror or str(error)
            msg = f"cannot read {self.path} as a video: {reason}"
            raise InputError(msg) from error

    def _decode(self, container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
        """Decode frames up to the first error; undecodable packets before the first frame are skipped."""
        started = False
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                frames = packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError as error:
                self.decode_error = error.strerror or str(error)
                if started or packet is None:
                    return
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self.decode_error = "damaged image data"
                    if started:
                        return
                    continue
                started = True
                self.decode_error = None
                yield frame


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(TEXT)
    try:
        words = codecs.getincrementaldecoder("utf-8-sig")().decode(head)  # its last character may be cut
    except UnicodeDecodeError:
        return False
    if words.startswith("YUV4MPEG2"):  # raw pixels after a line of text
        return False
    return bool(words) and all(letter.isprintable() or letter.isspace() for letter in words)


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    if container.format.name == "image2" or container.format.name.endswith("_pipe"):
        msg = f"cannot read {path} as a video: it is an image"
        raise InputError(msg)
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        msg = f"cannot read {path} as a video: it has no video stream"
        raise InputError(msg)
    return streams[0]


def _upright(frame: av.VideoFrame, pixel_aspect: Fraction | None) -> NDArray[np.uint8]:
    """Convert a frame to RGB with square pixels and apply its rotation."""
    image = frame.to_ndarray(format="rgb24", width=round(frame.width * (pixel_aspect or 1)))
    # The display matrix turns counterclockwise, and so does rot90.
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))
