"""Training speed in images per second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl

if TYPE_CHECKING:
    from facegan.data import FacePair

INTERVAL = 2.0
"""Seconds over which the speed is measured."""


class ThroughputLogger(pl.Callback):
    """Logs ``train/images_per_second`` of all processes together, without validation.

    Lightning's ThroughputMonitor waits for the GPU in every step.
    """

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock; a run resumed within an epoch has no ``on_train_epoch_start``."""
        self._restart()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Exclude validation."""
        self._restart()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: FacePair,
        batch_idx: int,
    ) -> None:
        """Count the images of a batch."""
        self._images += len(batch.source_landmarks) * trainer.world_size
        elapsed = time.perf_counter() - self._clock
        if elapsed > INTERVAL:
            pl_module.log("train/images_per_second", self._images / elapsed, prog_bar=True)
            self._restart()

    def _restart(self) -> None:
        self._clock, self._images = time.perf_counter(), 0
