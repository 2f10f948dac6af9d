"""What a stage has learnt of every action unit and angle: one source, one number moved at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytorch_lightning as pl
import torch

from facegan.data import Pair, read_pair
from facegan.geometry.motion import MOTION_NAMES, NUM_MOTION_PARAMS, POSE_ANGLES, edit_motion
from facegan.io.image_grid import make_image_grid, to_images
from facegan.stages.callbacks.visualization_callback import VisualizationCallback, keep_picture, panels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facegan.stages.base_stage import Stage
    from facegan.stages.pair_data_module import FacePairDataModule

STRENGTHS = (0, 0.25, 0.5, 0.75, 1)
"""Of an action unit."""
DEGREES = (-30, -15, 0, 15, 30)
"""Of an angle."""
TITLES = ("source", "0 | -30°", "0.25 | -15°", "0.5 | 0°", "0.75 | 15°", "1 | 30°", "change x 3")
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
        source = read_pair(crops, calmest, calmest, pictures=data.val.pictures)
        blocks = [
            make_image_grid(np.stack([swept(stage, source, name) for name in names]), TITLES, names)
            for names in HALVES
        ]
        keep_picture(trainer, "sweep", np.concatenate(blocks, axis=1))


def moved(source: Pair, name: str, values: Sequence[float]) -> Pair:
    """A batch of one source, driven by its own motion but for one number.

    Args:
        source: a pair without batch dimension.
        name: of the number.
        values: an action unit's as 0..1, an angle's in degrees.
    """
    batch = {key: value.expand(len(values), *value.shape) for key, value in source.items()}
    motions = [edit_motion(source["source_motion"], {name: value}) for value in values]
    return {**batch, "driving_motion": torch.stack(motions)}


def swept(stage: Stage, source: Pair, name: str) -> NDArray[np.uint8]:
    """A row of the sheet: source, results, and their change, columns×H×W×3."""
    columns = panels_of(stage, moved(source, name, DEGREES if name in POSE_ANGLES else STRENGTHS))
    results = columns[stage.result_panel]
    change = 3 * (results[-1:] - results[:1]).abs().mean(dim=1, keepdim=True) - 1
    # A stage's first panel is the source.
    source_panel = next(iter(columns.values()))[:1]
    images = np.concatenate([to_images(pictures) for pictures in (source_panel, results, change)])
    if images.shape[1] <= LARGEST:
        return images
    return np.stack([cv2.resize(image, (LARGEST, LARGEST), interpolation=cv2.INTER_AREA) for image in images])
