"""A video of a stage's results for one validation track, its first frame as the source."""

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
    require_positive,
    visualize_on_device,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from facegan.data import FaceCrops
    from facegan.stages.base_stage import BaseStage
    from facegan.stages.pair_data_module import FacePairDataModule

BATCH_SIZE = 8
"""Frames per batch; no more are held in memory."""


class VideoLogger(VisualizationCallback):
    """Logs a video of source, driving frame and result side by side along the longest validation track.

    ``videos/epoch_0003.mp4`` in the run's folder, ``val/videos`` in W&B.

    Args:
        every_n_epochs: interval in epochs, from the first on; the last epoch is always included.
        max_frames: largest number of frames.
    """

    def __init__(self, every_n_epochs: int = 3, max_frames: int = 120) -> None:
        super().__init__(every_n_epochs)
        require_positive(max_frames=max_frames)
        self.max_frames = max_frames

    def visualize(self, trainer: pl.Trainer, stage: BaseStage, data: FacePairDataModule) -> None:
        """Visualize the same track in every epoch."""
        crops = data.val.crops
        members = np.flatnonzero(crops.track == np.bincount(crops.track).argmax())
        members = members[np.argsort(crops.frame[members])][: self.max_frames]
        path = output_path(trainer, "videos", ".mp4")
        write_video(path, generate_frames(stage, data, members), compute_frame_rate(crops, members))
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_video("val/videos", [str(path)], step=logged_step(trainer))


def generate_frames(
    stage: BaseStage, data: FacePairDataModule, members: NDArray[np.intp]
) -> Iterator[NDArray[np.uint8]]:
    """Generate image grids of source, driving frame and result.

    Args:
        stage: generates the result.
        data: has the crops.
        members: indices of the crops; the first is the source, each is a driving frame.
    """
    crops, roles, result = data.val.crops, data.val.roles, stage.result_title
    for start in range(0, len(members), BATCH_SIZE):
        driving = members[start : start + BATCH_SIZE]
        pair = default_collate(
            [read_pair(crops, int(members[0]), int(index), roles=roles) for index in driving]
        )
        columns = visualize_on_device(stage, pair)
        if roles:
            inputs = {"source I_s": pair.source_image, "driving I_d": pair.driving_image}
            columns = {**inputs, result: columns[result]}
        images = [tensor_to_images(column) for column in columns.values()]
        for row in zip(*images, strict=True):
            yield make_image_grid(np.stack(row)[None], list(columns))


def compute_frame_rate(crops: FaceCrops, members: NDArray[np.intp]) -> float:
    """Compute the crops per second of a track, from the times of its first and last."""
    seconds = float(np.ptp(crops.time[members]))
    return (len(members) - 1) / seconds if seconds else 25.0
