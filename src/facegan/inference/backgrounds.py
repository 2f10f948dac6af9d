"""What stands behind the head: a picture, a video or a color."""

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


class Background:
    """A background at any time; made by :func:`open_background`.

    Args:
        frames: times in seconds from 0, increasing, and pictures 1×3×S×S in -1..1.
    """

    def __init__(self, frames: Iterator[tuple[float, Tensor]]) -> None:
        self._frames = frames
        _, self._shown = next(frames)
        self._next = next(frames, None)

    def at(self, time: float) -> Tensor:
        """The picture, 1×3×S×S in -1..1.

        Args:
            time: in seconds; must not run backwards.
        """
        while self._next is not None and self._next[0] <= time:
            self._shown = self._next[1]
            self._next = next(self._frames, None)
        return self._shown


def open_background(what: str, size: int) -> Background:
    """A background; of pictures the largest square in the middle, videos begin anew at their end.

    Args:
        what: file of a picture or a video; or a color: ``#rrggbb`` or a name.
        size: S in pixels.

    Raises:
        InputError: if it is none of these.
    """
    path = Path(what)
    if not path.exists() and (color := _color(what)) is not None:
        return Background(iter([(0.0, image_to_tensor(np.full((size, size, 3), color, np.uint8))[None])]))
    if not path.exists():
        msg = f"cannot read {what} as a background: it is neither a file nor a color (#rrggbb or a name)"
        raise InputError(msg)
    if is_image(path):
        return Background(iter([(0.0, image_to_tensor(center_crop(read_image(path), size))[None])]))
    return Background(_loop(VideoReader(path), size))


def _loop(video: VideoReader, size: int) -> Iterator[tuple[float, Tensor]]:
    start = 0.0
    while True:
        time = 0.0
        for _, time, image in video.frames():
            yield start + time, image_to_tensor(center_crop(image, size))[None]
        start += time + 1 / video.fps


def _color(name: str) -> tuple[int, ...] | None:
    try:
        return ImageColor.getrgb(name)[:3]
    except ValueError:
        return None
