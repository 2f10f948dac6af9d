from __future__ import annotations

import resource
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace

from facegan.io.video_writer import VideoWriter, write_video

IMAGE = np.full((64, 64, 3), 128, np.uint8)
MILLISECONDS = Fraction(1, 1000)


def frames(path):
    with av.open(path) as container:
        return list(container.decode(video=0))


def test_write_keeps_variable_frame_times(make_video, tmp_path, unmarked):
    times = [0, 33, 67, 100, 500, 501, 900, 1000, 2345]
    path = make_video("vfr.mkv", [IMAGE] * 9, times=times, time_base=MILLISECONDS, sound=None)
    out = tmp_path / "out.mp4"
    with VideoWriter.open(out, (64, 64), 4, unmarked, path) as writer:
        for time in times:
            writer.write(IMAGE, time / 1000)
        assert writer.sound is None
    assert [frame.pts * frame.time_base * 1000 for frame in frames(out)] == times
    with av.open(out) as container:
        assert not container.streams.audio


@pytest.mark.parametrize("rate", [Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(25), Fraction(60)])
def test_write_keeps_constant_frame_rates(make_video, tmp_path, rate, unmarked):
    path = make_video("clip.mp4", [IMAGE] * 40, time_base=1 / rate, fps=rate, sound=None)
    out = tmp_path / "out.mp4"
    with VideoWriter.open(out, (64, 64), float(rate), unmarked, path) as writer:
        for number in range(40):
            writer.write(IMAGE, float(number / rate))
    assert [frame.pts * frame.time_base for frame in frames(out)] == [number / rate for number in range(40)]
    with av.open(out) as container, av.open(path) as original:
        stream = container.streams.video[0]
        assert stream.average_rate == original.streams.video[0].average_rate == rate
        assert stream.frames == 40
        assert float(stream.duration * stream.time_base) == pytest.approx(float(40 / rate), abs=1e-3)


def test_write_times_closer_than_the_time_base_increase(make_video, tmp_path, unmarked):
    path = make_video("clip.avi", [IMAGE] * 3, video="mpeg4", sound=None)
    out = tmp_path / "out.mp4"
    with VideoWriter.open(out, (64, 64), 25, unmarked, path) as writer:
        for time in (0, 0.001, 0.002, 0.2):
            writer.write(IMAGE, time)
    assert [frame.pts * frame.time_base for frame in frames(out)] == [
        0,
        Fraction(1, 25),
        Fraction(2, 25),
        Fraction(1, 5),
    ]


def test_write_keeps_colors(make_video, tmp_path, unmarked):
    path = make_video("clip.mp4", [IMAGE] * 2, sound=None)
    image = np.zeros((64, 96, 3), np.uint8)
    corners = [(220, 30, 40), (20, 200, 60), (30, 40, 230), (250, 250, 250)]
    for index, color in enumerate(corners):
        image[:, 24 * index : 24 * index + 24] = color
    with VideoWriter.open(tmp_path / "out.mp4", (96, 64), 25, unmarked, path) as writer:
        writer.write(image, 0)
    (frame,) = frames(tmp_path / "out.mp4")
    decoded = frame.reformat(format="rgb24", src_colorspace=Colorspace.ITU709).to_ndarray()
    for index, color in enumerate(corners):
        np.testing.assert_allclose(decoded[32, 24 * index + 12], color, atol=5)
    assert (frame.colorspace, frame.color_range, frame.format.name) == (1, 1, "yuv420p")


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("written", [0, 1, 80])
def test_open_after_an_error_leaves_nothing(make_video, tmp_path, error, written, unmarked):
    path = make_video("clip.mp4", [IMAGE] * 25)
    out = tmp_path / "out" / "out.mp4"

    def interrupted():
        with VideoWriter.open(out, (64, 64), 25, unmarked, path) as writer:
            for number in range(written):
                writer.write(IMAGE, number / 25)
            raise error

    with pytest.raises(error):
        interrupted()
    assert not list(out.parent.iterdir())


def test_open_after_an_error_keeps_the_earlier_file(make_video, tmp_path, unmarked):
    path = make_video("clip.mp4", [IMAGE] * 25)
    before = path.read_bytes()
    with (
        pytest.raises(ValueError, match="shape"),
        VideoWriter.open(path, (64, 64), 25, unmarked, path) as writer,
    ):
        writer.write(IMAGE[..., :2], 0)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("limit", [5_000, 60_000, None])
def test_open_on_a_full_disk_leaves_nothing(make_video, tmp_path, limit, unmarked):
    path = make_video("clip.mp4", [IMAGE] * 25)
    noise = np.random.default_rng(0).integers(0, 256, (60, 64, 64, 3), np.uint8)

    def write(out):
        with VideoWriter.open(out, (64, 64), 25, unmarked, path) as writer:
            for number, image in enumerate(noise):
                writer.write(image, number / 25)

    write(tmp_path / "whole.mp4")
    size = (tmp_path / "whole.mp4").stat().st_size
    assert size > 60_000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit or size - 1, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            write(tmp_path / "out" / "out.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "out").iterdir())


def test_write_video_keeps_rate_and_even_size(tmp_path):
    write_video(tmp_path / "new" / "out.mp4", (IMAGE[:33, :47] for _ in range(5)), 12.5)
    assert [frame.time for frame in frames(tmp_path / "new" / "out.mp4")] == [0, 0.08, 0.16, 0.24, 0.32]
    assert {(frame.width, frame.height) for frame in frames(tmp_path / "new" / "out.mp4")} == {(46, 32)}


def test_write_video_after_an_error_leaves_nothing(tmp_path):
    def failing():
        yield IMAGE
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_video(tmp_path / "new" / "out.mp4", failing(), 25)
    assert not list((tmp_path / "new").iterdir())
