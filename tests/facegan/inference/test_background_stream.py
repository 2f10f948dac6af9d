from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from facegan.errors import InputError
from facegan.inference.background_stream import open_background
from facegan.io.images import center_crop, tensor_to_images

LEVELS = (20, 90, 160, 230)


def shown(background, time):
    return tensor_to_images(background.at(time))[0]


@pytest.mark.parametrize("color", ["#204080", "rgb(32, 64, 128)"])
def test_background_color_fills_frames(color):
    image = shown(open_background(color, 32), 0)
    assert image.shape == (32, 32, 3)
    assert (image == (32, 64, 128)).all()


def test_background_color_name_is_known():
    assert (shown(open_background("white", 16), 3) == 255).all()


def test_background_image_is_center_cropped(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    background = open_background(str(tmp_path / "a.png"), 32)
    for time in (0, 5.5):
        np.testing.assert_array_equal(shown(background, time), center_crop(picture, 32))


def test_background_file_precedes_color_of_same_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "white")
    assert (shown(open_background("white", 16), 0) == 0).all()


def test_background_video_keeps_time_and_repeats(make_video):
    frames = [np.full((64, 64, 3), level, np.uint8) for level in LEVELS]
    path = make_video("back.mp4", frames, sound=None)
    background = open_background(str(path), 32)
    times = [0, 0.01, 0.05, 0.13, 0.161, 0.2, 0.31, 0.33]
    expected = [0, 0, 1, 3, 0, 1, 3, 0]
    found = [int(np.abs(np.array(LEVELS) - shown(background, time).mean()).argmin()) for time in times]
    assert found == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.png", "neither a file nor a color"), ("text.txt", r"cannot read .*text\.txt")],
)
def test_background_unreadable_raises_input_error(tmp_path, name, message):
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(InputError, match=message):
        open_background(str(tmp_path / name), 32)
