"""Talking heads that MediaPipe finds."""

import numpy as np
import pytest
import torch
from tests.facegan.io.video_files import quadrants, write_video

from facegan.geometry.motion import NUM_MOTION_PARAMS, edit_motion
from synthetic_heads import render, sample_identity

POSES = ({}, {"AU26": 0.6, "yaw": 6}, {"AU12": 0.8, "pitch": 5}, {"AU01": 0.9, "roll": -6})
HEAD = 128


@pytest.fixture(scope="session")
def heads():
    """Three people × four drawn frames of 128 pixels (with ground truth)."""
    poses = [edit_motion(torch.zeros(NUM_MOTION_PARAMS), values).numpy() for values in POSES]
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
