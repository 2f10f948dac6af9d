"""The action-unit grid of a stage: one source, each motion parameter varied alone (experiment 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytorch_lightning as pl

from facegan.data import FacePair, read_pair
from facegan.data.face_pair import collate_pairs
from facegan.geometry.motion import (
    ACTION_UNIT_GRID_LABELS,
    MOTION_NAMES,
    NUM_MOTION_PARAMS,
    build_action_unit_grid,
)
from facegan.io.image_grid import make_image_grid
from facegan.io.images import tensor_to_images
from facegan.stages.callbacks.visualization_callback import (
    VisualizationCallback,
    log_image,
    visualize_on_device,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.stages.base_stage import BaseStage
    from facegan.stages.pair_data_module import FacePairDataModule

TITLES = ("source", *ACTION_UNIT_GRID_LABELS, "change x 3")
HALVES = (MOTION_NAMES[: NUM_MOTION_PARAMS // 2], MOTION_NAMES[NUM_MOTION_PARAMS // 2 :])
"""Two blocks side by side, for a grid that fits a screen."""
MAX_SIDE = 128
"""Images of more pixels a side are reduced: there are more than a hundred."""


class ActionUnitGridLogger(VisualizationCallback):
    """Logs an image grid with a row for each motion parameter, from its lowest to its highest value.

    All other parameters are the source's own, as in the paper's experiment 4. The source is the validation
    crop nearest to the neutral face. The last column is the difference of the row's ends, tripled: black
    where the parameter has no effect. A stage that is not motion conditioned is skipped.

    ``action_unit_grid/epoch_0003.png`` in the run's folder, ``val/action_unit_grid`` in the loggers.

    Args:
        every_n_epochs: interval in epochs, from the first on; the last epoch is always included.
    """

    def __init__(self, every_n_epochs: int = 3) -> None:
        super().__init__(every_n_epochs)

    def visualize(self, trainer: pl.Trainer, stage: BaseStage, data: FacePairDataModule) -> None:
        """Visualize the same source in every epoch."""
        if not stage.is_motion_conditioned:
            return
        crops = data.val.crops
        neutral = int(np.linalg.norm(crops.motion, axis=1).argmin())
        source = read_pair(crops, neutral, neutral, roles=data.val.roles)
        blocks = [
            make_image_grid(np.stack([make_grid_row(stage, source, name) for name in names]), TITLES, names)
            for names in HALVES
        ]
        log_image(trainer, "action_unit_grid", np.concatenate(blocks, axis=1))


def make_grid_row(stage: BaseStage, source: FacePair, name: str) -> NDArray[np.uint8]:
    """Generate a row of the grid: source, results, and their difference, columns×H×W×3.

    Args:
        stage: generates the results.
        source: a pair without batch dimension.
        name: of the motion parameter.
    """
    motions = build_action_unit_grid(source.source_motion)[MOTION_NAMES.index(name)]
    batch = collate_pairs([source] * len(motions))
    columns = visualize_on_device(stage, batch._replace(driving_motion=motions))
    results = columns[stage.result_title]
    change = 3 * (results[-1:] - results[:1]).abs().mean(dim=1, keepdim=True) - 1
    # The first image of a stage's ``visualize`` is the source.
    source_image = next(iter(columns.values()))[:1]
    images = np.concatenate([tensor_to_images(column) for column in (source_image, results, change)])
    if images.shape[1] <= MAX_SIDE:
        return images
    side = (MAX_SIDE, MAX_SIDE)
    return np.stack([cv2.resize(image, side, interpolation=cv2.INTER_AREA) for image in images])
