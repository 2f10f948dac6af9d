from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.preparation import split_identities


def names(count):
    return [f"person {i}" for i in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_split_identities_of_few_puts_all_into_train(count):
    assert set(split_identities(names(count)).values()) <= {"train"}


@given(st.integers(3, 300), st.integers(0, 9))
def test_split_identities_of_many_gives_each_split_its_share(count, seed):
    splits = Counter(split_identities(names(count), seed).values())
    assert splits["val"] == splits["test"] == max(1, round(count / 10))
    assert splits["train"] >= 1
    assert splits.total() == count


def test_split_identities_depends_on_seed_but_not_on_order():
    identities = names(50)
    assert split_identities(identities) == split_identities(identities[::-1] + identities)
    assert split_identities(identities, 0) != split_identities(identities, 1)


def test_split_identities_with_seed_is_reproducible():
    splits = {"bob": "val", "cy": "test", "ann": "train", "dora": "train"}
    assert split_identities(splits, seed=1) == splits


def test_split_identities_with_new_identities_moves_few():
    before, after = split_identities(names(100)), split_identities(names(105))
    assert sum(before[name] != after[name] for name in before) <= 5


def test_split_identities_with_fixed_splits_keeps_them():
    identities = names(33)
    fixed = dict.fromkeys(identities[:3], "test")
    splits = split_identities(identities, 0, fixed)
    assert {splits[name] for name in fixed} == {"test"}
    assert Counter(splits[name] for name in identities[3:]) == {"train": 24, "val": 3, "test": 3}
