"""Videos written with PyAV."""

from fractions import Fraction

import av
import numpy as np


def write_video(path, images, *, codec="libx264", rate=25, milliseconds=None, aspect=None, gop=12, **options):
    """Images (H×W×3 RGB) to a video file; ``milliseconds`` gives each frame its own time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        stream.codec_context.gop_size = gop
        stream.codec_context.time_base = Fraction(1, 1000) if milliseconds else Fraction(1, rate)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = milliseconds[number] if milliseconds else number
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def quadrants(height=48, width=64):
    """Red and green above, blue and gray below."""
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (200, 30, 30)
    image[: height // 2, width // 2 :] = (30, 200, 30)
    image[height // 2 :, : width // 2] = (30, 30, 200)
    image[height // 2 :, width // 2 :] = (120, 120, 120)
    return image
