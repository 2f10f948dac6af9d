import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.evaluation.protocols import (
    PROTOCOLS,
    RUN,
    cross_reenactment,
    self_reenactment,
    shape_and_expression,
    successive_frames,
)

people = st.lists(st.sampled_from(["ann", "bob", "cy", "di"]), min_size=1, max_size=25)
counts = st.integers(1, 40)
seeds = st.integers(0, 5)


class Crops:
    """What a choice looks at: up to two tracks a person, random motion."""

    def __init__(self, names):
        random = np.random.default_rng(len(names))
        people = np.unique(names, return_inverse=True)[1]
        self.identity = np.array(names)
        self.track = np.unique(2 * people + random.integers(0, 2, len(names)), return_inverse=True)[1]
        self.frame = np.arange(len(names))
        self.motion = random.normal(size=(len(names), 20)).astype(np.float32)

    def __len__(self):
        return len(self.identity)


@given(people, counts, seeds)
def test_cross_pairs_two_people_and_no_crop_drives_twice(names, count, seed):
    crops = Crops(names)
    trials = cross_reenactment(crops, count, seed)
    assert len(trials.source) == (min(count, len(names)) if len(set(names)) > 1 else 0)
    assert (crops.identity[trials.source] != crops.identity[trials.driver]).all()
    assert len(set(trials.driver)) == len(trials.driver)
    assert all(names.index(names[source]) == source for source in trials.source)


@given(people, counts, seeds)
def test_lsim_takes_the_nearest_of_other_people(names, count, seed):
    crops = Crops(names)
    trials = shape_and_expression(crops, count, seed)
    people = len(set(names))
    assert len(trials.source) == (min(count, len(names) - people) if people > 1 else 0)
    for source, driver, second in zip(*trials, strict=True):
        assert names[source] == names[second] != names[driver]
        assert source != second
        nearest = min(
            (np.linalg.norm(crops.motion[other] - crops.motion[second]), other)
            for other in range(len(names))
            if names[other] != names[second]
        )
        assert driver == nearest[1]


@given(people, counts)
def test_self_pairs_lie_in_one_track(names, count):
    crops = Crops(names)
    trials = self_reenactment(crops, count, 0)
    assert (crops.track[trials.source] == crops.track[trials.driver]).all()
    assert (trials.source != trials.driver).all()
    assert (trials.expected == trials.driver).all()


@pytest.mark.parametrize("name", ["cross", "lsim"])
def test_seed_decides(name):
    crops = Crops(["ann", "bob", "cy"] * 8)
    choose = PROTOCOLS[name].choose
    np.testing.assert_array_equal(choose(crops, 20, 3), choose(crops, 20, 3))
    assert not np.array_equal(choose(crops, 20, 3), choose(crops, 20, 4))


def test_sources_of_a_cross_are_spread_over_people():
    crops = Crops(["ann", "bob", "cy", "di"] * 50)
    trials = cross_reenactment(crops, 200, 0)
    assert np.bincount(trials.source, minlength=4).min() > 30


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), counts, seeds)
def test_runs_are_successive_frames_of_long_tracks(lengths, count, seed):
    crops = Crops(["ann"] * sum(lengths))
    crops.track = np.repeat(np.arange(len(lengths)), lengths)
    trials = successive_frames(crops, count, seed)
    long = sum(length > RUN for length in lengths)
    assert len(trials.driver) == RUN * min(long, max(count // RUN, 1))
    for run in range(0, len(trials.driver), RUN):
        driver, source = trials.driver[run : run + RUN], trials.source[run : run + RUN]
        assert (np.diff(driver) == 1).all()
        assert len(set(crops.track[driver])) == 1
        assert (source == np.flatnonzero(crops.track == crops.track[driver[0]])[0]).all()
        assert source[0] not in driver
