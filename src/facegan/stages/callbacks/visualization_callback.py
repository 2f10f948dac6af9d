"""What the callbacks share that show how a stage is doing: when they draw, and where it goes."""

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
from facegan.stages.base_stage import Stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facegan.data import FacePair
    from facegan.stages.pair_data_module import FacePairDataModule


class VisualizationCallback(pl.Callback):
    """Draws after the validations of a fit, on the first process alone.

    A subclass says what in ``draw``. It reads validation data by their indices: a data loader of its
    own would take random numbers that training needs, and a resumed run would differ. A file is an
    epoch's: where one has several validations, the last one's stays; loggers get them all.

    Args:
        every_n_epochs: draws in every n-th epoch from the first on, and in the last.
    """

    def __init__(self, every_n_epochs: int) -> None:
        require_positive(every_n_epochs=every_n_epochs)
        self.every_n_epochs = every_n_epochs

    def draw(self, trainer: pl.Trainer, stage: Stage, data: FacePairDataModule) -> None:
        """Draws and keeps it; without gradients, in the run's precision, networks in evaluation mode."""
        raise NotImplementedError

    @rank_zero_only
    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draws if it is time to."""
        assert isinstance(pl_module, Stage)
        epoch = trainer.current_epoch
        due = epoch % self.every_n_epochs == 0 or epoch + 1 == trainer.max_epochs
        # Without a fit no epoch is counted: the pictures of the first one would be replaced.
        if due and trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking:
            with torch.no_grad(), trainer.precision_plugin.forward_context():
                self.draw(trainer, pl_module, trainer.datamodule)  # type: ignore[attr-defined]


def require_positive(**settings: int) -> None:
    """Raises InputError unless all are at least 1."""
    for name, value in settings.items():
        if value < 1:
            msg = f"{name} is {value}: it must be at least 1"
            raise InputError(msg)


def panels_of(stage: Stage, pair: FacePair) -> dict[str, torch.Tensor]:
    """The stage's panels of a batch of pairs, computed on its device and brought back."""
    batch = move_data_to_device(pair, stage.device)
    return {title: pictures.float().cpu() for title, pictures in stage.panels(batch).items()}


def output_path(trainer: pl.Trainer, folder: str, suffix: str) -> Path:
    """Where this epoch's file lies: ``folder/epoch_0003`` in the run's folder."""
    return Path(trainer.default_root_dir) / folder / f"epoch_{trainer.current_epoch:04d}{suffix}"


def logged_step(trainer: pl.Trainer) -> int:
    """The step under which Lightning logs this validation's numbers.

    It counts batches; ``global_step`` counts the steps of optimizers.
    """
    return trainer.fit_loop.epoch_loop._batches_that_stepped


def keep_picture(trainer: pl.Trainer, folder: str, image: NDArray[np.uint8]) -> None:
    """Writes a picture into the run's folder and logs it as ``val/folder`` where loggers take pictures.

    Args:
        trainer: knows the run's folder, the epoch and the loggers.
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
