from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.preparation import split_identities


def names(count):
    return [f"person {i}" for i in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_are_all_for_training(count):
    assert set(split_identities(names(count)).values()) <= {"train"}


@given(st.integers(3, 300), st.integers(0, 9))
def test_every_split_has_somebody_and_its_share(count, seed):
    splits = Counter(split_identities(names(count), seed).values())
    assert splits["val"] == splits["test"] == max(1, round(count / 10))
    assert splits["train"] >= 1
    assert splits.total() == count


def test_order_and_doubles_do_not_matter_but_the_seed_does():
    people = names(50)
    assert split_identities(people) == split_identities(people[::-1] + people)
    assert split_identities(people, 0) != split_identities(people, 1)


def test_it_is_the_same_everywhere():
    splits = {"bob": "val", "cy": "test", "ann": "train", "dora": "train"}
    assert split_identities(splits, seed=1) == splits


def test_most_stay_where_they_are_when_somebody_joins():
    before, after = split_identities(names(100)), split_identities(names(105))
    assert sum(before[name] != after[name] for name in before) <= 5


def test_what_the_data_set_prescribes_is_kept_and_the_others_share():
    people = names(33)
    fixed = dict.fromkeys(people[:3], "test")
    splits = split_identities(people, 0, fixed)
    assert {splits[name] for name in fixed} == {"test"}
    assert Counter(splits[name] for name in people[3:]) == {"train": 24, "val": 3, "test": 3}
