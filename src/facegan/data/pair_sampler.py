"""Order of the pairs of a training epoch, shared between processes and exact after an interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import DistributedSampler

from facegan.data.face_pair import SampleKey
from facegan.data.motion_balancing import systematic_resample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from facegan.data.pair_datasets import TrainingPairs


class PairSampler(DistributedSampler[SampleKey]):
    """Sample every crop once per epoch as driving frame, or according to weights.

    The order depends on seed and epoch alone. Each of n processes takes every n-th sample, so that n
    processes with batches of b see in a step what one process with batches of n·b sees. The remainder at the
    end of an epoch is dropped, not repeated.

    Args:
        pairs: the training pairs.
        seed: seed of the orders and of the pairs.
        position: returns the epoch, and the number of this process's samples of it that were used.
        processes: number of processes.
        rank: index of this process.
        weights: probability of each crop, see :mod:`facegan.data.motion_balancing`; None for once each.
    """

    def __init__(
        self,
        pairs: TrainingPairs,
        seed: int,
        position: Callable[[], tuple[int, int]],
        processes: int = 1,
        rank: int = 0,
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        super().__init__(pairs, num_replicas=processes, rank=rank, seed=seed, drop_last=True)
        self.length = len(pairs)
        self.position = position
        self.weights = weights

    def __iter__(self) -> Iterator[SampleKey]:
        # Not the epoch of set_epoch, which the workers of a resumed run would receive too late.
        epoch, used = self.position()
        generator = torch.Generator().manual_seed(self.seed + epoch)
        order = torch.randperm(self.length, generator=generator)[: self.total_size].numpy()
        indices = np.arange(self.length)
        if self.weights is not None:
            indices = systematic_resample(self.weights, torch.rand((), generator=generator).item())
        for place in range(self.rank + used * self.num_replicas, len(order), self.num_replicas):
            index = int(indices[order[place]])
            # A crop that is drawn several times in an epoch has another source each time.
            key = (index,) if self.weights is None else (index, place)
            yield index, int(np.random.SeedSequence((self.seed, epoch, *key)).generate_state(1)[0])
