"""A film of what a stage does with movement: one validation track, its first frame as the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytorch_lightning as pl
from pytorch_lightning.loggers import WandbLogger
from torch.utils.data import default_collate

from facegan.data import read_pair
from facegan.io.image_grid import make_image_grid
from facegan.io.images import tensor_to_images
from facegan.io.video_writer import write_video
from facegan.stages.callbacks.visualization_callback import (
    VisualizationCallback,
    logged_step,
    output_path,
    panels_of,
    require_positive,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from facegan.data import FaceCrops
    from facegan.stages.base_stage import Stage
    from facegan.stages.pair_data_module import FacePairDataModule

BATCH = 8
"""Frames that the networks are given at once; no more are held in memory."""


class VideoLogger(VisualizationCallback):
    """Films source, driver and result side by side along the longest validation track.

    ``videos/epoch_0003.mp4`` in the run's folder, ``val/videos`` at W&B.

    Args:
        every_n_epochs: films in every n-th epoch from the first on, and in the last.
        max_frames: where the film is cut off.
    """

    def __init__(self, every_n_epochs: int = 3, max_frames: int = 120) -> None:
        super().__init__(every_n_epochs)
        require_positive(max_frames=max_frames)
        self.max_frames = max_frames

    def draw(self, trainer: pl.Trainer, stage: Stage, data: FacePairDataModule) -> None:
        """Films the same track every time."""
        crops = data.val.crops
        members = np.flatnonzero(crops.track == np.bincount(crops.track).argmax())
        members = members[np.argsort(crops.frame[members])][: self.max_frames]
        path = output_path(trainer, "videos", ".mp4")
        write_video(path, frames_of(stage, data, members), frame_rate(crops, members))
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_video("val/videos", [str(path)], step=logged_step(trainer))


def frames_of(
    stage: Stage, data: FacePairDataModule, members: NDArray[np.intp]
) -> Iterator[NDArray[np.uint8]]:
    """Sheets of source, driver and result.

    Args:
        stage: makes the result.
        data: holds the crops.
        members: indices of the crops; the first is the source, each is a driver.
    """
    crops, pictures, result = data.val.crops, data.val.load_images, stage.result_panel
    for start in range(0, len(members), BATCH):
        drivers = members[start : start + BATCH]
        pair = default_collate(
            [read_pair(crops, int(members[0]), int(driver), load_images=pictures) for driver in drivers]
        )
        columns = panels_of(stage, pair)
        shown = (
            {"source I_s": pair.source_image, "driver I_d": pair.driving_image, result: columns[result]}
            if pictures
            # Drawn landmarks: source, driver and result.
            else columns
        )
        images = [tensor_to_images(column) for column in shown.values()]
        for row in zip(*images, strict=True):
            yield make_image_grid(np.stack(row)[None], list(shown))


def frame_rate(crops: FaceCrops, members: NDArray[np.intp]) -> float:
    """Crops a second of a track, by the times of its first and last."""
    seconds = float(np.ptp(crops.time[members]))
    return (len(members) - 1) / seconds if seconds else 25.0
