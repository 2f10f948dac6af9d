import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from facegan.data import FaceCrops, PairSampler, TrainingPairs

EARLIER = [
    *((3, 1558689951), (4, 3806301746), (1, 4109687493)),
    *((0, 1002604896), (5, 1506264794), (2, 1142734250)),
]
"""The order of epoch 5 by seed 7, before there were weights."""


class Pairs:
    """A data set of some length."""

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length


def draws(length, seed=7, position=(0, 0), processes=1, rank=0, weights=None):
    """The draws of an epoch after the pairs that all processes have used of it."""
    sampler = PairSampler(Pairs(length), seed, processes, rank, weights)
    sampler.resume(*position)
    sampler.set_epoch(position[0])
    return list(sampler)


def uneven(length):
    """Weights, a few of them high."""
    values = np.random.default_rng(length).exponential(size=length) ** 3
    return values / values.sum()


lengths = st.integers(0, 60)
seeds = st.integers(0, 2**32 - 1)
epochs = st.integers(0, 1000)


@given(lengths, seeds, epochs)
def test_pair_sampler_without_weights_samples_each_once(length, seed, epoch):
    assert sorted(index for index, _ in draws(length, seed, (epoch, 0))) == list(range(length))


@given(lengths, seeds, epochs, st.integers(1, 5), st.integers(1, 4))
def test_pair_sampler_of_processes_shares_step_of_one(length, seed, epoch, processes, batch):
    """Without overlap, with the same draws, and all as long."""
    alone = draws(length, seed, (epoch, 0))
    shares = [draws(length, seed, (epoch, 0), processes, rank) for rank in range(processes)]
    assert {len(share) for share in shares} == {length // processes}
    for start in range(0, length // processes // batch * batch, batch):
        step = [draw for share in shares for draw in share[start : start + batch]]
        assert sorted(step) == sorted(alone[start * processes : (start + batch) * processes])
        assert len(set(step)) == len(step)


@given(lengths, seeds, epochs, st.integers(1, 4), st.integers(0, 60))
def test_pair_sampler_at_position_skips_used_samples(length, seed, epoch, processes, used):
    for rank in range(processes):
        whole = draws(length, seed, (epoch, 0), processes, rank)
        assert draws(length, seed, (epoch, used * processes), processes, rank) == whole[used:]


@given(st.integers(1, 60), seeds, epochs)
def test_pair_sampler_with_weights_samples_in_proportion(length, seed, epoch):
    weights = uneven(length)
    drawn = draws(length, seed, (epoch, 0), weights=weights)
    assert len(drawn) == length
    counts = np.bincount([index for index, _ in drawn], minlength=length)
    assert (np.floor(length * weights) <= counts).all()
    assert (counts <= np.ceil(length * weights)).all()
    # The same driver twice has two seeds, so two sources.
    assert len(set(drawn)) == length


@given(st.integers(1, 60), seeds, epochs, st.integers(1, 4), st.integers(0, 60))
def test_pair_sampler_with_weights_shares_and_resumes(length, seed, epoch, processes, used):
    weights = uneven(length)
    alone = draws(length, seed, (epoch, 0), weights=weights)[: length // processes * processes]
    shares = [draws(length, seed, (epoch, 0), processes, rank, weights) for rank in range(processes)]
    assert [draw for step in zip(*shares, strict=True) for draw in step] == alone
    for rank, share in enumerate(shares):
        assert draws(length, seed, (epoch, used * processes), processes, rank, weights) == share[used:]


def test_pair_sampler_without_weights_keeps_order_of_earlier_versions():
    """So that a run of then can go on."""
    assert draws(6, 7, (5, 0)) == EARLIER
    assert draws(6, 7, (5, 2), 2, 1) == EARLIER[3::2]


def test_pair_sampler_differs_by_epoch_and_seed():
    epochs = [draws(40, 7, (epoch, 0)) for epoch in range(5)] + [
        draws(40, 8, (epoch, 0)) for epoch in range(5)
    ]
    orders = {tuple(index for index, _ in epoch) for epoch in epochs}
    assert len(orders) >= 5
    assert len({seed for epoch in epochs for _, seed in epoch}) == 400


def test_pair_sampler_resumed_starts_other_epochs_at_their_start():
    sampler = PairSampler(Pairs(12), 7)
    sampler.resume(1, 4)
    for epoch, used in ((0, 0), (1, 4), (2, 0)):
        sampler.set_epoch(epoch)
        assert sampler.start == used
        assert list(sampler) == draws(12, 7, (epoch, 0))[used:]
    assert len(sampler) == 12


@pytest.mark.parametrize("workers", [0, 2])
def test_pair_sampler_pairs_do_not_depend_on_processes_and_workers(prepared, workers):
    pairs = TrainingPairs(FaceCrops(prepared, "train"), roles=())

    def sources(processes, rank, batch, workers):
        sampler = PairSampler(pairs, 7, processes, rank)
        sampler.set_epoch(3)
        loader = DataLoader(pairs, batch, sampler=sampler, num_workers=workers, drop_last=True)
        torch.manual_seed(rank)
        return [torch.cat((pair.source_landmarks, pair.driving_landmarks), dim=1) for pair in loader]

    alone = sources(1, 0, 4, 0)
    shares = [sources(2, rank, 2, workers) for rank in range(2)]
    for whole, *parts in zip(alone, *shares, strict=True):
        np.testing.assert_array_equal(whole[0::2], parts[0])
        np.testing.assert_array_equal(whole[1::2], parts[1])
