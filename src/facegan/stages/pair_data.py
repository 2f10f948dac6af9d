"""The DataModule behind all four stages: pairs of a prepared data set."""

from __future__ import annotations

from pathlib import Path

import pytorch_lightning as pl
import torch
from lightning_utilities.core.rank_zero import rank_zero_warn
from torch.utils.data import DataLoader

from facegan.data import Augmentation, FaceCrops, Pair, TrainingPairs, ValidationPairs, dataset_info
from facegan.errors import InputError


class PairData(pl.LightningDataModule):
    """Pairs of two frames of one track.

    Args:
        root: folder that ``facegan prepare`` wrote.
        size: height and width of the pictures; null for that of the data set.
        batch_size: pairs a step and device.
        workers: processes that read.
        validation_pairs: how many pairs are validated, evenly over the data.
        flip: probability of mirroring a training pair.
        colour: largest relative change of brightness, contrast and saturation of a training pair.
    """

    pictures = True

    def __init__(
        self,
        root: Path,
        size: int | None = None,
        batch_size: int = 1,
        workers: int = 2,
        validation_pairs: int = 200,
        flip: float = 0.5,
        colour: float = 0.1,
    ) -> None:
        super().__init__()
        self.root = Path(root)
        self.batch_size = batch_size
        self.workers = workers
        self.validation_pairs = validation_pairs
        self.flip = flip
        self.colour = colour
        self.size: int = size or dataset_info(self.root)["size"]
        self._splits: dict[str, dict[str, int]] = dataset_info(self.root)["splits"]

    def setup(self, stage: str) -> None:
        """Opens the splits that a run needs: train and val for fit, test for test and predict."""
        if stage == "fit":
            augmentation = Augmentation(self.flip, self.colour) if self.flip or self.colour else None
            self.train = TrainingPairs(
                self._crops("train"), pictures=self.pictures, augmentation=augmentation
            )
        if stage in ("fit", "validate"):
            self.val = self._fixed("val")
        if stage in ("test", "predict"):
            self.test = self._fixed("test")

    def train_dataloader(self) -> DataLoader[Pair]:
        """Random pairs."""
        if len(self.train) < self.batch_size:
            msg = f"{self.root} has {len(self.train)} training crops, fewer than a batch of {self.batch_size}"
            raise InputError(msg)
        return self._loader(self.train, train=True)

    def val_dataloader(self) -> DataLoader[Pair]:
        """Fixed pairs of people who are not trained on."""
        return self._loader(self.val)

    def test_dataloader(self) -> DataLoader[Pair]:
        """Fixed pairs of people kept out of all training."""
        return self._loader(self.test)

    def predict_dataloader(self) -> DataLoader[Pair]:
        """As for test."""
        return self._loader(self.test)

    def _crops(self, split: str) -> FaceCrops:
        if not self._splits[split]["crops"]:
            rank_zero_warn(f"{self.root} has too few people for a {split} split: its training crops serve")
            split = "train"
        return FaceCrops(self.root, split, self.size)

    def _fixed(self, split: str) -> ValidationPairs:
        return ValidationPairs(self._crops(split), self.validation_pairs, pictures=self.pictures)

    def _loader(self, pairs: TrainingPairs | ValidationPairs, *, train: bool = False) -> DataLoader[Pair]:
        return DataLoader(
            pairs,
            batch_size=self.batch_size,
            shuffle=train,
            drop_last=train,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
        )
