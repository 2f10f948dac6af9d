import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.data.protocol_pairs import (
    PROTOCOL_PAIRS,
    RUN_LENGTH,
    select_cross_pairs,
    select_lsim_pairs,
    select_self_pairs,
    select_successive_frames,
)

identity_lists = st.lists(st.sampled_from(["ann", "bob", "cy", "di"]), min_size=1, max_size=25)
counts = st.integers(1, 40)
seeds = st.integers(0, 5)


class Crops:
    """Columns of a data set: up to two tracks an identity, random motion."""

    def __init__(self, names):
        random = np.random.default_rng(len(names))
        identities = np.unique(names, return_inverse=True)[1]
        self.identity = np.array(names)
        self.track = np.unique(2 * identities + random.integers(0, 2, len(names)), return_inverse=True)[1]
        self.frame = np.arange(len(names))
        self.motion = random.normal(size=(len(names), 20)).astype(np.float32)

    def __len__(self):
        return len(self.identity)


@pytest.mark.slow
@given(identity_lists, counts, seeds)
def test_select_cross_pairs_pairs_two_identities_and_uses_each_crop_once(names, count, seed):
    crops = Crops(names)
    pairs = select_cross_pairs(crops, count, seed)
    assert len(pairs.source) == (min(count, len(names)) if len(set(names)) > 1 else 0)
    assert (crops.identity[pairs.source] != crops.identity[pairs.driving]).all()
    assert len(set(pairs.driving)) == len(pairs.driving)
    assert all(names.index(names[source]) == source for source in pairs.source)


@given(identity_lists, counts, seeds)
def test_select_lsim_pairs_takes_the_nearest_motion_of_other_identities(names, count, seed):
    crops = Crops(names)
    pairs = select_lsim_pairs(crops, count, seed)
    identities = len(set(names))
    assert len(pairs.source) == (min(count, len(names) - identities) if identities > 1 else 0)
    for source, driving, target in zip(*pairs, strict=True):
        assert names[source] == names[target] != names[driving]
        assert source != target
        nearest = min(
            (np.linalg.norm(crops.motion[other] - crops.motion[target]), other)
            for other in range(len(names))
            if names[other] != names[target]
        )
        assert driving == nearest[1]


@given(identity_lists, counts)
def test_select_self_pairs_stays_in_one_track(names, count):
    crops = Crops(names)
    pairs = select_self_pairs(crops, count, 0)
    assert (crops.track[pairs.source] == crops.track[pairs.driving]).all()
    assert (pairs.source != pairs.driving).all()
    assert (pairs.target == pairs.driving).all()


@pytest.mark.parametrize("name", ["cross", "lsim"])
def test_select_with_another_seed_gives_other_pairs(name):
    crops = Crops(["ann", "bob", "cy"] * 8)
    select = PROTOCOL_PAIRS[name]
    np.testing.assert_array_equal(select(crops, 20, 3), select(crops, 20, 3))
    assert not np.array_equal(select(crops, 20, 3), select(crops, 20, 4))


def test_select_cross_pairs_spreads_sources_over_identities():
    crops = Crops(["ann", "bob", "cy", "di"] * 50)
    pairs = select_cross_pairs(crops, 200, 0)
    assert np.bincount(pairs.source, minlength=4).min() > 30


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), counts, seeds)
def test_select_successive_frames_gives_whole_runs_of_long_tracks(lengths, count, seed):
    crops = Crops(["ann"] * sum(lengths))
    crops.track = np.repeat(np.arange(len(lengths)), lengths)
    pairs = select_successive_frames(crops, count, seed)
    long = sum(length > RUN_LENGTH for length in lengths)
    assert len(pairs.driving) == RUN_LENGTH * min(long, max(count // RUN_LENGTH, 1))
    for run in range(0, len(pairs.driving), RUN_LENGTH):
        driving, source = pairs.driving[run : run + RUN_LENGTH], pairs.source[run : run + RUN_LENGTH]
        assert (np.diff(driving) == 1).all()
        assert len(set(crops.track[driving])) == 1
        assert (source == np.flatnonzero(crops.track == crops.track[driving[0]])[0]).all()
        assert source[0] not in driving
