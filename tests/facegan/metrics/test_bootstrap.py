"""The interval of a mean whose pairs come in families."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.metrics import bootstrap


def people(random, spread):
    """12 people with 20 pairs each, who differ."""
    return (random.normal(0, spread, (12, 1)) + random.normal(0, 1, (12, 20))).ravel(), np.repeat(
        np.arange(12), 20
    )


@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_holds_the_truth_about_19_times_in_20(spread):
    random = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        low, high = bootstrap(*people(random, spread), draws=400)
        held += low < 0 < high
    # A percentile bootstrap of 12 families is a little narrow.
    assert 0.87 < held / 300 < 0.98


def test_people_who_differ_make_it_wide():
    random = np.random.default_rng(0)
    narrow, wide = (np.diff(bootstrap(*people(random, spread))).item() for spread in (0, 2))
    assert wide > 4 * narrow


def test_families_of_one_value_are_drawn_whole():
    """Two people, of 1 and 3 pairs: the mean is 0, 0.75 or 1, whoever is drawn."""
    low, high = bootstrap([0, 1, 1, 1], ["ann", "bob", "bob", "bob"])
    assert (low, high) == (0, 1)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.integers(0, 9))
def test_lies_within_the_values_and_follows_shift_and_seed(values, seed):
    identity = np.arange(len(values)) % 5
    low, high = bootstrap(values, identity, draws=50, seed=seed)
    assert min(values) - 1e-6 <= low <= high <= max(values) + 1e-6
    assert (low, high) == bootstrap(values, identity, draws=50, seed=seed)
    shifted = bootstrap(np.array(values) + 7, identity, draws=50, seed=seed)
    assert shifted == pytest.approx((low + 7, high + 7), abs=1e-6)


def test_what_is_no_number_does_not_count():
    values, identity = [1.0, np.nan, 2.0, 3.0, np.nan], ["a", "a", "b", "c", "d"]
    assert bootstrap(values, identity) == bootstrap([1.0, 2.0, 3.0], ["a", "b", "c"])


@pytest.mark.parametrize(
    ("values", "identity"), [([], []), ([1.0, 2.0], ["a", "a"]), ([np.nan, 1.0], ["a", "b"])]
)
def test_one_person_has_no_interval(values, identity):
    assert np.isnan(bootstrap(values, identity)).all()
