"""Where a measure leaves a choice: frontal faces, ED's two readings, scale of embeddings."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.metrics import ED, PSIM, csim, ed, psim

directions = st.floats(0, 2 * math.pi)


def pose(length, angle):
    return torch.tensor([[length * math.cos(angle), length * math.sin(angle), 0.0]])


@given(directions, directions)
def test_two_frontal_faces_agree_whatever_their_noise(a, b):
    assert psim(pose(0.009, a), pose(0.004, b)) == 1
    assert psim(pose(0.0, a), pose(0.0, b)) == 1


@given(directions, directions, st.floats(0.011, 1.5), st.floats(0.001, 1.5))
def test_a_turned_head_counts_by_its_direction(a, b, longer, other):
    assert psim(pose(longer, a), pose(other, b)).item() == pytest.approx(math.cos(a - b), abs=1e-4)


def test_no_direction_at_all_against_a_turned_head_is_neither_good_nor_bad():
    assert psim(torch.zeros(1, 3), pose(0.5, 1.0)) == 0


def test_epsilon_is_a_setting():
    metric = PSIM(epsilon=0.2)
    assert metric(pose(0.1, 0), pose(0.1, math.pi)) == 1
    assert PSIM()(pose(0.1, 0), pose(0.1, math.pi)) == -1


def test_ed_of_one_unit_at_its_full_intensity():
    driver, result = torch.zeros(1, 17), torch.eye(17)[:1]
    assert ed(driver, result).item() == pytest.approx(1 / 17)
    assert ed(driver, result, "euclidean") == 1


@given(st.integers(0, 1000))
def test_euclidean_reading_of_a_pair_is_the_root_of_17_mean_squares(seed):
    driver, result = torch.rand(2, 4, 17, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(
        ed(driver, result, "euclidean"), (17 * ed(driver, result)).sqrt(), rtol=1e-5, atol=0
    )


def test_unknown_reading_is_refused():
    with pytest.raises(ValueError, match="unknown reading 'manhattan'"):
        ED("manhattan")
    with pytest.raises(ValueError, match="unknown reading 'manhattan'"):
        ed(torch.zeros(1, 17), torch.zeros(1, 17), "manhattan")


@given(st.floats(0.01, 100))
def test_length_of_an_embedding_does_not_matter(scale):
    source, result = torch.randn(2, 3, 128, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(csim(source, scale * result), csim(source, result))
