"""Checkpoints as files: where they go, and reading those of an earlier stage."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from facegan.errors import InputError
from facegan.stages.stage import CONFIG_KEY, require_stage

if TYPE_CHECKING:
    import pytorch_lightning as pl
    from torch import Tensor


class Checkpoints(ModelCheckpoint):
    """ModelCheckpoint that writes to ``checkpoints/`` in the run's folder, whatever the logger."""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Settles the folder."""
        if self.dirpath is None:
            self.dirpath = str(Path(trainer.default_root_dir).resolve() / "checkpoints")
        super().setup(trainer, pl_module, stage)


class StageCheckpoint:
    """A trained stage.

    Args:
        path: a checkpoint file.
        stage: class name of the stage that must have written it.

    Attributes:
        config: arguments of its networks.
        hyperparameters: all arguments of the stage.

    Raises:
        InputError: if the file is missing, damaged, or another stage's.
    """

    def __init__(self, path: Path | str, stage: str) -> None:
        self.path = Path(path)
        content = read_checkpoint(self.path)
        require_stage(content, stage, self.path)
        self.config: dict[str, Any] = content[CONFIG_KEY]
        self.hyperparameters: dict[str, Any] = content["hyper_parameters"]
        self._weights: dict[str, Tensor] = content["state_dict"]

    def weights(self, prefix: str) -> dict[str, Tensor]:
        """The state of one network of the stage, by its attribute's name."""
        start = f"{prefix}."
        return {k.removeprefix(start): v for k, v in self._weights.items() if k.startswith(start)}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a Lightning checkpoint without running any code in it.

    Raises:
        InputError: if the file is missing or damaged.
    """
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        msg = f"{path} does not exist: train that stage first, or name its checkpoint"
        raise InputError(msg) from error
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        msg = f"{path} is not a readable checkpoint: {str(error).splitlines()[0]}"
        raise InputError(msg) from error
    if not isinstance(content, dict):
        msg = f"{path} is not a checkpoint"
        raise InputError(msg)
    return content
