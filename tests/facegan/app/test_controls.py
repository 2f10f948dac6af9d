import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.app.controls import CONTROLS, GROUPS, read, sample
from facegan.app.inputs import as_hex
from facegan.geometry.motion import MOTION_NAMES, NUM_MOTION_PARAMS, edit_motion


def test_every_number_has_one_slider():
    assert sorted(control.name for control in CONTROLS) == sorted(MOTION_NAMES)
    assert list(GROUPS) == ["Brow", "Eyes", "Nose", "Mouth", "Head"]
    assert len({control.label for control in CONTROLS}) == NUM_MOTION_PARAMS


@given(st.lists(st.floats(0, 1), min_size=20, max_size=20))
def test_sliders_show_the_motion(numbers):
    vector = torch.tensor(numbers)
    vector[17:] -= 0.5
    values = dict(zip((control.name for control in CONTROLS), read(vector), strict=True))
    again = edit_motion(torch.zeros(NUM_MOTION_PARAMS), values)
    assert torch.allclose(again[:17], vector[:17], atol=0.006)
    assert torch.allclose(again[17:], vector[17:], atol=0.02)


def test_random_motions_are_on_the_sliders():
    generator = np.random.default_rng(0)
    vectors = [sample(generator) for _ in range(5)]
    assert len({tuple(read(vector)) for vector in vectors}) == 5
    for vector in vectors:
        for control, value in zip(CONTROLS, read(vector), strict=True):
            assert control.low <= value <= control.high


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("#0A0b0c", "#0A0b0c"),
        ("rgba(255, 0, 16.4, 1)", "#ff0010"),
        ("rgb(999,1,2)", "#ff0102"),
        ("url(http://127.0.0.1)", "#7f0000"),
        ("", "#000000"),
    ],
)
def test_colors(said, meant):
    assert as_hex(said) == meant
