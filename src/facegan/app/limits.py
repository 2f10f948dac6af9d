"""What the page takes: the kind is told by the content, the size before anything large is decoded."""

from __future__ import annotations

import base64
import io
import math
import warnings
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import Image

from facegan.errors import InputError
from facegan.io.images import FORMATS, is_image, read_image
from facegan.io.video_reader import VideoReader

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAX_MEGABYTES = 100
"""Of an upload."""
MAX_MEGAPIXELS = 64
"""Of a picture: the largest that telephones make without being asked."""
MAX_FRAME_MEGAPIXELS = 9
"""Of a video's frame: 4K."""
MAX_FRAME_BYTES = 6_000_000
"""Of the camera, in base64."""
CAMERA_FORMATS = ("JPEG", "PNG", "WEBP")
FORMATS_OF_VIDEO = (
    *("mov", "mp4", "matroska", "webm", "avi", "gif", "apng", "mpegts", "mpeg", "flv", "ogg", "asf", "mjpeg"),
    *("mp3", "wav", "flac", "aac"),
)
"""FFmpeg knows more, but among it are playlists and scripts, which name other files. Sound is let through
to be refused by name."""
MAX_SECONDS = 60
MAX_FRAMES = 60 * MAX_SECONDS


def read_upload(path: Path) -> NDArray[np.uint8]:
    """A picture that somebody sent, H×W×3 RGB and upright.

    Raises:
        InputError: if it is none, or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                pixels = math.prod(image.size)
    except Exception:  # what is wrong with it, read_image says in words
        pixels = 0
    if pixels > MAX_MEGAPIXELS * 1_000_000:
        msg = f"{path} has {pixels / 1e6:.0f} megapixels: make it smaller, at most {MAX_MEGAPIXELS}"
        raise InputError(msg)
    return read_image(path)


def read_frame(sent: str | None) -> NDArray[np.uint8]:
    """A frame of the camera, as a browser sends it: a picture as a ``data:`` address.

    Returns:
        H×W×3, RGB.

    Raises:
        InputError: if it is none.
    """
    kind, _, text = (sent or "").partition(",")
    try:
        if not kind.startswith("data:image/") or len(text) > MAX_FRAME_BYTES:
            raise ValueError
        with Image.open(io.BytesIO(base64.b64decode(text)), formats=CAMERA_FORMATS) as image:
            if math.prod(image.size) > MAX_FRAME_MEGAPIXELS * 1_000_000:
                raise ValueError
            return np.array(image.convert("RGB"))
    except Exception as error:
        msg = "cannot read the camera's picture: stop the camera and start it again"
        raise InputError(msg) from error


def check_driver(path: Path) -> bool:
    """Looks at a driver that somebody sent.

    Returns:
        Whether it is a video; else it is a picture.

    Raises:
        InputError: if it is neither, or too large or too long.
    """
    if is_image(path):
        read_upload(path)
        return False
    frames, seconds, pixels = _measure(path)
    if pixels > MAX_FRAME_MEGAPIXELS * 1_000_000:
        msg = f"{path} has {pixels / 1e6:.0f} megapixels a frame: make it smaller, at most 4K"
        raise InputError(msg)
    if seconds > MAX_SECONDS or frames > MAX_FRAMES:
        msg = f"{path} is too long: cut it to {MAX_SECONDS} seconds"
        raise InputError(msg)
    return True


def _measure(path: Path) -> tuple[int, float, int]:
    """Frames, seconds and pixels a frame, by the packets: what a file says of itself may be untrue."""
    try:
        with av.open(path, options={"format_whitelist": ",".join(FORMATS_OF_VIDEO)}) as container:
            VideoReader(path)  # says what is wrong with its streams
            stream = container.streams.video[0]
            times: list[float] = []
            frames = 0
            for packet in container.demux(stream):
                frames += packet.size > 0
                if packet.pts is not None and packet.time_base is not None:
                    times.append(float(packet.pts * packet.time_base))
                if frames > MAX_FRAMES:
                    break
            seconds = max(times) - min(times) if times else frames / float(stream.average_rate or 25)
            return frames, seconds, stream.width * stream.height
    except av.error.FFmpegError as error:
        msg = f"cannot read {path}: it is no picture, and no video or a damaged one"
        raise InputError(msg) from error
