"""Checkpoints as files: when and how they are written, and reading those of an earlier stage."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning_utilities.core.rank_zero import rank_zero_warn
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from facegan.errors import InputError
from facegan.io.atomic import atomic_file
from facegan.stages.base_stage import CONFIG_KEY, Stage, require_stage

if TYPE_CHECKING:
    import pytorch_lightning as pl
    from torch import Tensor

LAST, PREVIOUS, BEST = "last.ckpt", "previous.ckpt", "best.ckpt"

CLOCK_INTERVAL = 20
"""Batches from one look at the clock to the next, which costs all processes a word with each other."""


class Checkpoints(ModelCheckpoint):
    """Writes ``checkpoints/last.ckpt`` after every epoch and every few minutes, and ``best.ckpt``.

    Best is the lowest value of the stage's ``watched`` measure. :class:`SafeCheckpointIO` keeps the
    last but one as ``previous.ckpt``.

    Args:
        minutes: from one checkpoint to the next within an epoch.
    """

    def __init__(self, minutes: float = 15.0) -> None:
        super().__init__(
            filename=Path(LAST).stem,
            every_n_epochs=1,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )
        self.minutes = minutes
        self.lowest = float("inf")

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Settles the folder: in that of the run, whatever the logger."""
        if self.dirpath is None:
            self.dirpath = str(_folder(trainer))
        super().setup(trainer, pl_module, stage)

    def _find_last_checkpoints(self, trainer: pl.Trainer) -> set[str]:
        """What ``--ckpt_path last`` means, before ``setup``; previous, if killed between two renames."""
        found = [path for name in (LAST, PREVIOUS) if (path := _folder(trainer) / name).exists()]
        return {str(path) for path in found[:1]}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        super().on_train_start(trainer, pl_module)
        self._written = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Writes when it is time, between steps: gradients that wait for more batches are not kept."""
        assert isinstance(pl_module, Stage)
        number = batch_idx + 1
        if number % CLOCK_INTERVAL or number % pl_module.optimizer.accumulate or trainer.is_last_batch:
            return
        if trainer.strategy.broadcast(time.monotonic() - self._written > 60 * self.minutes):
            self._write(trainer, LAST)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes after every epoch."""
        super().on_train_epoch_end(trainer, pl_module)
        self._written = time.monotonic()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes the best."""
        assert isinstance(pl_module, Stage)
        value = trainer.callback_metrics.get(f"val/{pl_module.watched}")
        if (
            trainer.state.fn == "fit"
            and not trainer.sanity_checking
            and value is not None
            and value < self.lowest
        ):
            self.lowest = value.item()
            self._write(trainer, BEST)

    def state_dict(self) -> dict[str, Any]:
        """Adds the lowest value so far."""
        return super().state_dict() | {"lowest": self.lowest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes it back."""
        super().load_state_dict(state_dict)
        self.lowest = state_dict["lowest"]

    def _write(self, trainer: pl.Trainer, name: str) -> None:
        assert self.dirpath is not None
        trainer.save_checkpoint(Path(self.dirpath) / name, weights_only=False)
        self._written = time.monotonic()


class SafeCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint whole or not at all, and keeps the last but one.

    A ``last.ckpt`` that cannot be read is replaced by ``previous.ckpt`` beside it, with a warning.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Writes under another name, then renames."""
        path = Path(path)
        with atomic_file(path, overwrite=True) as temporary:
            try:
                _write(checkpoint, temporary)
            except (OSError, RuntimeError) as error:
                # PyTorch's writer makes an error of its own of a full disk.
                cause = error if isinstance(error, OSError) else error.__context__
                if not isinstance(cause, OSError):
                    raise
                raise OSError(cause.errno, cause.strerror, str(path)) from error
            if path.name == LAST and path.exists():
                path.replace(path.with_name(PREVIOUS))

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Reads it without running any code in it."""
        return read_checkpoint(Path(path))


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

    def weights(self, name: str) -> dict[str, Tensor]:
        """The state of one network of the stage, by its attribute's name; averaged if there is an average."""
        averaged, trained = (
            {key.removeprefix(start): value for key, value in self._weights.items() if key.startswith(start)}
            for start in (f"average.{name}.", f"{name}.")
        )
        return averaged or trained


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a Lightning checkpoint without running any code in it; for ``last.ckpt`` see SafeCheckpointIO.

    Raises:
        InputError: if the file is missing or damaged.
    """
    try:
        return _read(path)
    except InputError as error:
        previous = path.with_name(PREVIOUS)
        if path.name != LAST or not previous.exists():
            raise
        content = _read(previous)
        rank_zero_warn(f"{error}; {previous}, the one before it, is taken instead")
        return content


def _write(checkpoint: dict[str, Any], path: Path) -> None:
    with path.open("wb") as file:
        torch.save(checkpoint, file)
        file.flush()
        os.fsync(file.fileno())


def _folder(trainer: pl.Trainer) -> Path:
    return Path(trainer.default_root_dir).resolve() / "checkpoints"


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        msg = f"{path} does not exist: train that stage first, or name its checkpoint"
        raise InputError(msg) from error
    except Exception as error:  # over a damaged file the reader stumbles in every way there is
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        msg = f"{path} is not a readable checkpoint: {reason}"
        raise InputError(msg) from error
    if not isinstance(content, dict):
        msg = f"{path} is not a checkpoint"
        raise InputError(msg)
    return content
