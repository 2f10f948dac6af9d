"""A DataModule of eight pairs for overfitting; used by class path."""

from __future__ import annotations

from torch.utils.data import DataLoader

from facegan.data import FacePair, ValidationPairs
from facegan.stages.pair_data_module import FacePairDataModule

PAIRS = 8


class FewPairsData(FacePairDataModule):
    """The same eight pairs of the training split for training, again and again, and for validation.

    Args:
        repeats: how often an epoch has each of them.
        settings: of FacePairDataModule.
    """

    def __init__(self, repeats: int = 1, **settings) -> None:
        super().__init__(**settings)
        self.repeats = repeats

    def setup(self, stage: str) -> None:
        super().setup(stage)
        self.val = ValidationPairs(self._crops("train"), PAIRS)

    def train_dataloader(self) -> DataLoader[FacePair]:
        pairs = [self.val[index] for index in range(PAIRS)] * self.repeats
        return DataLoader(pairs, self.batch_size)
