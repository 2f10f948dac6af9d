"""Untrained stages in the sizes of the paper, and batches in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytorch_lightning as pl
import torch
from torch.nn import functional
from torch.utils.data import Dataset

from facegan.data import FacePair
from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.geometry.motion import NUM_MOTION_PARAMS
from facegan.networks import ReenactorConfig, VGGFeatures
from facegan.stages import BackgroundMixStage, JointStage, LandmarkTransformStage, ReenactStage

if TYPE_CHECKING:
    from torch import Tensor

    from facegan.stages.config import OptimizerConfig
    from facegan.stages.gan_stage import GANStage

CASES = {"stage 2": 128, "stage 2, with enhancer": 256, "stage 3": 256, "joint": 256}
"""Name of a training stage to its image size; the paper's batch size is 1."""


def make_stage(case: str, optimizer: OptimizerConfig) -> GANStage:
    """Create the untrained stage of a case with the initial weights of seed 0."""
    torch.manual_seed(0)
    stage: GANStage
    if case == "stage 2":
        stage = ReenactStage(ReenactorConfig("global", 64), optimizer=optimizer)
    elif case == "stage 2, with enhancer":
        stage = ReenactStage(optimizer=optimizer)
    elif case == "stage 3":
        stage = BackgroundMixStage(optimizer=optimizer)
    else:
        with tempfile.TemporaryDirectory() as folder:
            parts = [LandmarkTransformStage(), ReenactStage(), BackgroundMixStage()]
            stage = JointStage(*(_save(part, Path(folder)) for part in parts), optimizer=optimizer)
    # Random weights cost the same and need no download.
    stage.perceptual.network = VGGFeatures("vgg19").requires_grad_(False)
    return stage


def _save(stage: pl.LightningModule, folder: Path) -> Path:
    """Save a checkpoint of an untrained stage."""
    path = folder / f"{type(stage).__name__}.ckpt"
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_model_summary=False)
    trainer.strategy.connect(stage)
    trainer.save_checkpoint(path, weights_only=True)
    return path


class RandomPairs(Dataset[FacePair]):
    """Batches of smooth noise as images, with segmentations and landmarks of plausible faces.

    Args:
        size: side of the images.
        batch: pairs per batch.
        count: number of batches; the index of one is its seed.
    """

    def __init__(self, size: int, batch: int, count: int) -> None:
        self.size = size
        self.batch = batch
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, seed: int) -> FacePair:
        random = torch.Generator().manual_seed(seed)
        grid = torch.linspace(-1, 1, self.size)
        radius = (grid[None] ** 2 + grid[:, None] ** 2).sqrt()
        head, above = radius < 0.7, grid[:, None] < -0.3
        labels = (head.byte() + (head & above).byte()).repeat(self.batch, 1, 1)
        fields: dict[str, Tensor] = {}
        for role in ("source", "driving", "background"):
            noise = torch.randn(self.batch, 3, self.size // 8, self.size // 8, generator=random)
            image = functional.interpolate(noise, (self.size, self.size), mode="bicubic").tanh()
            fields |= {f"{role}_image": image, f"{role}_segmentation": labels.clone()}
        for role in ("source", "driving"):
            landmarks = torch.rand(self.batch, NUM_LANDMARKS, 2, generator=random)
            fields[f"{role}_landmarks"] = 0.8 * landmarks - 0.4
            fields[f"{role}_motion"] = torch.rand(self.batch, NUM_MOTION_PARAMS, generator=random)
        return FacePair(**fields)
