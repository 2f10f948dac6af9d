"""Checkpoints within an epoch, between two optimizer steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytorch_lightning.callbacks import ModelCheckpoint

if TYPE_CHECKING:
    import pytorch_lightning as pl


class PeriodicCheckpoint(ModelCheckpoint):
    """Lightning's ModelCheckpoint, which waits for the end of an accumulation.

    Accumulated gradients are not saved, so that a run resumed between two batches of one step would make
    another step.
    """

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save if it is time."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches == 0:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
