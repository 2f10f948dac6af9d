"""When checkpoints are written: after every epoch, every few minutes, and the best."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytorch_lightning.callbacks import ModelCheckpoint

from facegan.stages.base_stage import BaseStage
from facegan.stages.checkpoints import BEST, LAST, PREVIOUS

if TYPE_CHECKING:
    import pytorch_lightning as pl

CLOCK_INTERVAL = 20
"""Batches between two checks of the clock, each of which synchronizes all processes."""


class PeriodicCheckpoint(ModelCheckpoint):
    """Writes ``checkpoints/last.ckpt`` after every epoch and every few minutes, and ``best.ckpt``.

    Best is the lowest value of the stage's ``monitor``. :class:`facegan.stages.AtomicCheckpointIO` keeps
    the last but one as ``previous.ckpt``.

    Args:
        minutes: between two checkpoints within an epoch.
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
        """Set the folder to that of the run, whatever the logger."""
        if self.dirpath is None:
            self.dirpath = str(_folder(trainer))
        super().setup(trainer, pl_module, stage)

    def _find_last_checkpoints(self, trainer: pl.Trainer) -> set[str]:
        """Resolve ``--ckpt_path last``, before ``setup``; previous, if killed between two renames."""
        found = [path for name in (LAST, PREVIOUS) if (path := _folder(trainer) / name).exists()]
        return {str(path) for path in found[:1]}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        super().on_train_start(trainer, pl_module)
        self._written = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write when it is time, between steps: accumulated gradients are not saved."""
        assert isinstance(pl_module, BaseStage)
        number = batch_idx + 1
        if number % CLOCK_INTERVAL or number % pl_module.optimizer.accumulate or trainer.is_last_batch:
            return
        if trainer.strategy.broadcast(time.monotonic() - self._written > 60 * self.minutes):
            self._write(trainer, LAST)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write after every epoch."""
        super().on_train_epoch_end(trainer, pl_module)
        self._written = time.monotonic()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the best."""
        assert isinstance(pl_module, BaseStage)
        value = trainer.callback_metrics.get(f"val/{pl_module.monitor}")
        fitting = trainer.state.fn == "fit" and not trainer.sanity_checking
        if fitting and value is not None and value < self.lowest:
            self.lowest = value.item()
            self._write(trainer, BEST)

    def state_dict(self) -> dict[str, Any]:
        """Add the lowest value so far."""
        return super().state_dict() | {"lowest": self.lowest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the lowest value."""
        super().load_state_dict(state_dict)
        self.lowest = state_dict["lowest"]

    def _write(self, trainer: pl.Trainer, name: str) -> None:
        assert self.dirpath is not None
        trainer.save_checkpoint(Path(self.dirpath) / name, weights_only=False)
        self._written = time.monotonic()


def _folder(trainer: pl.Trainer) -> Path:
    return Path(trainer.default_root_dir).resolve() / "checkpoints"
