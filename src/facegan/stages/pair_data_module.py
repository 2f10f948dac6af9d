"""The base class of the four DataModules: pairs of a prepared data set."""

from __future__ import annotations

import os
from typing import Any, ClassVar

import pytorch_lightning as pl
import torch
from lightning_utilities.core.rank_zero import rank_zero_warn
from torch.utils.data import DataLoader, DistributedSampler

from facegan.data import (
    PROTOCOL_PAIRS,
    Augmentation,
    FaceCrops,
    FacePair,
    NumberedPair,
    PairLoader,
    PairSampler,
    ProtocolPairs,
    TrainingPairs,
    ValidationPairs,
    dataset_info,
    normalize_images,
)
from facegan.data.face_pair import ROLES
from facegan.data.motion_balancing import sampling_weights
from facegan.data.storage import as_list
from facegan.errors import InputError
from facegan.preparation.splits import list_substitutes

PROTOCOL_SEED = 0
"""Of the selection of pairs, as in ``facegan evaluate``."""


class FacePairDataModule(pl.LightningDataModule):
    """Pairs of two frames of one track.

    Args:
        root: folder that ``facegan prepare`` wrote, or its address (``s3://bucket/data``,
            ``hf://datasets/owner/name``); or a list of them, which are concatenated.
        size: height and width of the images; null for that of the data set.
        batch_size: pairs per step and device.
        workers: loader processes.
        validation_pairs: number of validation pairs, evenly spaced over the data.
        protocol_pairs: number of pairs of each evaluation protocol in validation and test, those that
            ``facegan evaluate --pairs`` selects; 0 for none.
        flip: probability of flipping a training pair horizontally.
        color: largest relative change of brightness, contrast and saturation of a training pair.
        align_background: I_b is the source's frame at the driving crop's position, where static background
            is the same in both; false takes it at the source crop's position (open in the paper, whose
            crops follow the face).
        min_time_gap_s: smallest time between source and driving frame of a training pair in seconds.
        min_pose_change_deg: smallest change of head pose between them in degrees. Where a track has no such
            crop, the one furthest in time is the source.
        motion_balancing: sampling of driving frames: 0, each once an epoch; 1, each motion parameter and
            each tenth of its range equally often, so that rare motion is learnt too; or between.
        blur: largest standard deviation in pixels of a training source's blur; 0 for none.
        jpeg: lowest quality of a training source's JPEG compression; 100 for none.
        affine_strength: largest shift, scaling and rotation of a training source, each as the displacement
            of an edge's middle relative to the side; 0 for none.
        augment_source_only: false applies blur, JPEG and affine to the driving frame, the target, too.
    """

    roles: ClassVar[tuple[str, ...]] = ROLES
    """Whose images and segmentations are decoded."""
    protocols: ClassVar[tuple[str, ...]] = ()
    """Evaluation protocols of validation and test."""

    def __init__(
        self,
        root: str | list[str],
        size: int | None = None,
        batch_size: int = 1,
        workers: int = 2,
        validation_pairs: int = 200,
        protocol_pairs: int = 32,
        flip: float = 0.5,
        color: float = 0.1,
        align_background: bool = True,
        min_time_gap_s: float = 0.0,
        min_pose_change_deg: float = 0.0,
        motion_balancing: float = 0.0,
        blur: float = 0.0,
        jpeg: int = 100,
        affine_strength: float = 0.0,
        augment_source_only: bool = True,
    ) -> None:
        super().__init__()
        for name, value, least in (
            ("size", 1 if size is None else size, 1),
            ("batch_size", batch_size, 1),
            ("workers", workers, 0),
            ("validation_pairs", validation_pairs, 1),
            ("protocol_pairs", protocol_pairs, 0),
            ("flip", flip, 0),
            ("color", color, 0),
            ("min_time_gap_s", min_time_gap_s, 0),
            ("min_pose_change_deg", min_pose_change_deg, 0),
            ("motion_balancing", motion_balancing, 0),
            ("blur", blur, 0),
            ("jpeg", jpeg, 1),
            ("affine_strength", affine_strength, 0),
        ):
            if not value >= least:
                msg = f"data.init_args.{name} is {value}: it must be at least {least}"
                raise InputError(msg)
        for name, value, most in (
            ("flip", flip, 1),
            ("motion_balancing", motion_balancing, 1),
            ("jpeg", jpeg, 100),
            ("affine_strength", affine_strength, 0.25),
        ):
            if value > most:
                msg = f"data.init_args.{name} is {value}: it must be at most {most}"
                raise InputError(msg)
        self.roots = as_list(root)
        self.batch_size = batch_size
        self.workers = workers
        self.validation_pairs = validation_pairs
        self.protocol_pairs = protocol_pairs
        self.augmentation = Augmentation(
            flip,
            color,
            blur=blur,
            jpeg=jpeg,
            affine_strength=affine_strength,
            augment_source_only=augment_source_only,
        )
        self.align_background = align_background
        self.min_time_gap_s = min_time_gap_s
        self.min_pose_change_deg = min_pose_change_deg
        self.motion_balancing = motion_balancing
        infos = [dataset_info(one) for one in self.roots]
        self.size: int = size or min(info["size"] for info in infos)
        self._splits: list[dict[str, dict[str, int]]] = [info["splits"] for info in infos]

    def setup(self, stage: str) -> None:
        """Open the splits that a run needs: train and val for fit, test for test and predict."""
        if stage == "fit":
            self.train = TrainingPairs(
                self._crops("train"),
                roles=self.roles,
                align_background=self.align_background,
                augmentation=self.augmentation,
                min_time_gap_s=self.min_time_gap_s,
                min_pose_change_deg=self.min_pose_change_deg,
                normalize=False,
            )
        if stage in ("fit", "validate"):
            self.val = self._fixed("val")
            self.val_protocols = self._select_protocols(self.val.crops)
        if stage in ("test", "predict"):
            self.test = self._fixed("test")
            self.test_protocols = self._select_protocols(self.test.crops)

    def train_dataloader(self) -> DataLoader[FacePair]:
        """Load random pairs, a shard per process, from the resumed run's position."""
        trainer = self._trainer()
        batch = self.batch_size * trainer.world_size
        if len(self.train) < batch:
            msg = (
                f"{self.train.crops.root} has {len(self.train)} training crops, fewer than a batch of {batch}"
            )
            raise InputError(msg)
        seed = int(os.environ.get("PL_GLOBAL_SEED", "0"))
        weights = (
            sampling_weights(self.train.crops.motion, self.motion_balancing)
            if self.motion_balancing
            else None
        )
        sampler = PairSampler(self.train, seed, trainer.world_size, trainer.global_rank, weights)
        return PairLoader(self.train, sampler, self.batch_size, **self._loader_settings())

    def val_dataloader(self) -> list[DataLoader[Any]]:
        """Load fixed pairs of the validation identities, then those of each protocol."""
        return [self._fixed_loader(self.val), *map(self._fixed_loader, self.val_protocols.values())]

    def test_dataloader(self) -> list[DataLoader[Any]]:
        """Load fixed pairs of the held-out test identities, then those of each protocol."""
        return [self._fixed_loader(self.test), *map(self._fixed_loader, self.test_protocols.values())]

    def predict_dataloader(self) -> DataLoader[FacePair]:
        """Load the test pairs in one process."""
        return self._loader(self.test)

    def on_after_batch_transfer(
        self, batch: FacePair | NumberedPair, dataloader_idx: int
    ) -> FacePair | NumberedPair:
        """Normalize training images to -1..1 on the device: uint8 is transferred."""
        return normalize_images(batch) if isinstance(batch, FacePair) else batch

    def _crops(self, split: str) -> FaceCrops:
        """Open a split, or the one that evaluation uses too where it is empty."""
        filled = {name for splits in self._splits for name, counts in splits.items() if counts["crops"]}
        chosen = next((name for name in list_substitutes(split) if name in filled), "train")
        if chosen != split:
            roots = ", ".join(self.roots)
            rank_zero_warn(f"{roots} has too few identities for a {split} split: its {chosen} split is used")
        return FaceCrops(self.roots, chosen, self.size)

    def _fixed(self, split: str) -> ValidationPairs:
        return ValidationPairs(
            self._crops(split),
            self.validation_pairs,
            roles=self.roles,
            align_background=self.align_background,
        )

    def _select_protocols(self, crops: FaceCrops) -> dict[str, ProtocolPairs]:
        """Select the pairs of the protocols for which a split has enough identities."""
        chosen = {
            name: PROTOCOL_PAIRS[name](crops, self.protocol_pairs, PROTOCOL_SEED)
            for name in (self.protocols if self.protocol_pairs else ())
        }
        return {
            name: ProtocolPairs(crops, pairs, align_background=self.align_background)
            for name, pairs in chosen.items()
            if len(pairs.source)
        }

    def _fixed_loader(self, pairs: ValidationPairs | ProtocolPairs) -> DataLoader[Any]:
        """Shard over processes; the remainder is dropped, so that no pair counts twice."""
        trainer = self._trainer()
        return self._loader(
            pairs,
            DistributedSampler(pairs, trainer.world_size, trainer.global_rank, shuffle=False, drop_last=True),
        )

    def _loader(
        self, pairs: ValidationPairs | ProtocolPairs, sampler: DistributedSampler[Any] | None = None
    ) -> DataLoader[Any]:
        return DataLoader(pairs, batch_size=self.batch_size, sampler=sampler, **self._loader_settings())

    def _loader_settings(self) -> dict[str, Any]:
        return {
            "num_workers": self.workers,
            "persistent_workers": self.workers > 0,
            "pin_memory": torch.cuda.is_available(),
        }

    def _trainer(self) -> pl.Trainer:
        assert self.trainer is not None
        return self.trainer
