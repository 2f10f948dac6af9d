"""Callbacks that kill or disturb training or record its weights; used by class path."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytorch_lightning as pl
import torch


class Killed(pl.Callback):
    """Kills the process before a batch of an epoch."""

    def __init__(self, epoch: int, batch: int) -> None:
        self.at = (epoch, batch)

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        if (trainer.current_epoch, batch_idx) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class Poisoned(pl.Callback):
    """Puts a non-finite value into the first pair of some batches.

    Args:
        batches: counted through all epochs.
        key: field of the pair.
        value: nan or inf.
        rank: of the process.
    """

    def __init__(
        self, batches: list[int], key: str = "source_image", value: str = "nan", rank: int = 0
    ) -> None:
        self.batches, self.key, self.value, self.rank = batches, key, float(value), rank

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        if trainer.fit_loop.total_batch_idx in self.batches and trainer.global_rank == self.rank:
            getattr(batch, self.key)[0] = self.value


class Recorded(pl.Callback):
    """Saves the weights and their moving average after every batch, as ``weights/0.pt`` and so on."""

    def on_train_start(self, trainer, pl_module) -> None:
        (Path(trainer.default_root_dir) / "weights").mkdir(parents=True)
        self._keep(trainer, pl_module)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        self._keep(trainer, pl_module)

    def _keep(self, trainer, pl_module) -> None:
        path = Path(trainer.default_root_dir) / f"weights/{trainer.fit_loop.total_batch_idx + 1}.pt"
        torch.save((pl_module.network.state_dict(), pl_module.ema.network.state_dict()), path)


def as_yaml(callback: type[pl.Callback], **settings: object) -> dict:
    """Return the callback's YAML entry."""
    return {"class_path": f"{__name__}.{callback.__name__}", "init_args": settings}
