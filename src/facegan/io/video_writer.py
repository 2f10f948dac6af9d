"""Write H.264 videos that may keep the times and the sound of another video."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Self

import av
from av.video.reformatter import ColorRange, Colorspace

from facegan.io.atomic import atomic_file
from facegan.io.sound import Sound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from av.container import InputContainer, OutputContainer
    from numpy.typing import NDArray

    from facegan.io.result_marker import ResultMarker

OPTIONS = {"crf": "18"}
BT709 = 1
"""Number of the standard's matrix, primaries and transfer alike."""
DEFAULT_TIME_BASE = Fraction(1, 90_000)


class VideoWriter:
    """Encode frames as H.264 in mp4, with BT.709 colors; constructed by :meth:`open`.

    Attributes:
        sound: the sound of the driving video, or None.
    """

    def __init__(
        self,
        container: OutputContainer,
        driving: InputContainer | None,
        size: tuple[int, int],
        fps: float,
        marker: ResultMarker | None,
    ) -> None:
        self._container = container
        self._marker = marker
        original = driving and driving.streams.best("video")
        self._time_base = (original and original.time_base) or DEFAULT_TIME_BASE
        self._pts = -1
        self._stream = container.add_stream(
            "libx264", rate=Fraction(fps).limit_denominator(1001), options=OPTIONS
        )
        self._stream.width, self._stream.height = (side - side % 2 for side in size)
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = self._time_base
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = ColorRange.MPEG
        self.sound = Sound.find(driving, container) if driving else None

    @classmethod
    @contextmanager
    def open(
        cls,
        path: Path,
        size: tuple[int, int],
        fps: float,
        marker: ResultMarker | None = None,
        driving: Path | None = None,
    ) -> Iterator[Self]:
        """Open a writer; the file appears when the block ends without an error, else nothing is left.

        Args:
            path: the .mp4 file; an earlier one is replaced, a missing folder is made.
            size: width and height of the frames in pixels; an odd last column or row is dropped, as
                H.264 demands.
            fps: frames per second on average.
            marker: marks every frame and signs the file before it appears; None for neither.
            driving: video whose time base and sound are kept.

        Raises:
            OSError: here or in the block, if the file cannot be written, for example to a full disk.
        """
        with atomic_file(path, overwrite=True) as temporary:
            with ExitStack() as stack:
                original = stack.enter_context(av.open(driving)) if driving else None
                container = stack.enter_context(av.open(temporary, "w", format="mp4"))
                writer = cls(container, original, size, fps, marker)
                yield writer
                writer._finish()
            if marker:
                marker.sign(temporary)

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Append a frame.

        Args:
            image: H×W×3, RGB.
            time: seconds since the start of the video, increasing.
        """
        even = image[: self._stream.height, : self._stream.width]
        marked = self._marker.mark(even) if self._marker else even
        frame = av.VideoFrame.from_ndarray(marked, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        self._pts = frame.pts = max(round(time / self._time_base), self._pts + 1)
        frame.time_base = self._time_base
        self._container.mux(self._stream.encode(frame))
        if self.sound:
            self.sound.write(until=time)

    def _finish(self) -> None:
        self._container.mux(self._stream.encode())
        if self.sound:
            self.sound.write()


def write_video(path: Path, images: Iterable[NDArray[np.uint8]], fps: float) -> None:
    """Write images of one size, H×W×3 RGB, as a silent video of a constant frame rate.

    Args:
        path: the .mp4 file; an earlier one is replaced, a missing folder is made.
        images: one or more, taken one by one.
        fps: frames per second.
    """
    with ExitStack() as stack:
        writer: VideoWriter | None = None
        for number, image in enumerate(images):
            if writer is None:
                size = image.shape[1], image.shape[0]
                writer = stack.enter_context(VideoWriter.open(path, size, fps))
            writer.write(image, number / fps)
