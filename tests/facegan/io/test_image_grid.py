"""Sheets of pictures."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageFont

from facegan.io.image_grid import make_image_grid
from facegan.io.images import tensor_to_images, write_image
from facegan.stages.callbacks.action_unit_grid_logger import TITLES


def noise(*shape: int) -> np.ndarray:
    # Never white, so that paper and pictures can be told apart.
    return np.random.default_rng(1).integers(0, 200, (*shape, 3), dtype=np.uint8)


def found(sheet: np.ndarray, picture: np.ndarray) -> list[tuple[int, int]]:
    """Where a picture lies in a sheet, x and y."""
    height, width = picture.shape[:2]
    corners = np.argwhere((sheet[: -height + 1, : -width + 1] == picture[0, 0]).all(axis=-1))
    return [(x, y) for y, x in corners if (sheet[y : y + height, x : x + width] == picture).all()]


@pytest.mark.parametrize("side", [128, 200, 256])
def test_image_grid_places_each_image_once_unchanged(side: int) -> None:
    pictures = noise(2, 3, side, side)
    sheet = make_image_grid(pictures, ["source I_s", "face I_fr", "truth I_d"], ["AU01", "yaw"])
    places = [[found(sheet, picture) for picture in row] for row in pictures]
    assert all(len(place) == 1 for row in places for place in row)
    at = np.array(places)[:, :, 0]
    assert (np.diff(at[:, :, 0], axis=1) > side).all()
    assert (np.diff(at[:, :, 1], axis=0) > side).all()
    assert (at[:, :, 0] == at[0, :, 0]).all()
    assert (at[:, :, 1] == at[:, :1, 1]).all()


def test_small_pictures_are_enlarged_pixel_by_pixel() -> None:
    picture = noise(48, 48)
    sheet = make_image_grid(picture[None, None], ["segmentation S_fr"])
    assert found(sheet, picture.repeat(3, axis=0).repeat(3, axis=1))


@pytest.mark.parametrize("side", [64, 128, 192, 256])
@pytest.mark.parametrize(
    "title", ["segmentation S_fr", "transformed l_t", "a method with a rather long name and version 2.13"]
)
def test_image_grid_title_is_above_its_column_only(side: int, title: str) -> None:
    pictures = np.full((1, 3, side, side, 3), 255, np.uint8)
    ink = (make_image_grid(pictures, ["", title, ""]) < 128).all(axis=-1).any(axis=0)
    written = np.flatnonzero(ink)
    third = len(ink) / 3
    assert third < written.min()
    assert written.max() < 2 * third


def test_image_grid_name_keeps_underscore() -> None:
    pictures = np.full((1, 1, 256, 256, 3), 255, np.uint8)
    name, symbol = ((make_image_grid(pictures, [title])[..., 0] < 128) for title in ("nn_mm", "n_mm"))
    line = np.ones(8, int)
    longest = [max(np.convolve(row, line).max() for row in ink.astype(int)) for ink in (name, symbol)]
    assert longest[0] == 8
    assert longest[1] < 8


@pytest.mark.parametrize("symbol", ["I", "I'"])
def test_image_grid_index_is_lower_and_smaller(symbol: str) -> None:
    pictures = np.full((1, 1, 256, 256, 3), 255, np.uint8)
    titles = (f"{symbol}x", f"{symbol}_x")
    plain, lowered = ((make_image_grid(pictures, [title]) < 128).all(axis=-1) for title in titles)
    assert np.flatnonzero(lowered.any(axis=1)).max() > np.flatnonzero(plain.any(axis=1)).max()
    assert lowered.sum() < plain.sum()


def test_labels_stand_beside_their_rows() -> None:
    pictures = np.full((2, 1, 128, 128, 3), 255, np.uint8)
    sheet = make_image_grid(pictures, [""], ["", "pitch"])
    rows, columns = np.nonzero((sheet < 128).all(axis=-1))
    assert rows.min() > len(sheet) / 2
    assert columns.max() < sheet.shape[1] - 128


@pytest.mark.parametrize("side", [127, 128, 129, 150])
def test_sides_are_even_as_videos_need_them(side: int) -> None:
    height, width = make_image_grid(noise(1, 1, side, side), ["source"]).shape[:2]
    assert height % 2 == width % 2 == 0


@pytest.mark.parametrize("text", [*TITLES, "head I'_fr"])
def test_image_grid_font_has_every_character(text: str) -> None:
    font = ImageFont.load_default(20)
    unknown = bytes(font.getmask("\uffff"))
    assert not any(bytes(font.getmask(character)) == unknown for character in text.replace(" ", ""))


def test_gray_and_color_become_levels() -> None:
    pictures = torch.tensor([-2.0, -1, 0, 1, 2]).reshape(5, 1, 1, 1)
    assert tensor_to_images(pictures)[:, 0, 0].tolist() == [[v] * 3 for v in (0, 0, 128, 255, 255)]
    colors = torch.tensor([1.0, -1, -1]).reshape(1, 3, 1, 1).to(torch.bfloat16)
    assert tensor_to_images(colors).tolist() == [[[[255, 0, 0]]]]


def test_image_grid_png_round_trip(tmp_path) -> None:
    sheet = noise(10, 20)
    write_image(tmp_path / "panels/epoch_0000.png", sheet)
    assert (np.asarray(Image.open(tmp_path / "panels/epoch_0000.png")) == sheet).all()
    assert len(list((tmp_path / "panels").iterdir())) == 1
