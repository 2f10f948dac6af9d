"""A run of pictures in place of a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from facegan.io.video_reader import Frame
    from facegan.preparation.sources import LabeledImage


class ImageSequenceReader:
    """Pictures as a stream of frames, as :class:`VideoReader` delivers those of a video.

    Args:
        pictures: in their order.

    Attributes:
        fps: 1: nobody knows when they were taken; their times are their numbers.
        shot_index: 0.
        decode_error: after a pass, which picture could not be read, or None; the others are delivered.
    """

    fps = 1.0
    shot_index = 0

    def __init__(self, pictures: Sequence[LabeledImage]) -> None:
        self._pictures = pictures
        self.decode_error: str | None = None

    def frames(self, every: int = 1, rate: float | None = None) -> Iterator[Frame]:
        """One pass over the pictures, each ``every``-th; nobody knows how many there are a second.

        Raises:
            InputError: if none can be read.
        """
        self.decode_error = None
        delivered = 0
        for index in range(0, len(self._pictures), every):
            image = cv2.imread(str(self._pictures[index].path), cv2.IMREAD_COLOR)
            if image is None:
                self.decode_error = f"cannot read {self._pictures[index].path.name}"
                continue
            delivered += 1
            yield index, index / self.fps, np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        if not delivered:
            msg = f"no picture can be read, such as {self._pictures[0].path}"
            raise InputError(msg)
