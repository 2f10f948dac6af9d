import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.data import FaceCrops, cross_pairs, nearest_motion
from facegan.data import pair_selection as search


class Crops:
    """Names and motions; every third crop moves as another one does."""

    def __init__(self, count, people, seed=0, spread=1.0):
        random = np.random.default_rng(seed)
        self.identity = np.array(
            [f"person {person}" for person in random.integers(0, people, count)], dtype=str
        )
        self.motion = random.normal(3, spread, (count, 20)).astype(np.float32)
        self.motion[::3] = self.motion[random.integers(0, max(count, 1), len(self.motion[::3]))]

    def __len__(self):
        return len(self.identity)


def most_alike(motion, wanted, allowed):
    """What evaluation did before the search was here, one query after the other."""
    distance = np.square(motion - wanted).sum(axis=1)
    return int(np.where(allowed, distance, np.inf).argmin()) if allowed.any() else -1


@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 9), st.sampled_from([1e-4, 0.1, 1.0, 30.0]))
def test_nearest_motion_equals_exhaustive_search(count, people, seed, spread):
    crops = Crops(count, people, seed, spread)
    wanted = crops.motion[::2]
    for units, numbers in ((False, 20), (True, 17)):
        motion, asked = (np.ascontiguousarray(some[:, :numbers]) for some in (crops.motion, wanted))
        free = nearest_motion(crops, wanted, action_units_only=units)
        other = nearest_motion(crops, wanted, crops.identity[::2], action_units_only=units)
        for place, query in enumerate(asked):
            allowed = crops.identity != crops.identity[2 * place]
            everybody = np.ones(count, bool)
            if units:
                # The sum over 17 of 20 columns may round otherwise: equally near, then.
                for found, these in ((free, everybody), (other, allowed)):
                    best = most_alike(motion, query, these)
                    assert (found[place] < 0) == (best < 0)
                    distances = np.linalg.norm(motion.astype(float) - query, axis=1)
                    assert best < 0 or distances[found[place]] == pytest.approx(distances[best], abs=1e-5)
            else:
                assert free[place] == most_alike(motion, query, everybody)
                assert other[place] == most_alike(motion, query, allowed)


def test_nearest_motion_of_many_queries_works_in_chunks(monkeypatch):
    crops = Crops(200, 4)
    whole = nearest_motion(crops, crops.motion, crops.identity)
    monkeypatch.setattr(search, "CHUNK", 500)
    np.testing.assert_array_equal(nearest_motion(crops, crops.motion, crops.identity), whole)


def test_nearest_motion_with_unknown_excluded_names_excludes_none():
    crops = Crops(30, 3)
    np.testing.assert_array_equal(
        nearest_motion(crops, crops.motion, ["zoe"] * 30), nearest_motion(crops, crops.motion)
    )


def test_nearest_motion_without_crops_or_queries():
    crops = Crops(9, 2)
    assert nearest_motion(crops, crops.motion[:0]).shape == (0,)
    crops.identity, crops.motion = crops.identity[:0], crops.motion[:0]
    assert nearest_motion(crops, np.zeros((2, 20), np.float32)).tolist() == [-1, -1]


@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 9), st.integers(1, 40))
def test_cross_pairs_equal_those_of_earlier_versions(count, people, seed, wanted):
    """By the same numbers from the same generator, in the same order."""
    crops = Crops(count, people, seed)
    random = np.random.default_rng(seed)
    _, first, identity = np.unique(crops.identity, return_index=True, return_inverse=True)
    pairs = cross_pairs(crops, wanted, seed)
    if len(first) < 2:
        assert pairs.shape == (0, 2)
        return
    driver = random.permutation(count)[:wanted]
    other = identity[driver] + random.integers(1, len(first), len(driver))
    np.testing.assert_array_equal(pairs, np.stack((first[other % len(first)], driver), axis=1))


def test_cross_pairs_of_data_set_join_two_identities(prepared):
    crops = FaceCrops(prepared)
    source, driver = cross_pairs(crops, 50, 3).T
    assert (crops.identity[source] != crops.identity[driver]).all()
    assert len(set(driver.tolist())) == 50
