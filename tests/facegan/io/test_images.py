from __future__ import annotations

import struct
import zlib
from contextlib import suppress

import cv2
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from facegan.errors import InputError
from facegan.io.images import (
    center_crop,
    image_to_tensor,
    is_image,
    read_image,
    tensor_to_images,
    write_image,
)

SCENE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8), (0, 0), 4)
SCENE = cv2.normalize(SCENE, None, 0, 255, cv2.NORM_MINMAX)

# EXIF orientation: how the camera stored the upright picture.
STORED = {
    1: lambda image: image,
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: np.rot90(image, 1),
    7: lambda image: np.rot90(image.transpose(1, 0, 2), 2),
    8: lambda image: np.rot90(image, -1),
}


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises pixels and has none."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    data = b"IDAT" + zlib.compress(b"")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", len(data) - 4) + data
        + struct.pack(">I", zlib.crc32(data))
    )  # fmt: skip


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif", "tiff", "bmp"])
def test_read_image_common_formats(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(SCENE).save(path, quality=95)
    image = read_image(path)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - SCENE).mean() < 3
    assert is_image(path)


@pytest.mark.parametrize("orientation", STORED)
def test_turns_upright(tmp_path, orientation):
    path = tmp_path / "picture.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(STORED[orientation](SCENE))).save(path, exif=exif)
    np.testing.assert_array_equal(read_image(path), SCENE)


def test_transparency_becomes_white(tmp_path):
    alpha = np.tile(np.linspace(0, 255, 60).astype(np.uint8), (40, 1))
    Image.fromarray(np.dstack((SCENE, alpha))).save(tmp_path / "rgba.png")
    weight = alpha[..., None] / 255
    expected = SCENE * weight + 255 * (1 - weight)
    assert np.abs(read_image(tmp_path / "rgba.png") - expected).max() <= 1

    palette = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    palette.putpalette([200, 10, 20, 1, 2, 3])
    palette.save(tmp_path / "palette.png", transparency=1)
    assert read_image(tmp_path / "palette.png").tolist() == [[[200, 10, 20], [255, 255, 255]]]


def test_read_image_other_pixel_formats_become_rgb(tmp_path):
    gray = SCENE[..., 0]
    Image.fromarray(gray).save(tmp_path / "gray.jpg", quality=100)
    Image.fromarray(gray > 128).save(tmp_path / "bits.png")
    cv2.imwrite(str(tmp_path / "gray16.png"), gray.astype(np.uint16) * 257)
    cv2.imwrite(str(tmp_path / "rgb16.png"), SCENE[..., ::-1].astype(np.uint16) * 257)
    Image.fromarray(gray.astype(np.uint16) * 257).save(tmp_path / "gray16.tiff")
    expected = {
        "gray.jpg": gray,
        "bits.png": np.where(gray > 128, 255, 0),
        "gray16.png": gray,
        "rgb16.png": SCENE,
        "gray16.tiff": gray,
    }
    for name, values in expected.items():
        wanted = values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)
        assert np.abs(read_image(tmp_path / name).astype(int) - wanted).max() <= 3, name

    ink = np.random.default_rng(1).integers(0, 256, (8, 8, 1), np.uint8).repeat(8, 0).repeat(8, 1)
    cmyk = np.concatenate((ink, ink // 2, 255 - ink, ink // 4), axis=2)
    Image.fromarray(cmyk, "CMYK").save(tmp_path / "print.tiff")
    colors = (255 - cmyk[..., :3].astype(float)) * (255 - cmyk[..., 3:].astype(float)) / 255
    assert np.abs(read_image(tmp_path / "print.tiff") - colors).max() <= 2
    Image.fromarray(cmyk, "CMYK").save(tmp_path / "print.jpg", quality=100)
    assert np.abs(read_image(tmp_path / "print.jpg") - colors).mean() < 6


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (10, 200)]
    for name in ("animation.gif", "animation.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert read_image(tmp_path / name).max() == 10
        assert not is_image(tmp_path / name)
    frames[0].save(tmp_path / "still.gif")
    assert is_image(tmp_path / "still.gif")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42",
        png_header(10, 10),
        None,
    ],
)
def test_read_image_no_image_raises_input_error(tmp_path, content):
    path = tmp_path / "thing.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"thing\.png") as error:
        read_image(path)
    assert "\n" not in str(error.value)


def test_read_image_folder_raises_input_error(tmp_path):
    assert not is_image(tmp_path)
    with pytest.raises(InputError, match=tmp_path.name):
        read_image(tmp_path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "bmp"])
def test_truncated(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(SCENE).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputError, match=path.name) as error:
        read_image(path)
    assert "\n" not in str(error.value)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from(["jpg", "png", "webp", "tiff", "gif"]),
    place=st.floats(0, 1, exclude_max=True),
    junk=st.binary(min_size=1, max_size=20),
)
def test_damage_is_survived(tmp_path, suffix, place, junk):
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(SCENE).save(path)
    data = bytearray(path.read_bytes())
    start = int(place * len(data))
    data[start : start + len(junk)] = junk
    path.write_bytes(data)
    with suppress(InputError):
        assert read_image(path).shape[2] == 3


@pytest.mark.parametrize(
    ("width", "height"), [(20_000, 20_000), (10_001, 10_000), (32_767, 20), (20, 40_000)]
)
def test_too_large_is_refused_undecoded(tmp_path, width, height, recwarn):
    path = tmp_path / "huge.png"
    path.write_bytes(png_header(width, height))
    for read in (read_image, is_image):
        with pytest.raises(InputError, match=r"huge\.png is too large"):
            read(path)
    assert not recwarn.list


def test_32_bit_pixels_are_refused(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "depth.tiff")
    with pytest.raises(InputError, match="32 bits"):
        read_image(tmp_path / "depth.tiff")


def test_writes(tmp_path, unmarked):
    write_image(tmp_path / "new" / "a.png", SCENE, unmarked)
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "a.png"), SCENE)
    for name in ("a.jpg", "a.JPEG"):
        write_image(tmp_path / name, SCENE, unmarked)
        assert Image.open(tmp_path / name).format == "JPEG"
        assert np.abs(read_image(tmp_path / name).astype(int) - SCENE).mean() < 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.JPEG", "a.jpg", "new"]


@given(
    st.integers(1, 4).flatmap(
        lambda side: st.lists(st.integers(0, 255), min_size=side * side * 3, max_size=side * side * 3)
    )
)
def test_image_to_tensor_keeps_every_level(levels):
    side = round((len(levels) / 3) ** 0.5)
    image = np.array(levels, np.uint8).reshape(side, side, 3)
    tensor = image_to_tensor(image)
    assert tensor.shape == (3, side, side)
    assert tensor.abs().max() <= 1
    np.testing.assert_array_equal(tensor_to_images(tensor), image)


def test_tensor_to_images_clips_values():
    assert tensor_to_images(torch.tensor([-9.0, -1, 0, 1, 9]).expand(1, 3, 1, 5))[0, 0, :, 0].tolist() == [
        0,
        0,
        128,
        255,
        255,
    ]


@pytest.mark.parametrize("shape", [(90, 30), (30, 90), (30, 30), (31, 90)])
def test_center_crop_takes_the_middle(shape):
    image = np.zeros((*shape, 3), np.uint8)
    top, left = ((side - 30) // 2 for side in shape)
    image[top + 3 : top + 27, left + 3 : left + 27] = 255
    middle = center_crop(image, 10)
    assert middle.shape == (10, 10, 3)
    assert middle[2:8, 2:8].min() == 255
    assert middle[0].max() < 60
    assert middle[:, 0].max() < 60
