from __future__ import annotations

import os
import signal
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from facegan.errors import InputError
from facegan.inference import Animator, read_picture, reenact
from facegan.inference.driver import follow, read_motion
from facegan.inference.pictures import cover, to_images, to_tensor
from facegan.preparation.video import VideoReader

EMPTY = np.full((128, 128, 3), 100, np.uint8)


@pytest.fixture
def photo(tmp_path, photograph):
    path = tmp_path / "photo.png"
    Image.fromarray(photograph).save(path)
    return path


@pytest.fixture
def clip(make_video, heads):
    return make_video("clip.mp4", heads[:20])


def video_of(path):
    """Times and pictures."""
    with av.open(path) as container:
        frames = list(container.decode(video=0))
    return [f.pts * f.time_base for f in frames], np.stack([f.to_ndarray(format="rgb24") for f in frames])


def sound_of(path):
    with av.open(path) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def listing(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def test_a_video(animator, source, photo, clip, tmp_path):
    out = tmp_path / "new" / "folder" / "out.mp4"
    summary = reenact(animator, photo, clip, out, progress=False)
    assert (summary.frames, summary.faceless, summary.fps, summary.sound) == (20, 0, 25, True)
    assert summary.damage is None
    assert summary.seconds > 0
    assert f"{out}: 20 frames at 25 fps, with sound" in summary.describe()
    times, images = video_of(out)
    assert times == video_of(clip)[0]
    assert sound_of(out) == sound_of(clip)
    motion = torch.stack([step.motion for step in follow(VideoReader(clip), source.motion[0])])
    expected = to_images(animator.animate(source, motion)).astype(int)
    error = np.abs(images - expected).mean()
    assert error < 12
    assert error < np.abs(images - expected[::-1]).mean()


def test_a_variable_frame_rate_without_sound(animator, photo, make_video, heads, tmp_path):
    times = [0, 33, 34, 120, 500, 900, 901, 1000, 1400, 1401]
    driver = make_video("vfr.mkv", heads[:10], times=times, time_base=Fraction(1, 1000), sound=None)
    summary = reenact(animator, photo, driver, tmp_path / "out.mp4", progress=False)
    assert (summary.frames, summary.sound) == (10, False)
    assert [time * 1000 for time in video_of(tmp_path / "out.mp4")[0]] == times


def test_frames_without_a_face(animator, source, photo, make_video, heads, tmp_path):
    frames = [EMPTY] * 10 + heads[:6] + [EMPTY] * 3
    driver = make_video("gaps.mp4", frames)
    out = tmp_path / "out.mp4"
    summary = reenact(animator, photo, driver, out, progress=False)
    assert (summary.frames, summary.faceless) == (19, 13)
    assert "without a face in 13 frames" in summary.describe()
    images = video_of(out)[1]
    at_rest = to_images(animator.animate(source, source.motion))[0].astype(int)
    assert np.abs(images[:10] - at_rest).mean() < 12
    assert np.abs(images[16:].astype(int) - images[15]).mean() < 6


def test_a_damaged_driver_is_good_up_to_there(animator, photo, make_video, heads, tmp_path):
    driver = make_video("damaged.mkv", heads, sound="aac")
    driver.write_bytes(driver.read_bytes()[: driver.stat().st_size * 2 // 3])
    out = tmp_path / "out.mp4"
    summary = reenact(animator, photo, driver, out, progress=False)
    assert 5 < summary.frames < len(heads)
    assert len(video_of(out)[0]) == summary.frames


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.JPEG"])
def test_a_picture(animator, source, photo, heads, tmp_path, name):
    driver = tmp_path / "driver.png"
    Image.fromarray(heads[7]).save(driver)
    out = tmp_path / "new" / name
    summary = reenact(animator, photo, driver, out, progress=False)
    assert (summary.frames, summary.faceless, summary.fps, summary.sound) == (1, 0, 0, False)
    assert f"{out}: picture" in summary.describe()
    expected = to_images(animator.animate(source, read_motion(driver)))[0]
    written = read_picture(out)
    if name == "out.png":
        np.testing.assert_array_equal(written, expected)
    # JPEG keeps little of the colours of single pixels.
    smooth, whole = (cv2.GaussianBlur(image, (0, 0), 2).astype(int) for image in (written, expected))
    assert np.abs(smooth - whole).mean() < 1
    assert np.abs(smooth - whole).max() < 8


def test_another_background(animator, source, photo, clip, tmp_path):
    driver = tmp_path / "driver.png"
    Image.fromarray(read_picture(photo)).save(driver)
    beach = np.random.default_rng(0).integers(0, 256, (40, 90, 3), np.uint8)
    Image.fromarray(beach).save(tmp_path / "beach.png")
    out = tmp_path / "out.png"
    reenact(animator, photo, driver, out, background=tmp_path / "beach.png", progress=False)
    behind = to_tensor(cover(beach, animator.size))
    expected = to_images(animator.animate(source, read_motion(driver), behind))[0]
    np.testing.assert_array_equal(read_picture(out), expected)
    reenact(animator, photo, clip, tmp_path / "out.mp4", background=tmp_path / "beach.png", progress=False)
    still = to_images(animator.animate(source, source.motion, behind))[0].astype(int)
    before = to_images(animator.animate(source, source.motion))[0].astype(int)
    images = video_of(tmp_path / "out.mp4")[1]
    assert np.abs(images - still).mean() < np.abs(images - before).mean()


def test_a_photograph_that_lies_on_its_side(animator, photo, photograph, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = tmp_path / "turned.png"
    Image.fromarray(np.ascontiguousarray(np.rot90(photograph))).save(turned, exif=exif)
    for name, picture in (("a.png", photo), ("b.png", turned)):
        reenact(animator, picture, picture, tmp_path / name, progress=False)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), read_picture(tmp_path / "b.png"))


def test_progress_goes_to_standard_error_alone(animator, photo, clip, tmp_path, capsys):
    reenact(animator, photo, clip, tmp_path / "out.mp4")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "missing.png"}, r"cannot read .*missing\.png"),
        ({"source": "wall.png"}, r"no face in .*wall\.png"),
        ({"source": "clip.mp4"}, r"cannot read .*clip\.mp4 as a picture"),
        ({"source": "huge.png"}, r"huge\.png is too large"),
        ({"driving": "missing.mp4"}, r"cannot read .*missing\.mp4"),
        ({"driving": "text.txt"}, r"cannot read .*text\.txt"),
        ({"driving": "empty.mp4"}, r"no face in .*empty\.mp4"),
        ({"driving": "wall.png", "out": "new/out.png"}, r"no face in .*wall\.png"),
        ({"driving": "cut.png", "out": "new/out.png"}, r"cannot read .*cut\.png"),
        ({"driving": "head.png"}, r"a driving picture makes a picture, name it \.png or \.jpg"),
        ({"out": "new/out.png"}, r"a driving video makes a video, name it \.mp4"),
        ({"out": "new/out.avi"}, r"name it \.mp4"),
        ({"out": "new/out"}, r"name it \.mp4"),
        ({"out": "clip.mp4"}, r"clip\.mp4 exists"),
        ({"out": "folder.mp4"}, "it is a folder"),
        ({"out": "folder.mp4", "overwrite": True}, "it is a folder"),
        ({"background": "missing.png"}, r"cannot read .*missing\.png"),
        ({"background": "text.txt"}, r"cannot read .*text\.txt as a picture"),
    ],
)
def test_bad_input_leaves_nothing(animator, photo, clip, make_video, heads, tmp_path, arguments, message):
    make_video("empty.mp4", [EMPTY] * 12)
    Image.fromarray(EMPTY).save(tmp_path / "wall.png")
    Image.fromarray(heads[0]).save(tmp_path / "head.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "head.png").read_bytes()[:3000])
    Image.new("1", (40_000, 10)).save(tmp_path / "huge.png")
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "folder.mp4").mkdir()
    before = listing(tmp_path)
    options = {"source": photo, "driving": clip, "out": tmp_path / "new" / "out.mp4", "progress": False}
    options |= {key: value if value is True else tmp_path / value for key, value in arguments.items()}
    with pytest.raises(InputError, match=message) as error:
        reenact(animator, **options)
    assert "\n" not in str(error.value)
    assert listing(tmp_path) == before


def test_overwriting(animator, photo, clip, tmp_path):
    out = tmp_path / "out.mp4"
    out.write_text("old")
    reenact(animator, photo, clip, out, overwrite=True, progress=False)
    assert len(video_of(out)[0]) == 20


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_what_was_there(animator, photo, clip, tmp_path, interruption):
    class Interrupted(Animator):
        calls = 0

        def animate(self, *arguments):
            self.calls += 1
            if self.calls == 2:
                if interruption is RuntimeError:
                    raise RuntimeError
                os.kill(os.getpid(), signal.SIGINT)
            return super().animate(*arguments)

    out = tmp_path / "out.mp4"
    out.write_text("old")
    before = listing(tmp_path)
    with pytest.raises(interruption):
        reenact(Interrupted(animator.model), photo, clip, out, overwrite=True, progress=False)
    assert listing(tmp_path) == before
