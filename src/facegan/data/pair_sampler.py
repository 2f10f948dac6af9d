"""The order of a training epoch, shared between processes and exact after an interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import DistributedSampler

from facegan.data.motion_balancing import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from facegan.data.pair_datasets import TrainingPairs

SampleKey = tuple[int, int]
"""Index of a driver, and the seed of every random choice about its pair."""


class PairSampler(DistributedSampler[SampleKey]):
    """Every driver once an epoch, or as often as its chance is, in an order of seed and epoch alone.

    Each process takes every n-th of that order, so that n processes with a batch of b see in a step
    what one process with a batch of n·b sees. What is left over at the end is dropped, not repeated.

    Args:
        pairs: the data.
        seed: of the orders and draws.
        position: epoch, and how many of this process's draws in it are used up.
        processes: how many there are.
        rank: which of them this is.
        chances: of each driver, with a sum of 1, see :mod:`facegan.data.motion_balancing`; None: once each.
    """

    def __init__(
        self,
        pairs: TrainingPairs,
        seed: int,
        position: Callable[[], tuple[int, int]],
        processes: int = 1,
        rank: int = 0,
        chances: NDArray[np.float64] | None = None,
    ) -> None:
        super().__init__(pairs, num_replicas=processes, rank=rank, seed=seed, drop_last=True)
        self.length = len(pairs)
        self.position = position
        self.chances = chances

    def __iter__(self) -> Iterator[SampleKey]:
        # Not set_epoch's number, which a resumed run's workers would hear of too late.
        epoch, used = self.position()
        generator = torch.Generator().manual_seed(self.seed + epoch)
        order = torch.randperm(self.length, generator=generator)[: self.total_size].numpy()
        drawn = np.arange(self.length)
        if self.chances is not None:
            drawn = draw(self.chances, torch.rand((), generator=generator).item())
        for place in range(self.rank + used * self.num_replicas, len(order), self.num_replicas):
            index = int(drawn[order[place]])
            # Several times in an epoch, a driver has another source each time.
            which = (index,) if self.chances is None else (index, place)
            yield index, int(np.random.SeedSequence((self.seed, epoch, *which)).generate_state(1)[0])
