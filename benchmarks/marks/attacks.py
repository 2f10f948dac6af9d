"""What happens to pictures on their way: codecs and rescaling, frames in and frames out."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from facegan.io.video_writer import BT709

if TYPE_CHECKING:
    from collections.abc import Callable

Images: TypeAlias = "list[np.ndarray]"


def h264(images: Images, crf: int, *, keyframes: bool = False) -> Images:
    """x264 as ``facegan reenact`` calls it; with ``keyframes`` each picture by itself."""
    memory = io.BytesIO()
    height, width = images[0].shape[:2]
    with av.open(memory, "w", format="mp4") as container:
        options = {"crf": str(crf)} | ({"g": "1"} if keyframes else {})
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = ColorRange.MPEG
        for image in images:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    memory.seek(0)
    with av.open(memory) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def half(images: Images) -> Images:
    """Half the size."""
    return [cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for image in images]


def jpeg(images: Images, quality: int) -> Images:
    """JPEG and back."""
    return [_jpeg(image, quality) for image in images]


def attacks(*, keyframes: bool) -> dict[str, Callable[[Images], Images]]:
    """All of them by name."""
    code = partial(h264, keyframes=keyframes)
    return {
        "as is": list,
        "H.264 crf 18": lambda images: code(images, 18),
        "H.264 crf 23": lambda images: code(images, 23),
        "H.264 crf 28": lambda images: code(images, 28),
        "half size": half,
        "half size, H.264 crf 18": lambda images: code(half(images), 18),
        "half size, H.264 crf 23": lambda images: code(half(images), 23),
        "half size, H.264 crf 28": lambda images: code(half(images), 28),
        "JPEG 75": lambda images: jpeg(images, 75),
        "JPEG 50": lambda images: jpeg(images, 50),
    }


def _jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    memory = io.BytesIO()
    Image.fromarray(image).save(memory, "jpeg", quality=quality)
    return np.array(Image.open(memory))
