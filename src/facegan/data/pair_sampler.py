"""Order of the pairs of a training epoch, shared between processes and exact after an interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import DistributedSampler

from facegan.data.face_pair import SampleKey
from facegan.data.motion_balancing import systematic_resample

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        processes: number of processes.
        rank: index of this process.
        weights: probability of each crop, see :mod:`facegan.data.motion_balancing`; None for once each.
    """

    def __init__(
        self,
        pairs: TrainingPairs,
        seed: int,
        processes: int = 1,
        rank: int = 0,
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        super().__init__(pairs, num_replicas=processes, rank=rank, seed=seed, drop_last=True)
        self.length = len(pairs)
        self.weights = weights
        self._resumed = (0, 0)

    @property
    def start(self) -> int:
        """Number of pairs of this epoch that were used before the run was resumed."""
        epoch, used = self._resumed
        return used if epoch == self.epoch else 0

    def resume(self, epoch: int, used: int) -> None:
        """Start this epoch after the pairs that all processes together have used, others at their start."""
        self._resumed = (epoch, used)

    def __iter__(self) -> Iterator[SampleKey]:
        epoch = self.epoch
        generator = torch.Generator().manual_seed(self.seed + epoch)
        order = torch.randperm(self.length, generator=generator)[: self.total_size].numpy()
        indices = np.arange(self.length)
        if self.weights is not None:
            indices = systematic_resample(self.weights, torch.rand((), generator=generator).item())
        for place in range(self.rank + self.start, len(order), self.num_replicas):
            index = int(indices[order[place]])
            # A crop that is drawn several times in an epoch has another source each time.
            key = (index,) if self.weights is None else (index, place)
            yield index, int(np.random.SeedSequence((self.seed, epoch, *key)).generate_state(1)[0])
