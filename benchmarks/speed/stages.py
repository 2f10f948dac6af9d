"""The stages in the paper's sizes, on pairs in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytorch_lightning as pl
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from facegan.data import FacePair
from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.geometry.motion import NUM_MOTION_PARAMS as NUMBERS
from facegan.networks import GeneratorConfig, VGGFeatures
from facegan.stages import BackgroundMixStage, JointStage, LandmarkTransformStage, ReenactStage
from facegan.stages.base_stage import CHECKPOINT_VERSION, CONFIG_KEY, STAGE_KEY, VERSION_KEY

if TYPE_CHECKING:
    from torch import Tensor

    from facegan.stages.config import OptimizerConfig
    from facegan.stages.gan_stage import GANStage

CASES = {"stage 2": 128, "stage 2, with enhancer": 256, "stage 3": 256, "joint": 256}
"""Each with its picture size; the batch is 1, as in the paper."""


def build(case: str, optimizer: OptimizerConfig) -> GANStage:
    """A stage at its start, with the weights that the seed 0 gives."""
    torch.manual_seed(0)
    stage: GANStage
    if case == "stage 2":
        stage = ReenactStage(GeneratorConfig("global", 64), optimizer=optimizer)
    elif case == "stage 2, with enhancer":
        stage = ReenactStage(optimizer=optimizer)
    elif case == "stage 3":
        stage = BackgroundMixStage(optimizer=optimizer)
    else:
        with tempfile.TemporaryDirectory() as folder:
            parts = [LandmarkTransformStage(), ReenactStage(), BackgroundMixStage()]
            stage = JointStage(*(_save(part, Path(folder)) for part in parts), optimizer=optimizer)
    # Its weights cannot be had everywhere, and cost the same whatever they are.
    stage.perceptual.network = VGGFeatures("vgg19").requires_grad_(False)
    return stage


def pair(size: int, seed: int, batch: int = 1) -> FacePair:
    """A batch: smooth noise as images, segmentations and landmarks where a face may have them."""
    random = torch.Generator().manual_seed(seed)
    grid = torch.linspace(-1, 1, size)
    radius = (grid[None] ** 2 + grid[:, None] ** 2).sqrt()
    head, above = radius < 0.7, grid[:, None] < -0.3
    labels = (head.byte() + (head & above).byte()).repeat(batch, 1, 1)
    fields: dict[str, Tensor] = {}
    for role in ("source", "driving", "background"):
        noise = torch.randn(batch, 3, size // 8, size // 8, generator=random)
        fields[f"{role}_image"] = functional.interpolate(noise, (size, size), mode="bicubic").tanh()
        fields[f"{role}_segmentation"] = labels.clone()
    for role in ("source", "driving"):
        fields[f"{role}_landmarks"] = 0.8 * torch.rand(batch, NUM_LANDMARKS, 2, generator=random) - 0.4
        fields[f"{role}_motion"] = torch.rand(batch, NUMBERS, generator=random)
    return FacePair(**fields)


class Noise(pl.LightningDataModule):
    """So many batches, each another one."""

    def __init__(self, size: int, batch: int, count: int) -> None:
        super().__init__()
        self.size = size
        self.batch = batch
        self.count = count

    def train_dataloader(self) -> DataLoader[FacePair]:
        """In the order of their seeds."""
        return DataLoader(_Pairs(self.size, self.batch, self.count), batch_size=None)


class _Pairs(Dataset["FacePair"]):
    def __init__(self, size: int, batch: int, count: int) -> None:
        self.size, self.batch, self.count = size, batch, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, seed: int) -> FacePair:
        return pair(self.size, seed, self.batch)


def _save(stage: pl.LightningModule, folder: Path) -> Path:
    """A checkpoint of a stage that has not been trained."""
    path = folder / f"{type(stage).__name__}.ckpt"
    kept = {k: v for k, v in stage.state_dict().items() if not k.startswith("perceptual.")}
    torch.save(
        {
            VERSION_KEY: CHECKPOINT_VERSION,
            STAGE_KEY: type(stage).__name__,
            CONFIG_KEY: stage.network_config(),
            "hyper_parameters": dict(stage.hparams),
            "state_dict": kept,
        },
        path,
    )
    return path
