import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.app.controls import SLIDERS, motion_to_slider_values, sample_slider_values
from facegan.geometry.motion import MOTION_NAMES, NUM_MOTION_PARAMS, edit_motion


def test_sliders_cover_every_motion_parameter_once():
    assert sorted(slider.name for slider in SLIDERS) == sorted(MOTION_NAMES)
    assert len({slider.label for slider in SLIDERS}) == NUM_MOTION_PARAMS


@given(st.lists(st.floats(0, 1), min_size=20, max_size=20))
def test_motion_to_slider_values_inverts_edit_motion(parameters):
    motion = torch.tensor(parameters)
    motion[17:] -= 0.5
    values = dict(zip((slider.name for slider in SLIDERS), motion_to_slider_values(motion), strict=True))
    edited = edit_motion(torch.zeros(NUM_MOTION_PARAMS), values)
    assert torch.allclose(edited[:17], motion[:17], atol=0.006)
    assert torch.allclose(edited[17:], motion[17:], atol=0.02)


def test_sample_slider_values_are_in_range_and_differ():
    generator = np.random.default_rng(0)
    samples = [sample_slider_values(generator) for _ in range(20)]
    assert len({tuple(sample) for sample in samples}) == 20
    for sample in samples:
        assert any(sample)
        for slider, value in zip(SLIDERS, sample, strict=True):
            assert slider.minimum <= value <= slider.maximum
