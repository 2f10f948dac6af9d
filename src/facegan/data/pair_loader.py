"""The loader of training pairs, which continues an interrupted epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facegan.data.face_pair import FacePair
    from facegan.data.pair_datasets import TrainingPairs
    from facegan.data.pair_sampler import PairSampler


class PairLoader(DataLoader["FacePair"]):
    """Loads the pairs of an epoch; its state is the epoch and the number of pairs that were used.

    Lightning saves the state in checkpoints (its protocol of stateful loaders). The order of an epoch depends
    on seed and epoch alone, so that a resumed epoch goes on with the pair after the last one used.

    Args:
        pairs: the training pairs.
        sampler: order of the pairs and share of this process.
        batch_size: pairs per batch of this process; the remainder of an epoch is dropped.
        settings: other arguments of PyTorch's loader.
    """

    sampler: PairSampler

    def __init__(self, pairs: TrainingPairs, sampler: PairSampler, batch_size: int, **settings: Any) -> None:
        super().__init__(pairs, batch_size=batch_size, sampler=sampler, drop_last=True, **settings)
        self._used = 0

    def __iter__(self) -> Iterator[FacePair]:  # type: ignore[override]
        # A generator: the workers start after Lightning has told the sampler the epoch.
        sampler = self.sampler
        self._used = sampler.start
        for batch in super().__iter__():
            self._used += len(batch.source_landmarks) * sampler.num_replicas
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Return the epoch and how many of its pairs all processes together have used."""
        return {"epoch": self.sampler.epoch, "pairs": self._used}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue the epoch of this state after the pairs that were used."""
        self.sampler.resume(state["epoch"], state["pairs"])
