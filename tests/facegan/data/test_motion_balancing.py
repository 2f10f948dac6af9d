import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from facegan.data import FaceCrops
from facegan.data import motion_balancing as balance

motions = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 40), st.just(20)),
    elements=st.floats(-1, 1, width=32),
)


@given(motions, st.floats(0, 1))
def test_chances_are_chances(motion, share):
    chances = balance.chances(motion, share)
    assert (chances > 0).all()
    np.testing.assert_allclose(chances.sum(), 1)


def test_rare_motion_drives_as_often_as_common():
    """One number only, in three of its tenths: 90, 9 and 1 crops."""
    motion = np.zeros((100, 20), np.float32)
    motion[90:99, 8], motion[99, 8] = 0.5, 1
    one = balance.balanced(motion[:, 8:9])
    np.testing.assert_allclose([one[:90].sum(), one[90:99].sum(), one[99]], 1 / 3)
    assert len(set(one[:90])) == 1
    # The other 19 say nothing: each crop alike.
    expected = np.array([90 * 19 / 2000 + 1 / 60, 9 * 19 / 2000 + 1 / 60, 19 / 2000 + 1 / 60])
    chances = balance.balanced(motion)
    np.testing.assert_allclose([chances[:90].sum(), chances[90:99].sum(), chances[99]], expected)
    np.testing.assert_allclose(balance.chances(motion, 0), 0.01)
    np.testing.assert_allclose(balance.chances(motion, 0.25), 0.0075 + 0.25 * chances)


@given(motions)
def test_balanced_is_what_the_drawing_in_steps_has(motion):
    """The closed form against the three steps, counted out."""
    expected = np.zeros(len(motion))
    for values in motion.T.astype(np.float64):
        edges = np.linspace(values.min(), values.max(), 11)
        part = np.clip(np.floor((values - edges[0]) / max(edges[-1] - edges[0], 1e-300) * 10), 0, 9)
        for one in set(part):
            expected[part == one] += 1 / 20 / len(set(part)) / (part == one).sum()
    np.testing.assert_allclose(balance.balanced(motion), expected)


def test_all_tenths_of_a_data_set_are_nearer_to_their_share(prepared):
    motion = FaceCrops(prepared).motion

    def unevenness(chances):
        distances = []
        for values in motion.T:
            counts, edges = np.histogram(values, 10)
            mass, _ = np.histogram(values, edges, weights=chances)
            distances.append(np.abs(mass[counts > 0] - 1 / (counts > 0).sum()).sum())
        return np.mean(distances)

    uneven = [unevenness(balance.chances(motion, share)) for share in (0, 0.5, 1)]
    assert uneven[2] < uneven[1] < uneven[0]


@given(
    st.lists(st.floats(0.001, 1), min_size=1, max_size=60).map(np.array), st.floats(0, 1, exclude_max=True)
)
def test_draws_are_as_many_as_crops_and_in_order(weights, start):
    drawn = balance.draw(weights / weights.sum(), start)
    assert len(drawn) == len(weights)
    assert (np.diff(drawn) >= 0).all()


def test_draws_hit_the_chances_on_the_average():
    chances = np.array([0.05, 0.5, 0.25, 0.2])
    counts = sum(
        np.bincount(balance.draw(chances, start), minlength=4) for start in np.linspace(0, 1, 1000)[:-1]
    )
    np.testing.assert_allclose(counts / counts.sum(), chances, atol=0.002)


def test_nothing_to_draw_from():
    empty = np.empty((0, 20), np.float32)
    assert len(balance.draw(balance.chances(empty, 0.5), 0.3)) == 0
