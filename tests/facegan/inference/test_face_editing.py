from __future__ import annotations

import av
import numpy as np
import pytest
import torch
from PIL import Image

from facegan.errors import InputError
from facegan.geometry.motion import ACTION_UNITS, MOTION_NAMES, edit_motion
from facegan.inference import RenderConfig, edit, edit_frames, edit_grid, write_edit
from facegan.inference.face_editing import value_range
from facegan.io.images import read_image, tensor_to_images
from facegan.provenance import ProvenanceConfig

UNMARKED = ProvenanceConfig(marks=False)


@pytest.fixture
def photo(tmp_path, photograph):
    path = tmp_path / "photo.png"
    Image.fromarray(photograph).save(path)
    return path


def test_edit_sets_parameters_and_keeps_others(animator, source):
    moved = edit_motion(source.motion, {"AU12": 0.8, "yaw": 15})
    expected = tensor_to_images(animator.animate(source, moved).result)[0]
    np.testing.assert_array_equal(edit(animator, source, {"AU12": 0.8, "yaw": 15}), expected)
    at_rest = tensor_to_images(animator.animate(source, source.motion).result)[0]
    np.testing.assert_array_equal(edit(animator, source, {}), at_rest)


def test_edit_background_color_and_paste_back(animator, source, photograph):
    plain = edit(animator, source, {"yaw": 10})
    assert (edit(animator, source, {"yaw": 10}, RenderConfig("red")) != plain).any()
    assert edit(animator, source, {"yaw": 10}, RenderConfig(paste_back=True)).shape == photograph.shape


@pytest.mark.slow
def test_edit_grid_varies_one_parameter_per_column(animator, source):
    sheet = edit_grid(animator, source, {})
    assert sheet.shape[1] > 20 * 128
    # Each picture twice as large, as sheets enlarge small ones, at its place.
    height = 5 * (128 + 4)
    body = sheet[-height - height % 2 :]
    assert sheet.shape[0] < height + 40
    wanted = edit(animator, source, {MOTION_NAMES[3]: 0.75}).repeat(2, axis=0).repeat(2, axis=1).astype(int)
    # Processors may round the pictures of a row otherwise than one alone.
    found = [
        (column, row)
        for column in range(sheet.shape[1] - 128)
        for row in range(0, sheet.shape[0] - 127)
        if np.abs(sheet[row, column : column + 4] - wanted[0, :4]).max() <= 1
        and np.abs(sheet[row : row + 128, column : column + 128] - wanted).max() <= 1
    ]
    assert len(found) == 1
    assert found[0][1] > 3 * 128
    assert body.any()


def test_edit_video_goes_forth_and_back(animator, source):
    frames = list(edit_frames(animator, source, "pitch", {"AU25": 0.5}, 0.8))
    assert len(frames) == 20
    low = edit(animator, source, {"pitch": value_range("pitch")[0], "AU25": 0.5}).astype(int)
    high = edit(animator, source, {"pitch": value_range("pitch")[1], "AU25": 0.5}).astype(int)
    assert np.abs(frames[0] - low).max() <= 1
    assert np.abs(frames[10] - high).max() <= 1
    assert np.abs(frames[5].astype(int) - frames[15]).max() <= 1


@pytest.mark.slow
def test_edit_image_file_writes_file(animator, source, photo, tmp_path):
    write_edit(animator, photo, tmp_path / "a.png", {"AU12": 0.8}, provenance=UNMARKED)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), edit(animator, source, {"AU12": 0.8}))
    write_edit(animator, photo, tmp_path / "g.jpg", {}, grid=True, provenance=UNMARKED)
    assert read_image(tmp_path / "g.jpg").shape == edit_grid(animator, source, {}).shape
    write_edit(animator, photo, tmp_path / "v.mp4", {}, animate="AU26", seconds=1.0, provenance=UNMARKED)
    with av.open(tmp_path / "v.mp4") as container:
        frames = list(container.decode(video=0))
        assert not container.streams.audio
    assert len(frames) == 25
    assert [round(frame.time * 25) for frame in frames] == list(range(25))


def test_edit_value_out_of_range_raises_input_error():
    assert {value_range(name) for name in ACTION_UNITS} == {(0.0, 1.0)}
    assert value_range("yaw") == (-30.0, 30.0)


@pytest.mark.parametrize(
    ("values", "options", "out", "message"),
    [
        ({"AU99": 1}, {}, "a.png", "unknown motion 'AU99'"),
        ({"AU12": 1.5}, {}, "a.png", "AU12=1.5 is out of range: 0 to 1"),
        ({"AU12": -0.1}, {}, "a.png", "out of range"),
        ({"yaw": 120}, {}, "a.png", "-60 to 60 degrees"),
        ({"AU12": float("nan")}, {}, "a.png", "not a finite number"),
        ({}, {}, "a.png", "nothing to edit"),
        ({"AU12": 1}, {}, "a.mp4", r"the result is an image, name it \.png"),
        ({}, {"animate": "AU12"}, "a.png", r"the result is a video, name it \.mp4"),
        ({}, {"animate": "smile"}, "a.mp4", "unknown motion 'smile'"),
        ({}, {"animate": "AU12", "seconds": 0}, "a.mp4", "cannot last 0 seconds"),
        ({}, {"grid": True, "animate": "AU12"}, "a.png", "a grid shows the face alone"),
        ({}, {"grid": True, "render": RenderConfig("red")}, "a.png", "a grid shows the face alone"),
        ({"AU12": 1}, {"overwrite": True}, "../photo.png", "is one of the inputs"),
        ({"AU12": 1}, {"face": 2}, "a.png", "no face 2 in"),
        ({"AU12": 1}, {"render": RenderConfig("nocolor")}, "a.png", "neither a file nor a color"),
    ],
)
def test_edit_bad_input_leaves_nothing(animator, photo, tmp_path, values, options, out, message):
    with pytest.raises(InputError, match=message) as error:
        write_edit(animator, photo, tmp_path / "new" / out, values, **options)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == [photo]


def test_edit_existing_result_is_not_overwritten(animator, photo, tmp_path):
    (tmp_path / "a.png").write_text("old")
    with pytest.raises(InputError, match="exists"):
        write_edit(animator, photo, tmp_path / "a.png", {"AU12": 1})
    assert (tmp_path / "a.png").read_text() == "old"


def test_edit_leaves_source_unchanged(animator, source):
    before = source.motion.clone()
    edit(animator, source, {"yaw": 30})
    assert torch.equal(source.motion, before)
