"""The DataModule behind all four stages: pairs of a prepared data set."""

from __future__ import annotations

import os
from typing import Any, cast

import pytorch_lightning as pl
import torch
from lightning_utilities.core.rank_zero import rank_zero_warn
from torch.utils.data import DataLoader, DistributedSampler

from facegan.data import (
    Augmentation,
    FaceCrops,
    FacePair,
    PairSampler,
    TrainingPairs,
    ValidationPairs,
    dataset_info,
    normalize_images,
)
from facegan.data.motion_balancing import chances
from facegan.data.storage import each
from facegan.errors import InputError
from facegan.stages.base_stage import Stage


class FacePairDataModule(pl.LightningDataModule):
    """Pairs of two frames of one track.

    Args:
        root: folder that ``facegan prepare`` wrote, or the address of one (``s3://bucket/data``,
            ``hf://datasets/owner/name``); or a list of them, which are one data set then. One that is
            named twice counts twice.
        size: height and width of the pictures; null for that of the data set.
        batch_size: pairs a step and device.
        workers: processes that read.
        validation_pairs: how many pairs are validated, evenly over the data.
        flip: probability of mirroring a training pair.
        color: largest relative change of brightness, contrast and saturation of a training pair.
        aligned_background: I_b is the source at the driver's place in the frame, where what stands still
            is in both; false leaves it where the source's crop has it (open in the paper, whose crops
            follow the face).
        min_time_gap_s: seconds that source and driver of a training pair are apart at least.
        min_pose_change_deg: degrees that the head turns between them at least. Where a track has no
            such crop,
            the one furthest off in time is the source.
        balance: how often crops drive: 0, each once an epoch; 1, each of the 20 motion numbers and each
            tenth of its range equally often, so that rare motion is learnt too; or between.
        blur: of a training pair's source, largest standard deviation in pixels; 0 for none.
        jpeg: of a training pair's source, lowest quality of another JPEG compression; 100 for none.
        affine: of a training pair's source, how far an edge's middle moves at most by shift, scale and
            rotation each, as a share of the side; 0 for none.
        source_only: false changes the driver, which is the answer, by the same blur, JPEG and affine.
    """

    load_images = True

    def __init__(
        self,
        root: str | list[str],
        size: int | None = None,
        batch_size: int = 1,
        workers: int = 2,
        validation_pairs: int = 200,
        flip: float = 0.5,
        color: float = 0.1,
        aligned_background: bool = True,
        min_time_gap_s: float = 0.0,
        min_pose_change_deg: float = 0.0,
        balance: float = 0.0,
        blur: float = 0.0,
        jpeg: int = 100,
        affine: float = 0.0,
        source_only: bool = True,
    ) -> None:
        super().__init__()
        for name, value, least in (
            ("size", 1 if size is None else size, 1),
            ("batch_size", batch_size, 1),
            ("workers", workers, 0),
            ("validation_pairs", validation_pairs, 1),
            ("flip", flip, 0),
            ("color", color, 0),
            ("min_time_gap_s", min_time_gap_s, 0),
            ("min_pose_change_deg", min_pose_change_deg, 0),
            ("balance", balance, 0),
            ("blur", blur, 0),
            ("jpeg", jpeg, 1),
            ("affine", affine, 0),
        ):
            if not value >= least:
                msg = f"data.init_args.{name} is {value}: it must be at least {least}"
                raise InputError(msg)
        for name, value, most in (
            ("flip", flip, 1),
            ("balance", balance, 1),
            ("jpeg", jpeg, 100),
            ("affine", affine, 0.25),
        ):
            if value > most:
                msg = f"data.init_args.{name} is {value}: it must be at most {most}"
                raise InputError(msg)
        self.roots = each(root)
        self.batch_size = batch_size
        self.workers = workers
        self.validation_pairs = validation_pairs
        self.augmentation = Augmentation(
            flip, color, blur=blur, jpeg=jpeg, affine=affine, source_only=source_only
        )
        self.aligned_background = aligned_background
        self.min_time_gap_s = min_time_gap_s
        self.min_pose_change_deg = min_pose_change_deg
        self.balance = balance
        infos = [dataset_info(one) for one in self.roots]
        self.size: int = size or min(info["size"] for info in infos)
        self._splits: list[dict[str, dict[str, int]]] = [info["splits"] for info in infos]

    def setup(self, stage: str) -> None:
        """Opens the splits that a run needs: train and val for fit, test for test and predict."""
        if stage == "fit":
            self.train = TrainingPairs(
                self._crops("train"),
                load_images=self.load_images,
                align_background=self.aligned_background,
                augmentation=self.augmentation,
                min_time_gap_s=self.min_time_gap_s,
                min_pose_change_deg=self.min_pose_change_deg,
                normalize=False,
            )
        if stage in ("fit", "validate"):
            self.val = self._fixed("val")
        if stage in ("test", "predict"):
            self.test = self._fixed("test")

    def train_dataloader(self) -> DataLoader[FacePair]:
        """Random pairs, each process its share; a resumed run goes on where it stopped."""
        trainer = self._trainer()
        batch = self.batch_size * trainer.world_size
        if len(self.train) < batch:
            msg = (
                f"{self.train.crops.root} has {len(self.train)} training crops, fewer than a batch of {batch}"
            )
            raise InputError(msg)
        limit = trainer.limit_train_batches
        batches = len(self.train) // batch
        batches = min(limit, batches) if isinstance(limit, int) else int(limit * batches)

        stage = trainer.lightning_module
        assert isinstance(stage, Stage)

        def position() -> tuple[int, int]:
            epoch, done = divmod(stage.batches, max(batches, 1))
            return epoch, done * self.batch_size

        seed = int(os.environ.get("PL_GLOBAL_SEED", "0"))
        often = chances(self.train.crops.motion, self.balance) if self.balance else None
        sampler = PairSampler(self.train, seed, position, trainer.world_size, trainer.global_rank, often)
        return self._loader(self.train, sampler, drop_last=True)

    def val_dataloader(self) -> DataLoader[FacePair]:
        """Fixed pairs of people who are not trained on."""
        return self._fixed_loader(self.val)

    def test_dataloader(self) -> DataLoader[FacePair]:
        """Fixed pairs of people kept out of all training."""
        return self._fixed_loader(self.test)

    def predict_dataloader(self) -> DataLoader[FacePair]:
        """As for test."""
        return self._loader(self.test)

    def on_after_batch_transfer(self, batch: FacePair, dataloader_idx: int) -> FacePair:
        """Pictures in -1..1: they travel in a quarter of the bytes. Then what the stage does."""
        stage = self._trainer().lightning_module
        return cast("FacePair", stage.on_after_batch_transfer(normalize_images(batch), dataloader_idx))

    def _crops(self, split: str) -> FaceCrops:
        if not any(splits[split]["crops"] for splits in self._splits):
            names = ", ".join(self.roots)
            rank_zero_warn(f"{names} has too few people for a {split} split: its training crops serve")
            split = "train"
        return FaceCrops(self.roots, split, self.size)

    def _fixed(self, split: str) -> ValidationPairs:
        return ValidationPairs(
            self._crops(split),
            self.validation_pairs,
            load_images=self.load_images,
            align_background=self.aligned_background,
        )

    def _fixed_loader(self, pairs: ValidationPairs) -> DataLoader[FacePair]:
        """Each process measures its share; a rest that does not divide is left out, so none counts twice."""
        trainer = self._trainer()
        return self._loader(
            pairs,
            DistributedSampler(pairs, trainer.world_size, trainer.global_rank, shuffle=False, drop_last=True),
        )

    def _loader(
        self,
        pairs: TrainingPairs | ValidationPairs,
        sampler: DistributedSampler[Any] | None = None,
        *,
        drop_last: bool = False,
    ) -> DataLoader[FacePair]:
        return DataLoader(
            pairs,
            batch_size=self.batch_size,
            sampler=sampler,
            drop_last=drop_last,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
        )

    def _trainer(self) -> pl.Trainer:
        assert self.trainer is not None
        return self.trainer
