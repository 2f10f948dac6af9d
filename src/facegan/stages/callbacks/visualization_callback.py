"""The base class of the visualization callbacks: schedule, run folder and loggers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities import move_data_to_device
from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger
from pytorch_lightning.trainer.states import TrainerFn
from pytorch_lightning.utilities import rank_zero_only

from facegan.errors import InputError
from facegan.io.images import write_image
from facegan.stages.base_stage import BaseStage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facegan.data import FacePair
    from facegan.stages.pair_data_module import FacePairDataModule


class VisualizationCallback(pl.Callback):
    """Visualizes a stage after the validations of a fit, on the first process only.

    A subclass implements ``visualize``. It reads validation data by index: a data loader would consume random
    numbers that training needs, and a resumed run would differ. There is one file per epoch, that of its last
    validation; loggers receive all.

    Args:
        every_n_epochs: interval in epochs, from the first on; the last epoch is always included.
    """

    def __init__(self, every_n_epochs: int) -> None:
        require_positive(every_n_epochs=every_n_epochs)
        self.every_n_epochs = every_n_epochs

    def visualize(self, trainer: pl.Trainer, stage: BaseStage, data: FacePairDataModule) -> None:
        """Write and log the visualization; without gradients, in the run's precision and evaluation mode."""
        raise NotImplementedError

    @rank_zero_only
    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Visualize if this epoch is due."""
        assert isinstance(pl_module, BaseStage)
        epoch = trainer.current_epoch
        due = epoch % self.every_n_epochs == 0 or epoch + 1 == trainer.max_epochs
        # Outside a fit no epoch is counted: the files of the first one would be overwritten.
        if due and trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking:
            with torch.no_grad(), trainer.precision_plugin.forward_context():
                self.visualize(trainer, pl_module, trainer.datamodule)  # type: ignore[attr-defined]


def require_positive(**arguments: int) -> None:
    """Raise InputError unless all are at least 1."""
    for name, value in arguments.items():
        if value < 1:
            msg = f"{name} is {value}: it must be at least 1"
            raise InputError(msg)


def visualize_on_device(stage: BaseStage, pair: FacePair) -> dict[str, torch.Tensor]:
    """Call the stage's ``visualize`` on its device and copy the images to the CPU."""
    batch = move_data_to_device(pair, stage.device)
    return {title: images.float().cpu() for title, images in stage.visualize(batch).items()}


def output_path(trainer: pl.Trainer, folder: str, suffix: str) -> Path:
    """Return the path of this epoch's file: ``folder/epoch_0003`` in the run's folder."""
    return Path(trainer.default_root_dir) / folder / f"epoch_{trainer.current_epoch:04d}{suffix}"


def logged_step(trainer: pl.Trainer) -> int:
    """Return the step under which Lightning logs this validation's metrics.

    It counts batches; ``global_step`` counts optimizer steps.
    """
    return trainer.fit_loop.epoch_loop._batches_that_stepped


def log_image(trainer: pl.Trainer, folder: str, image: NDArray[np.uint8]) -> None:
    """Write an image into the run's folder and log it as ``val/folder`` to W&B and TensorBoard.

    Args:
        trainer: has the run's folder, the epoch and the loggers.
        folder: within the run's.
        image: H×W×3, RGB.
    """
    write_image(output_path(trainer, folder, ".png"), image)
    step = logged_step(trainer)
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            logger.log_image(f"val/{folder}", [image], step=step)
        elif isinstance(logger, TensorBoardLogger):
            logger.experiment.add_image(f"val/{folder}", image, step, dataformats="HWC")
