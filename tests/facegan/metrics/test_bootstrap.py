"""The bootstrap interval of clustered pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.metrics import bootstrap_interval


def clustered(random, spread):
    """12 identities with 20 pairs each, whose means differ by ``spread``."""
    values = random.normal(0, spread, (12, 1)) + random.normal(0, 1, (12, 20))
    return values.ravel(), np.repeat(np.arange(12), 20)


@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_bootstrap_interval_covers_truth_in_95_percent(spread):
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        low, high = bootstrap_interval(*clustered(random, spread), num_resamples=400)
        covered += low < 0 < high
    # A percentile bootstrap of 12 clusters is a little narrow.
    assert 0.87 < covered / 300 < 0.98


def test_bootstrap_interval_differing_identities_is_wide():
    random = np.random.default_rng(0)
    narrow, wide = (np.diff(bootstrap_interval(*clustered(random, spread))).item() for spread in (0, 2))
    assert wide > 4 * narrow


def test_bootstrap_interval_resamples_whole_identities():
    """Two identities, of 1 and 3 pairs: the mean of a resample is 0, 0.75 or 1."""
    assert bootstrap_interval([0, 1, 1, 1], ["ann", "bob", "bob", "bob"]) == (0, 1)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.integers(0, 9))
def test_bootstrap_interval_is_bounded_reproducible_and_shift_equivariant(values, seed):
    identities = np.arange(len(values)) % 5
    low, high = bootstrap_interval(values, identities, num_resamples=50, seed=seed)
    assert min(values) - 1e-6 <= low <= high <= max(values) + 1e-6
    assert (low, high) == bootstrap_interval(values, identities, num_resamples=50, seed=seed)
    shifted = bootstrap_interval(np.array(values) + 7, identities, num_resamples=50, seed=seed)
    assert shifted == pytest.approx((low + 7, high + 7), abs=1e-6)


def test_bootstrap_interval_nan_is_left_out():
    values, identities = [1.0, np.nan, 2.0, 3.0, np.nan], ["a", "a", "b", "c", "d"]
    assert bootstrap_interval(values, identities) == bootstrap_interval([1.0, 2.0, 3.0], ["a", "b", "c"])


@pytest.mark.parametrize(
    ("values", "identities"), [([], []), ([1.0, 2.0], ["a", "a"]), ([np.nan, 1.0], ["a", "b"])]
)
def test_bootstrap_interval_one_identity_is_nan(values, identities):
    assert np.isnan(bootstrap_interval(values, identities)).all()
