import base64

import pytest
from PIL import Image
from tests.facegan.app.hostile_files import encode_image, encode_video

from facegan.app.upload_limits import MAX_FRAMES, is_uploaded_video, read_camera_frame, read_source_image
from facegan.errors import InputError


def test_read_source_image_too_many_pixels_is_refused(tmp_path):
    Image.new("1", (10_000, 10_000)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="has 100 megapixels: make it smaller, at most 64"):
        read_source_image(tmp_path / "a.png")


def test_is_uploaded_video_goes_by_content(tmp_path):
    (tmp_path / "a.png").write_bytes(encode_video([], 10, size=(32, 32), count=10))
    assert is_uploaded_video(tmp_path / "a.png")
    Image.new("RGB", (9, 9)).save(tmp_path / "a.mp4", "PNG")
    assert not is_uploaded_video(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    ("count", "fps", "size", "message"),
    [
        (70, 1, (32, 32), "too long: cut it to 60 seconds"),
        (MAX_FRAMES + 1, 1000, (16, 16), "too long: cut it to 60 seconds"),
        (1, 1, (4096, 2304), "megapixels per frame"),
    ],
)
def test_is_uploaded_video_beyond_limit_is_refused(tmp_path, count, fps, size, message):
    (tmp_path / "a.mp4").write_bytes(encode_video([], fps, "mpeg4", size=size, count=count))
    with pytest.raises(InputError, match=message):
        is_uploaded_video(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    "text", ["#EXTM3U\n{}#EXTINF:1,\nfile:///{}\n", "ffconcat version 1.0\n{}file '{}'\n"]
)
@pytest.mark.parametrize("disguise", ["", "\x01\n"])
@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat"])
def test_is_uploaded_video_playlist_is_not_opened(tmp_path, text, disguise, suffix):
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(encode_video([], 10, size=(32, 32), count=3))
    path = tmp_path / f"a.{suffix}"
    path.write_text(text.format(disguise, secret))
    with pytest.raises(InputError, match=r"cannot read"):
        is_uploaded_video(path)


def as_url(image, kind="JPEG"):
    return f"data:image/{kind.lower()};base64,{base64.b64encode(encode_image(image, kind)).decode()}"


def test_read_camera_frame_decodes_data_url():
    assert read_camera_frame(as_url(Image.new("RGB", (40, 30), "red"))).shape == (30, 40, 3)


@pytest.mark.parametrize(
    "address",
    [
        *(None, "", "data:image/png;base64,AAAA", "data:image/png;base64,&&&", "http://127.0.0.1/a.png"),
        as_url(Image.new("1", (8000, 8000)), "PNG"),
        as_url(Image.new("RGB", (9, 9)), "GIF"),
    ],
)
def test_read_camera_frame_other_content_is_refused(address):
    with pytest.raises(InputError, match="cannot read the camera image"):
        read_camera_frame(address)
