"""What a stage has learnt of every action unit and angle: one source, one number moved at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytorch_lightning as pl
from torch.utils.data import default_collate

from facegan.data import FacePair, read_pair
from facegan.geometry.motion import (
    ACTION_UNIT_GRID_LABELS,
    MOTION_NAMES,
    NUM_MOTION_PARAMS,
    build_action_unit_grid,
)
from facegan.io.image_grid import make_image_grid
from facegan.io.images import tensor_to_images
from facegan.stages.callbacks.visualization_callback import VisualizationCallback, keep_picture, panels_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.stages.base_stage import Stage
    from facegan.stages.pair_data_module import FacePairDataModule

TITLES = ("source", *ACTION_UNIT_GRID_LABELS, "change x 3")
HALVES = (MOTION_NAMES[: NUM_MOTION_PARAMS // 2], MOTION_NAMES[NUM_MOTION_PARAMS // 2 :])
"""Two blocks side by side, for a sheet that fits a screen."""
LARGEST = 128
"""Pictures of more pixels a side are reduced: there are more than a hundred."""


class ActionUnitGridLogger(VisualizationCallback):
    """Draws a row for each of the 20 numbers of motion, from its least to its greatest value.

    All other numbers are the source's own, as in the paper's experiment 4: had they those of a neutral
    face, every picture would also show how well the source is brought to rest. The source is the
    validation crop that is nearest to rest anyway, so that little hides what a number does. The last
    column is how far the ends of the row differ: black where the number does nothing. A stage whose
    result does not follow the driver's motion is passed over.

    ``sweep/epoch_0003.png`` in the run's folder, ``val/sweep`` at the loggers.

    Args:
        every_n_epochs: draws in every n-th epoch from the first on, and in the last.
    """

    def __init__(self, every_n_epochs: int = 3) -> None:
        super().__init__(every_n_epochs)

    def draw(self, trainer: pl.Trainer, stage: Stage, data: FacePairDataModule) -> None:
        """Draws the same source every time."""
        if not stage.answers_motion:
            return
        crops = data.val.crops
        calmest = int(np.linalg.norm(crops.motion, axis=1).argmin())
        source = read_pair(crops, calmest, calmest, load_images=data.val.load_images)
        blocks = [
            make_image_grid(np.stack([swept(stage, source, name) for name in names]), TITLES, names)
            for names in HALVES
        ]
        keep_picture(trainer, "sweep", np.concatenate(blocks, axis=1))


def swept(stage: Stage, source: FacePair, name: str) -> NDArray[np.uint8]:
    """A row of the sheet: source, results, and their change, columns×H×W×3."""
    motions = build_action_unit_grid(source.source_motion)[MOTION_NAMES.index(name)]
    batch: FacePair = default_collate([source] * len(motions))
    columns = panels_of(stage, batch._replace(driving_motion=motions))
    results = columns[stage.result_panel]
    change = 3 * (results[-1:] - results[:1]).abs().mean(dim=1, keepdim=True) - 1
    # A stage's first panel is the source.
    source_panel = next(iter(columns.values()))[:1]
    images = np.concatenate([tensor_to_images(pictures) for pictures in (source_panel, results, change)])
    if images.shape[1] <= LARGEST:
        return images
    return np.stack([cv2.resize(image, (LARGEST, LARGEST), interpolation=cv2.INTER_AREA) for image in images])
