"""Limits of what the page accepts, checked before anything large is decoded.

gradio limits the bytes of an upload; it knows no limit of pixels, duration or containers.
"""

from __future__ import annotations

import base64
import io
import math
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
"""Of an image: the largest that phones take by default."""
MAX_FRAME_MEGAPIXELS = 9
"""Of a video frame: 4K."""
MAX_SECONDS = 60
MAX_FRAMES = 60 * MAX_SECONDS
MAX_CAMERA_CHARACTERS = 6_000_000
"""Of a camera frame in base64."""
CAMERA_FORMATS = ("JPEG", "PNG", "WEBP")
CONTAINERS = (
    *("mov", "mp4", "matroska", "webm", "avi", "gif", "apng", "mpegts", "mpeg", "flv", "ogg", "asf", "mjpeg"),
    *("mp3", "wav", "flac", "aac"),
)
"""FFmpeg reads more, among it playlists and scripts that refer to other files. Audio is on the list so
that the error names it."""


def read_source_image(path: Path) -> NDArray[np.uint8]:
    """Read an uploaded image as H×W×3 RGB, upright.

    Raises:
        InputError: if it is no image, or larger than 64 megapixels.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            megapixels = math.prod(image.size) / 1e6
    except Exception:  # read_image names the fault
        megapixels = 0
    if megapixels > MAX_MEGAPIXELS:
        msg = f"{path} has {megapixels:.0f} megapixels: make it smaller, at most {MAX_MEGAPIXELS}"
        raise InputError(msg)
    return read_image(path)


def read_camera_frame(address: str | None) -> NDArray[np.uint8]:
    """Decode a camera frame, which browsers send as a ``data:`` URL, to H×W×3 RGB.

    Raises:
        InputError: if it is no JPEG, PNG or WebP image, or too large.
    """
    kind, _, text = (address or "").partition(",")
    try:
        if not kind.startswith("data:image/") or len(text) > MAX_CAMERA_CHARACTERS:
            raise ValueError
        with Image.open(io.BytesIO(base64.b64decode(text)), formats=CAMERA_FORMATS) as image:
            if math.prod(image.size) > MAX_FRAME_MEGAPIXELS * 1e6:
                raise ValueError
            return np.array(image.convert("RGB"))
    except Exception as error:
        msg = "cannot read the camera image: stop the camera and start it again"
        raise InputError(msg) from error


def is_uploaded_video(path: Path) -> bool:
    """Check an uploaded image or video, whose kind its content decides, not its name.

    The duration is the one that the file declares; :data:`MAX_FRAMES` also limits the frames decoded later.

    Returns:
        Whether it is a video; else it is an image.

    Raises:
        InputError: if it is neither, or too large or too long.
    """
    if is_image(path):
        read_source_image(path)
        return False
    try:
        with av.open(path, options={"format_whitelist": ",".join(CONTAINERS)}) as container:
            VideoReader(path)  # names the fault of a file without video
            stream = container.streams.video[0]
            megapixels = stream.width * stream.height / 1e6
            seconds = (container.duration or 0) / av.time_base
    except av.error.FFmpegError as error:
        msg = f"cannot read {path}: it is neither an image nor a video, or damaged"
        raise InputError(msg) from error
    if megapixels > MAX_FRAME_MEGAPIXELS:
        msg = f"{path} has {megapixels:.0f} megapixels per frame: make it smaller, at most 4K"
        raise InputError(msg)
    if seconds > MAX_SECONDS or stream.frames > MAX_FRAMES:
        msg = f"{path} is too long: cut it to {MAX_SECONDS} seconds"
        raise InputError(msg)
    return True
