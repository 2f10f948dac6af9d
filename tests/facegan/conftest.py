from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
import torch
from tests.facegan.evaluation_data import (  # noqa: F401
    crops,
    data,
    faces,
    measurer,
    validation_data,
    write_data,
)

from facegan.geometry.motion import NUM_MOTION_PARAMS, edit_motion
from facegan.inference import Animator, Source
from facegan.inference.engines import TorchEngine
from facegan.inference.model_export import export_model
from facegan.networks.facegan import FaceGAN, FaceGANConfig
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter
from synthetic_heads import render, sample_identity, sample_motion

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from synthetic_heads import Frame

TINY = {"kind": "global", "width": 8, "downsamplings": 2, "num_residual_blocks": 1}
NEUTRAL = np.zeros(20, np.float32)


@pytest.fixture(scope="session")
def animator() -> Animator:
    torch.manual_seed(0)
    torch.set_num_threads(1)  # threads cost tiny networks more than they gain
    model = FaceGAN(FaceGANConfig(size=64, reenactor=TINY, background_mixer=TINY))
    for parameter in model.landmark_transformer.parameters():  # its last layer begins with zeros
        torch.nn.init.normal_(parameter, std=0.05)
    return Animator(TorchEngine(model), "tiny")


@pytest.fixture(scope="session")
def unmarked() -> ProvenanceWriter:
    return ProvenanceWriter(ProvenanceConfig(marks=False), ManifestClaim("tiny", ("test",)))


@pytest.fixture(scope="session")
def photograph() -> np.ndarray:
    return render(sample_identity(3), NEUTRAL, 256).image


@pytest.fixture(scope="session")
def source(animator, photograph) -> Source:
    return animator.prepare(photograph)


@pytest.fixture(scope="session")
def heads() -> list[np.ndarray]:
    """Return 30 frames of 128×128 of a talking synthetic identity."""
    identity = sample_identity(5)
    return [
        render(identity, vector, 128).image
        for vector in sample_motion(1, 30, 25, motion_style="calm talker").motion
    ]


@pytest.fixture
def make_video(tmp_path) -> Callable[..., Path]:
    """Return what writes a video: frames at times in units of the time base, and a tone of another length."""

    def make(
        name: str,
        frames: list[np.ndarray],
        *,
        times: list[int] | None = None,
        time_base: Fraction = Fraction(1, 25),
        video: str = "libx264",
        sound: str | None = "aac",
        rate: int = 48_000,
        layout: str = "stereo",
        seconds: float | None = None,
        fps: Fraction | int = 25,
    ) -> Path:
        path = tmp_path / name
        with av.open(path, "w") as container:
            picture = container.add_stream(video, rate=fps)
            picture.height, picture.width = frames[0].shape[:2]
            picture.pix_fmt = "yuv420p"
            picture.codec_context.time_base = time_base
            if sound:
                track = container.add_stream(sound, rate=rate, layout=layout)
            for image, pts in zip(frames, times or range(len(frames)), strict=True):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = pts, time_base
                container.mux(picture.encode(frame))
            container.mux(picture.encode())
            if sound:
                wave = np.tile(tone(seconds or len(frames) / 25 + 0.1, rate), (len(track.layout.channels), 1))
                samples = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16), "s16p", layout)
                samples.sample_rate = rate
                container.mux(track.encode(samples))
                container.mux([packet for packet in track.encode() if packet.size])
        return path

    return make


def tone(seconds: float, rate: int) -> np.ndarray:
    """Return 440 Hz that start after half a second."""
    time = np.arange(round(seconds * rate)) / rate
    return np.where(time < 0.5, 0, 0.5 * np.sin(2 * np.pi * 440 * time))


@pytest.fixture(scope="session")
def tiny_model() -> FaceGAN:
    """Return a model with random weights that displaces the landmarks."""
    torch.manual_seed(1)
    model = FaceGAN(FaceGANConfig(size=32, reenactor=TINY, background_mixer=TINY)).eval()
    for parameter in model.landmark_transformer.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return model


@pytest.fixture(scope="session")
def exported_model(tiny_model, make_once) -> Path:
    """Return the folder of the tiny model, exported in both formats."""

    def create(folder: Path) -> None:
        tiny_model.save_pretrained(folder / "model")
        for kind in ("openvino", "onnx"):
            export_model(folder / "model", kind, progress=False)

    return make_once("exported", create) / "model"


POSES = ({}, {"AU26": 0.6, "yaw": 6}, {"AU12": 0.8, "pitch": 5}, {"AU01": 0.9, "roll": -6})
HEAD = 128


@pytest.fixture(scope="session")
def head_frames() -> list[list[Frame]]:
    """Return three synthetic identities × four frames of 128 pixels, with ground truth."""
    poses = [edit_motion(torch.zeros(NUM_MOTION_PARAMS), values).numpy() for values in POSES]
    return [[render(sample_identity(seed), pose, HEAD) for pose in poses] for seed in range(3)]
