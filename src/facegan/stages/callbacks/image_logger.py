"""Pictures of what a stage does, after every validation: into the run's folder and to the loggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import default_collate

from facegan.io.image_grid import make_image_grid
from facegan.io.images import tensor_to_images
from facegan.stages.callbacks.visualization_callback import (
    VisualizationCallback,
    keep_picture,
    panels_of,
    require_positive,
)

if TYPE_CHECKING:
    from facegan.stages.base_stage import Stage
    from facegan.stages.pair_data_module import FacePairDataModule

COLORS = torch.tensor([[0.0, 0.0, 0.0], [0.9, 0.7, 0.6], [0.35, 0.5, 0.8]])
"""Of background, face and hair, 0..1."""


class ImageLogger(VisualizationCallback):
    """Draws fixed validation pairs, a row each, with the stage's pictures as columns.

    ``panels/epoch_0003.png`` in the run's folder, ``val/panels`` at the loggers.

    Args:
        pairs: how many rows, evenly over the validation pairs.
        every_n_epochs: draws in every n-th epoch from the first on, and in the last.
    """

    def __init__(self, pairs: int = 6, every_n_epochs: int = 1) -> None:
        super().__init__(every_n_epochs)
        require_positive(pairs=pairs)
        self.pairs = pairs

    def draw(self, trainer: pl.Trainer, stage: Stage, data: FacePairDataModule) -> None:
        """Draws the same pairs every time."""
        # The middles of equal shares: the first pair of all is two frames that hardly differ.
        rows = min(self.pairs, len(data.val))
        chosen = ((np.arange(rows) + 0.5) * len(data.val) / rows).astype(int)
        columns = panels_of(stage, default_collate([data.val[int(index)] for index in chosen]))
        pictures = np.stack([tensor_to_images(pictures) for pictures in columns.values()], axis=1)
        keep_picture(trainer, "panels", make_image_grid(pictures, list(columns)))


def label_colors(segmentation: Tensor) -> Tensor:
    """A segmentation N×H×W as pictures N×3×H×W in -1..1."""
    return COLORS.to(segmentation.device)[segmentation.long()].permute(0, 3, 1, 2) * 2 - 1
