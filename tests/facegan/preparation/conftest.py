"""A folder of videos of synthetic heads."""

import numpy as np
import pytest
from tests.facegan.io.video_files import quadrants, write_video


@pytest.fixture(scope="session")
def heads(head_frames):
    """Three synthetic identities × four frames of 128 pixels, with ground truth."""
    return head_frames


@pytest.fixture(scope="session")
def people(heads, tmp_path_factory):
    """A folder with a video of each of three identities, unusable videos and other files."""
    folder = tmp_path_factory.mktemp("people")
    for name, frames in zip(("ann", "bob", "cy"), heads, strict=True):
        write_video(folder / name / "talk.mp4", [frame.image for frame in frames], crf="12")
    (folder / "bob" / "empty.mp4").touch()
    (folder / "cy" / "noise.mkv").write_bytes(np.random.default_rng(0).bytes(5000))
    write_video(folder / "nobody.mp4", [quadrants()] * 3)
    (folder / "notes.txt").write_text("not a video")
    (folder / ".hidden.mp4").touch()
    return folder
