"""The state of the loader of training pairs."""

import pytest
import torch

from facegan.data import FaceCrops, PairLoader, PairSampler, TrainingPairs


def loader(prepared, batch=3, processes=1, rank=0, workers=0):
    pairs = TrainingPairs(FaceCrops(prepared, "train"), roles=())
    sampler = PairSampler(pairs, 7, processes, rank)
    return PairLoader(pairs, sampler, batch, num_workers=workers, persistent_workers=workers > 0)


def landmarks(loader, epoch):
    loader.sampler.set_epoch(epoch)
    return [pair.driving_landmarks for pair in loader]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_pair_loader_resumed_goes_on_after_the_used_pairs(prepared, workers):
    whole = landmarks(loader(prepared), 4)
    interrupted = loader(prepared, workers=workers)
    interrupted.sampler.set_epoch(4)
    batches = iter(interrupted)
    begun = [next(batches).driving_landmarks for _ in range(5)]
    state = interrupted.state_dict()
    assert state == {"epoch": 4, "pairs": 15}

    resumed = loader(prepared, workers=workers)
    resumed.load_state_dict(state)
    rest = landmarks(resumed, 4)
    for one, other in zip(whole, [*begun, *rest], strict=True):
        assert torch.equal(one, other)
    # The next epoch is a whole one.
    for one, other in zip(landmarks(loader(prepared), 5), landmarks(resumed, 5), strict=True):
        assert torch.equal(one, other)


def test_pair_loader_state_counts_the_pairs_of_all_processes(prepared):
    """So that a run may go on with another number of processes, or another batch."""
    whole = torch.cat(landmarks(loader(prepared, batch=1), 2))
    shares = [loader(prepared, batch=2, processes=2, rank=rank) for rank in range(2)]
    for share in shares:
        share.sampler.set_epoch(2)
        batches = iter(share)
        for _ in range(3):
            next(batches)
    assert [share.state_dict() for share in shares] == [{"epoch": 2, "pairs": 12}] * 2
    alone = loader(prepared, batch=1)
    alone.load_state_dict(shares[0].state_dict())
    assert torch.equal(torch.cat(landmarks(alone, 2)), whole[12:])
