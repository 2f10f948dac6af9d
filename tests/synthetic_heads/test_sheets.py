import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from facegan.geometry.motion import ACTION_UNITS, NUM_MOTION_PARAMS
from synthetic_heads import render, sample_identity, sheets


def test_every_unit_has_its_name():
    assert tuple(sheets.UNITS) == ACTION_UNITS


@pytest.mark.parametrize(("draw", "rows", "columns"), [(sheets.people, 2, 8), (sheets.action_units, 9, 10)])
def test_sheets_hold_all_pictures_and_come_out_the_same_again(draw, rows, columns):
    sheet, again = draw((0, 1), 32), draw((0, 1), 32)
    np.testing.assert_array_equal(sheet, again)
    height, width, channels = sheet.shape
    assert (sheet.dtype, channels) == (np.uint8, 3)
    assert 32 * rows < height < 40 * rows + 32
    assert 32 * columns < width < 40 * columns + 128
    for side in (sheet[:2], sheet[-2:], sheet[:, :2], sheet[:, -2:]):
        assert side.min() == 255
    # A picture's place has hardly a white pixel.
    white = (sheet == 255).all(axis=-1)
    assert 0.9 < (~white).sum() / (rows * columns * 32**2 - 32**2 * (draw is sheets.action_units)) < 1.2


def test_a_picture_is_what_render_draws():
    sheet = sheets.people((3,), 48)
    drawn = render(sample_identity(3), np.zeros(NUM_MOTION_PARAMS), 48, grain=0).image
    top, left = (round(48 * share) for share in (sheets.MARGIN + 0.2, sheets.MARGIN))
    np.testing.assert_array_equal(sheet[top : top + 48, left : left + 48], drawn)


def test_as_a_program(tmp_path):
    done = subprocess.run([sys.executable, "-m", "synthetic_heads.sheets", "--out", tmp_path], check=True)
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["action_units.jpg", "heads.jpg"]
    for path in tmp_path.iterdir():
        assert path.stat().st_size < 900_000
        assert min(Image.open(path).size) > 1000
