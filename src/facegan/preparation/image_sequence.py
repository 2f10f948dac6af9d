"""Read a sequence of images as a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegan.errors import InputError
from facegan.io.images import read_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from facegan.io.video_reader import Frame
    from facegan.preparation.sources import LabeledImage


class ImageSequenceReader:
    """Images as a stream of frames, with the interface of :class:`facegan.io.video_reader.VideoReader`.

    Args:
        images: the images in their order.

    Attributes:
        fps: 1; the true rate is unknown, and the time of an image is its index.
        shot_index: 0.
        are_photos: whether these are the photographs of a session, not the frames of a video.
        decode_error: after a pass, which image could not be read, or None; the others are delivered.
    """

    fps = 1.0
    shot_index = 0

    def __init__(self, images: Sequence[LabeledImage]) -> None:
        self._images = images
        self.are_photos = all(image.box is None for image in images)
        self.decode_error: str | None = None

    def frames(self, frame_stride: int = 1, _sample_fps: float | None = None) -> Iterator[Frame]:
        """Deliver each ``frame_stride``-th image; the frame rate is unknown, so that it cannot be resampled.

        Raises:
            InputError: if none can be read.
        """
        self.decode_error = None
        delivered = 0
        for index in range(0, len(self._images), frame_stride):
            try:
                image = read_image(self._images[index].path)
            except InputError:
                self.decode_error = f"cannot read {self._images[index].path.name}"
                continue
            delivered += 1
            yield index, index / self.fps, image
        if not delivered:
            msg = f"no image can be read, such as {self._images[0].path}"
            raise InputError(msg)
