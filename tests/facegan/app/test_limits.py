import base64
import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from facegan.app import limits
from facegan.errors import InputError


def film(path, count, rate, size=(32, 32)):
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(rate))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 90, np.uint8), format="rgb24")
        for index in range(count):
            frame.pts, frame.time_base = index, 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_picture_of_too_many_pixels(tmp_path):
    path = tmp_path / "a.png"
    Image.new("1", (10_000, 10_000)).save(path)
    with pytest.raises(InputError, match="has 100 megapixels: make it smaller, at most 64"):
        limits.read_upload(path)


def test_drivers(tmp_path):
    assert limits.check_driver(film(tmp_path / "a.mp4", 10, 10))
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    assert not limits.check_driver(tmp_path / "a.png")


@pytest.mark.parametrize(("count", "rate"), [(70, 1), (limits.MAX_FRAMES + 1, 1000)])
def test_too_long(tmp_path, count, rate):
    with pytest.raises(InputError, match="too long: cut it to 60 seconds"):
        limits.check_driver(film(tmp_path / "a.mp4", count, rate))


def test_too_large_frames(tmp_path):
    with pytest.raises(InputError, match="megapixels a frame"):
        limits.check_driver(film(tmp_path / "a.mp4", 1, 1, (4096, 2304)))


@pytest.mark.parametrize(
    "text",
    ["#EXTM3U\n#EXTINF:1,\nfile:///{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile '{}'\n", "", "<svg/>"],
)
@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat"])
def test_playlists_and_scripts_open_nothing(tmp_path, text, suffix):
    secret = film(tmp_path / "secret.mp4", 3, 10)
    path = tmp_path / f"a.{suffix}"
    path.write_text(text.format(secret))
    with pytest.raises(InputError, match="no picture, and no video"):
        limits.check_driver(path)


def as_address(image, kind="JPEG"):
    data = io.BytesIO()
    image.save(data, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data.getvalue()).decode()}"


def test_frames_of_the_camera():
    assert limits.read_frame(as_address(Image.new("RGB", (40, 30), "red"))).shape == (30, 40, 3)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "data:image/png;base64,AAAA",
        "data:image/png;base64,&&&",
        "http://127.0.0.1/a.png",
        as_address(Image.new("1", (8000, 8000)), "PNG"),
        as_address(Image.new("RGB", (9, 9)), "GIF"),
    ],
)
def test_what_is_no_frame(sent):
    with pytest.raises(InputError, match="cannot read the camera's picture"):
        limits.read_frame(sent)
