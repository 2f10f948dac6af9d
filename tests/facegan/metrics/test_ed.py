"""ED: the two distances."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.metrics import ED, ed


def test_ed_one_unit_at_full_intensity():
    preds, target = torch.eye(17)[:1], torch.zeros(1, 17)
    assert ed(preds, target).item() == pytest.approx(1 / 17)
    assert ed(preds, target, "l2") == 1


@given(st.integers(0, 1000))
def test_ed_l2_is_root_of_17_mse(seed):
    preds, target = torch.rand(2, 4, 17, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(ed(preds, target, "l2"), (17 * ed(preds, target)).sqrt(), rtol=1e-5, atol=0)


def test_ed_unknown_distance_is_refused():
    with pytest.raises(ValueError, match="unknown distance 'manhattan'"):
        ED("manhattan")
    with pytest.raises(ValueError, match="unknown distance 'manhattan'"):
        ed(torch.zeros(1, 17), torch.zeros(1, 17), "manhattan")
