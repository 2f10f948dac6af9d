"""Videos written with PyAV, and talking heads that MediaPipe finds."""

from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from facegan import motion
from facegan.synthetic import render, sample_identity

POSES = ({}, {"AU26": 0.6, "yaw": 6}, {"AU12": 0.8, "pitch": 5}, {"AU01": 0.9, "roll": -6})
HEAD = 128


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
    """Red and green above, blue and grey below."""
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (200, 30, 30)
    image[: height // 2, width // 2 :] = (30, 200, 30)
    image[height // 2 :, : width // 2] = (30, 30, 200)
    image[height // 2 :, width // 2 :] = (120, 120, 120)
    return image


@pytest.fixture(scope="session")
def heads():
    """Three people × four drawn frames of 128 pixels (with ground truth)."""
    poses = [motion.edit(torch.zeros(motion.SIZE), values).numpy() for values in POSES]
    return [[render(sample_identity(seed), pose, HEAD) for pose in poses] for seed in range(3)]


@pytest.fixture(scope="session")
def people(heads, tmp_path_factory):
    """A folder with a talking head of each of three people, and what else lies about in a folder."""
    folder = tmp_path_factory.mktemp("people")
    for name, frames in zip(("ann", "bob", "cy"), heads, strict=True):
        write_video(folder / name / "talk.mp4", [frame.image for frame in frames], crf="12")
    (folder / "bob" / "empty.mp4").touch()
    (folder / "cy" / "noise.mkv").write_bytes(np.random.default_rng(0).bytes(5000))
    write_video(folder / "nobody.mp4", [quadrants()] * 3)
    (folder / "notes.txt").write_text("not a video")
    (folder / ".hidden.mp4").touch()
    return folder
