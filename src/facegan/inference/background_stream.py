"""Background behind the head: an image, a video or a color."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageColor

from facegan.errors import InputError
from facegan.io.images import center_crop, image_to_tensor, is_image, read_image
from facegan.io.video_reader import VideoReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor


class BackgroundStream:
    """Background as a function of time, created by :func:`open_background`.

    Args:
        frames: pairs of a time in seconds, from 0 and increasing, and an image 1×3×S×S in -1..1.
    """

    def __init__(self, frames: Iterator[tuple[float, Tensor]]) -> None:
        self._frames = frames
        _, self._current = next(frames)
        self._next = next(frames, None)

    def at(self, time: float) -> Tensor:
        """Return the image at a time, 1×3×S×S in -1..1.

        Args:
            time: time in seconds; must not decrease from call to call.
        """
        while self._next is not None and self._next[0] <= time:
            self._current = self._next[1]
            self._next = next(self._frames, None)
        return self._current


def open_background(background: str, size: int) -> BackgroundStream:
    """Open a background; files are cropped to their central square, videos repeat.

    Args:
        background: path of an image or a video, or a color: ``#rrggbb`` or a name.
        size: side S in pixels.

    Raises:
        InputError: if it is none of these.
    """
    path = Path(background)
    if not path.exists() and (color := _parse_color(background)) is not None:
        return BackgroundStream(
            iter([(0.0, image_to_tensor(np.full((size, size, 3), color, np.uint8))[None])])
        )
    if not path.exists():
        msg = (
            f"cannot read {background} as a background: it is neither a file nor a color (#rrggbb or a name)"
        )
        raise InputError(msg)
    if is_image(path):
        return BackgroundStream(iter([(0.0, image_to_tensor(center_crop(read_image(path), size))[None])]))
    return BackgroundStream(_repeat_video(VideoReader(path), size))


def _repeat_video(video: VideoReader, size: int) -> Iterator[tuple[float, Tensor]]:
    start = 0.0
    while True:
        time = 0.0
        for _, time, image in video.frames():
            yield start + time, image_to_tensor(center_crop(image, size))[None]
        start += time + 1 / video.fps


def _parse_color(name: str) -> tuple[int, ...] | None:
    try:
        return ImageColor.getrgb(name)[:3]
    except ValueError:
        return None
