"""Gaze and blinks."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.metrics import BlinkAgreement, blink_agreement

blinks = st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)), min_size=1, max_size=20)


@given(blinks)
def test_agree_where_both_are_on_one_side_of_the_half(values):
    driver, result = torch.tensor(values).T
    wanted = [float((a >= 0.5) == (b >= 0.5)) for a, b in values]
    assert blink_agreement(driver, result).tolist() == wanted
    assert BlinkAgreement()(driver, result).item() == pytest.approx(sum(wanted) / len(wanted))


def test_a_face_that_is_gone_agrees_with_nobody():
    metric = BlinkAgreement()
    metric.update(torch.tensor([0.0, 0.0]), torch.tensor([0.0, torch.nan]), torch.tensor([True, False]))
    assert metric.compute() == 0.5


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="driver_blink must be N, got"):
        blink_agreement(torch.zeros(2, 1), torch.zeros(2))
