"""The order of a training epoch, shared between processes and exact after an interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import DistributedSampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from facegan.data.pairs import TrainingPairs

Draw = tuple[int, int]
"""Index of a driver, and the seed of every random choice about its pair."""


class PairSampler(DistributedSampler[Draw]):
    """Every driver once an epoch, in an order that is a function of seed and epoch alone.

    Each process takes every n-th of that order, so that n processes with a batch of b see in a step
    what one process with a batch of n·b sees. What is left over at the end is dropped, not repeated.

    Args:
        pairs: the data.
        seed: of the orders and draws.
        position: epoch, and how many of this process's draws in it are used up.
        processes: how many there are.
        rank: which of them this is.
    """

    def __init__(
        self,
        pairs: TrainingPairs,
        seed: int,
        position: Callable[[], tuple[int, int]],
        processes: int = 1,
        rank: int = 0,
    ) -> None:
        super().__init__(pairs, num_replicas=processes, rank=rank, seed=seed, drop_last=True)
        self.length = len(pairs)
        self.position = position

    def __iter__(self) -> Iterator[Draw]:
        # Not set_epoch's number, which a resumed run's workers would hear of too late.
        epoch, used = self.position()
        generator = torch.Generator().manual_seed(self.seed + epoch)
        order = torch.randperm(self.length, generator=generator)[: self.total_size]
        for index in order[self.rank :: self.num_replicas][used:].tolist():
            yield index, int(np.random.SeedSequence((self.seed, epoch, index)).generate_state(1)[0])
