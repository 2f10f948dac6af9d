import struct
import weakref

import av
import cv2
import numpy as np
import pytest
from tests.facegan.io.video_files import quadrants, write_video

from facegan.errors import InputError
from facegan.io.video_reader import VideoReader

COLORS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200), "gray": (120, 120, 120)}


def read(path, every=1):
    reader = VideoReader(path)
    indices, times, images = zip(*reader.frames(every), strict=True)
    return reader, list(indices), list(times), list(images)


def noise(count, height=120, width=160):
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (height, width, 3), np.uint8) for _ in range(count)]


def corners(image):
    """Names of the colors at the four corners, row by row."""

    def name(pixel):
        return min(COLORS, key=lambda c: np.abs(pixel - np.array(COLORS[c], int)).sum())

    return [name(image[y, x].astype(int)) for y in (4, -4) for x in (4, -4)]


def turned(path, matrix):
    """Writes a transformation (a, b, c, d in 16.16) into the track header of an mp4."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    (a, b, _, c, d) = struct.unpack_from(">5i", data, start)
    assert (a, b, c, d) == (0x10000, 0, 0, 0x10000)
    a, b, c, d = (value << 16 for value in matrix)
    struct.pack_into(">5i", data, start, a, b, 0, c, d)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("v.mp4", "libx264"),
        ("v.mkv", "libx265"),
        ("v.webm", "libvpx-vp9"),
        ("v.avi", "mpeg4"),
        ("b-frames.avi", "libx264"),
        ("v.ts", "libx264"),
        ("v.mpg", "mpeg2video"),
        ("no-timestamps.h264", "libx264"),
        ("v.mov", "mpeg4"),
        ("v.gif", "gif"),
        ("without-suffix", "libx264"),
    ],
)
def test_container_and_codec(tmp_path, name, codec):
    path = tmp_path / name
    write_video(path.with_suffix(path.suffix or ".mp4"), [quadrants()] * 12, codec=codec)
    if not path.suffix:
        path.with_suffix(".mp4").rename(path)
    reader, indices, times, images = read(path)
    assert indices == list(range(12))
    assert reader.fps == pytest.approx(25)
    np.testing.assert_allclose(times, np.arange(12) / 25, atol=0.011)
    assert all(image.shape == (48, 64, 3) and image.dtype == np.uint8 for image in images)
    assert all(corners(image) == ["red", "green", "blue", "gray"] for image in images)
    assert reader.decode_error is None


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        # a phone held upright: the picture is to be turned clockwise by 90 degrees
        ((0, 1, -1, 0), ["blue", "red", "gray", "green"]),
        ((-1, 0, 0, -1), ["gray", "blue", "green", "red"]),
        ((0, -1, 1, 0), ["green", "gray", "red", "blue"]),
    ],
)
def test_rotation_flag(tmp_path, matrix, expected):
    path = write_video(tmp_path / "v.mp4", [quadrants()] * 3)
    turned(path, matrix)
    _, _, _, images = read(path)
    assert images[0].shape == ((48, 64, 3) if matrix[0] else (64, 48, 3))
    assert corners(images[0]) == expected
    assert images[0].flags.c_contiguous


def test_video_reader_pixel_aspect_is_corrected(tmp_path):
    _, _, _, images = read(write_video(tmp_path / "v.mp4", [quadrants()] * 3, aspect=2))
    assert images[0].shape == (48, 128, 3)
    assert corners(images[0]) == ["red", "green", "blue", "gray"]


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_variable_frame_rate(tmp_path, name):
    milliseconds = [0, 10, 200, 250, 255, 700, 701, 900]
    path = write_video(tmp_path / name, [quadrants()] * 8, milliseconds=milliseconds)
    _, _, times, _ = read(path)
    np.testing.assert_allclose(times, np.array(milliseconds) / 1000, atol=1e-4)


def test_video_reader_stride_keeps_number_and_time(tmp_path):
    path = write_video(tmp_path / "v.mp4", [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(11)])
    _, indices, times, images = read(path, every=3)
    assert indices == [0, 3, 6, 9]
    np.testing.assert_allclose(times, np.array(indices) / 25)
    np.testing.assert_allclose([image.mean() for image in images], 20 * np.array(indices), atol=3)


def test_video_reader_streams_frames(tmp_path):
    path = write_video(tmp_path / "v.mp4", noise(30))
    seen = []
    for _, _, image in VideoReader(path).frames():
        assert sum(reference() is not None for reference in seen) <= 1
        seen.append(weakref.ref(image if image.base is None else image.base))
    assert len(seen) == 30


def test_video_reader_truncated_file_is_read_up_to_the_end(tmp_path):
    path = write_video(tmp_path / "v.mp4", noise(40), movflags="faststart")
    whole = read(path)[3]
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    reader, indices, times, images = read(path)
    assert 15 < len(indices) < 30
    assert indices == list(range(len(indices)))
    assert np.all(np.diff(times) > 0)
    assert reader.decode_error
    for image, original in zip(images[:-1], whole, strict=False):
        np.testing.assert_array_equal(image, original)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codec"),
    [("v.mp4", "libx264"), ("v.webm", "libvpx-vp9"), ("v.avi", "mpeg4"), ("v.ts", "libx264")],
)
def test_video_reader_damage_keeps_frames_before(tmp_path, name, codec):
    path = write_video(tmp_path / name, noise(30), codec=codec)
    whole = read(path)[3]
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = np.random.default_rng(1).bytes(4000)
    path.write_bytes(data)
    _, indices, times, images = read(path)
    assert len(indices) >= 8
    assert np.all(np.diff(times) > 0)
    np.testing.assert_array_equal(images[0], whole[0])


def test_video_reader_start_between_key_frames(tmp_path):
    path = write_video(tmp_path / "v.ts", noise(36), gop=6)
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 3 // 188 * 188 :])
    reader, indices, times, _ = read(path)
    assert len(indices) > 12
    assert times[0] >= 0
    assert reader.decode_error is None


def no_moov(path):
    write_video(path, noise(20))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def picture(path, suffix):
    path.write_bytes(cv2.imencode(suffix, quadrants())[1].tobytes())


def sound(path):
    with av.open(path, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.int16), format="s16p", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("empty.mp4", lambda p: p.touch(), "the file is empty"),
        ("text.mp4", lambda p: p.write_text("hello world " * 999), "it is a text"),
        ("umlauts.mp4", lambda p: p.write_text("ä" + "ö" * 999, encoding="utf-8-sig"), "it is a text"),
        ("list.m3u8", lambda p: p.write_text("#EXTM3U\n#EXTINF:1,\nclip.mp4\n"), "it is a text"),
        ("list.mp4", lambda p: p.write_text("ffconcat version 1.0\nfile clip.mp4\n"), "it is a text"),
        ("noise.mkv", lambda p: p.write_bytes(np.random.default_rng(0).bytes(99999)), "Invalid data"),
        ("no-index.mp4", no_moov, "Invalid data"),
        ("picture.mp4", lambda p: picture(p, ".png"), "it is an image"),
        ("picture.mov", lambda p: picture(p, ".jpg"), "it is an image"),
        ("sound.mp4", sound, "no video stream"),
        ("missing.mp4", lambda p: None, "No such file"),
        ("folder.mp4", lambda p: p.mkdir(), "Is a directory"),
    ],
)
def test_video_reader_no_video_raises_input_error(tmp_path, name, make, reason):
    path = tmp_path / name
    make(path)
    with pytest.raises(InputError, match=reason) as caught:
        VideoReader(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_not_one_frame_decodes(tmp_path):
    path = write_video(tmp_path / "v.mp4", noise(5), movflags="faststart")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"v\.mp4: no frame can be decoded"):
        list(VideoReader(path).frames())


def test_raw_pixels_after_a_line_of_text_are_a_video(tmp_path):
    with av.open(tmp_path / "raw.y4m", "w") as container:
        stream = container.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        gray = np.full((64, 64, 3), 100, np.uint8)  # every byte a letter
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(gray, format="rgb24")))
        container.mux(stream.encode())
    assert len(list(VideoReader(tmp_path / "raw.y4m").frames())) == 3
