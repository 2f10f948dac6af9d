"""Inputs and outputs of a stage for fixed validation pairs, after every validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytorch_lightning as pl
from torch.utils.data import default_collate

from facegan.io.image_grid import make_image_grid
from facegan.io.images import tensor_to_images
from facegan.stages.callbacks.visualization_callback import (
    VisualizationCallback,
    log_image,
    require_positive,
    visualize_on_device,
)

if TYPE_CHECKING:
    from facegan.stages.base_stage import BaseStage
    from facegan.stages.pair_data_module import FacePairDataModule


class ImageLogger(VisualizationCallback):
    """Logs an image grid: a row per validation pair, a column per image of the stage's ``visualize``.

    ``images/epoch_0003.png`` in the run's folder, ``val/images`` in the loggers.

    Args:
        pairs: number of rows, evenly spaced over the validation pairs.
        every_n_epochs: interval in epochs, from the first on; the last epoch is always included.
    """

    def __init__(self, pairs: int = 6, every_n_epochs: int = 1) -> None:
        super().__init__(every_n_epochs)
        require_positive(pairs=pairs)
        self.pairs = pairs

    def visualize(self, trainer: pl.Trainer, stage: BaseStage, data: FacePairDataModule) -> None:
        """Visualize the same pairs in every epoch."""
        # The middles of equal intervals: the frames of the first pair hardly differ.
        rows = min(self.pairs, len(data.val))
        indices = ((np.arange(rows) + 0.5) * len(data.val) / rows).astype(int)
        columns = visualize_on_device(stage, default_collate([data.val[int(index)] for index in indices]))
        images = np.stack([tensor_to_images(column) for column in columns.values()], axis=1)
        log_image(trainer, "images", make_image_grid(images, list(columns)))
