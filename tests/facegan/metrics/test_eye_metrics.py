"""Blinks; gaze is tested with all metrics in test_pairwise_mean.py."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.metrics import BlinkAgreement, blink_agreement

blinks = st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)), min_size=1, max_size=20)


@given(blinks)
def test_blink_agreement_is_share_on_same_side_of_threshold(values):
    preds, target = torch.tensor(values).T
    wanted = [float((a >= 0.5) == (b >= 0.5)) for a, b in values]
    assert blink_agreement(preds, target).tolist() == wanted
    assert BlinkAgreement()(preds, target).item() == pytest.approx(sum(wanted) / len(wanted))


def test_blink_agreement_undetected_face_counts_as_zero():
    metric = BlinkAgreement()
    metric.update(torch.tensor([0.0, torch.nan]), torch.tensor([0.0, 0.0]), torch.tensor([True, False]))
    assert metric.compute() == 0.5


def test_blink_agreement_other_shape_is_refused():
    with pytest.raises(ValueError, match="preds must be N, got"):
        blink_agreement(torch.zeros(2, 1), torch.zeros(2))
