import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from facegan.data import FaceCrops
from facegan.data.motion_balancing import balanced_weights, sampling_weights, systematic_resample

motions = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 40), st.just(20)),
    elements=st.floats(-1, 1, width=32),
)


@given(motions, st.floats(0, 1))
def test_sampling_weights_are_probabilities(motion, share):
    weights = sampling_weights(motion, share)
    assert (weights > 0).all()
    np.testing.assert_allclose(weights.sum(), 1)


def test_balanced_weights_give_rare_motion_equal_share():
    """One parameter, in three of its bins: 90, 9 and 1 crops."""
    motion = np.zeros((100, 20), np.float32)
    motion[90:99, 8], motion[99, 8] = 0.5, 1
    one = balanced_weights(motion[:, 8:9])
    np.testing.assert_allclose([one[:90].sum(), one[90:99].sum(), one[99]], 1 / 3)
    assert len(set(one[:90])) == 1
    # The other 19 parameters are constant.
    expected = np.array([90 * 19 / 2000 + 1 / 60, 9 * 19 / 2000 + 1 / 60, 19 / 2000 + 1 / 60])
    weights = balanced_weights(motion)
    np.testing.assert_allclose([weights[:90].sum(), weights[90:99].sum(), weights[99]], expected)
    np.testing.assert_allclose(sampling_weights(motion, 0), 0.01)
    np.testing.assert_allclose(sampling_weights(motion, 0.25), 0.0075 + 0.25 * weights)


@given(motions)
def test_balanced_weights_equal_stepwise_probabilities(motion):
    """The closed form against the three steps of the drawing."""
    expected = np.zeros(len(motion))
    for values in motion.T.astype(np.float64):
        edges = np.linspace(values.min(), values.max(), 11)
        part = np.clip(np.floor((values - edges[0]) / max(edges[-1] - edges[0], 1e-300) * 10), 0, 9)
        for one in set(part):
            expected[part == one] += 1 / 20 / len(set(part)) / (part == one).sum()
    np.testing.assert_allclose(balanced_weights(motion), expected)


def test_sampling_weights_with_more_balance_are_more_even(prepared):
    motion = FaceCrops(prepared).motion

    def unevenness(weights):
        distances = []
        for values in motion.T:
            counts, edges = np.histogram(values, 10)
            mass, _ = np.histogram(values, edges, weights=weights)
            distances.append(np.abs(mass[counts > 0] - 1 / (counts > 0).sum()).sum())
        return np.mean(distances)

    uneven = [unevenness(sampling_weights(motion, share)) for share in (0, 0.5, 1)]
    assert uneven[2] < uneven[1] < uneven[0]


@given(
    st.lists(st.floats(0.001, 1), min_size=1, max_size=60).map(np.array), st.floats(0, 1, exclude_max=True)
)
def test_systematic_resample_draws_as_many_in_order(weights, start):
    drawn = systematic_resample(weights / weights.sum(), start)
    assert len(drawn) == len(weights)
    assert (np.diff(drawn) >= 0).all()


def test_systematic_resample_meets_weights_on_average():
    weights = np.array([0.05, 0.5, 0.25, 0.2])
    counts = sum(
        np.bincount(systematic_resample(weights, start), minlength=4)
        for start in np.linspace(0, 1, 1000)[:-1]
    )
    np.testing.assert_allclose(counts / counts.sum(), weights, atol=0.002)


def test_systematic_resample_of_nothing_is_empty():
    empty = np.empty((0, 20), np.float32)
    assert len(systematic_resample(sampling_weights(empty, 0.5), 0.3)) == 0
