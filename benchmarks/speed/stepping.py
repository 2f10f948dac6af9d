"""FACEGAN's own training step, taken one at a time: the whole of it, Lightning's part included."""

from __future__ import annotations

import warnings
from threading import Semaphore, Thread
from typing import TYPE_CHECKING, Any, Self

import pytorch_lightning as pl
from stages import InMemory

if TYPE_CHECKING:
    from types import TracebackType

    from facegan.stages.adversarial import AdversarialStage

LOSSES = ("generator", "discriminator")


class Stepping(pl.Callback):
    """``facegan fit`` in a thread that waits before every batch until it is called.

    Args:
        stage: to be trained.
        size: side of the pictures in pixels.
        steps: how many there are at most.
        precision: of Lightning's trainer.
    """

    def __init__(
        self, stage: AdversarialStage, size: int, steps: int, precision: str = "bf16-mixed"
    ) -> None:
        self._go, self._done = Semaphore(0), Semaphore(0)
        self._losses: dict[str, float] = {}
        trainer = pl.Trainer(
            accelerator="cpu",
            precision=precision,  # type: ignore[arg-type]
            max_epochs=1,
            logger=False,
            callbacks=[self],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
        )
        self._trainer = trainer
        self._thread = Thread(target=self._fit, args=(stage, InMemory(size, steps)))

    def _fit(self, stage: AdversarialStage, data: InMemory) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._trainer.fit(stage, data)
        self._done.release()

    def __enter__(self) -> Self:
        self._thread.start()
        self._done.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._trainer.should_stop = True
        while self._thread.is_alive():
            self._go.release()
            self._thread.join(0.1)

    def __call__(self) -> dict[str, float]:
        """One step; both losses before it."""
        self._go.release()
        self._done.acquire()
        return self._losses

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Everything is ready."""
        self._done.release()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Waits."""
        self._go.acquire()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Tells."""
        self._losses = {name: trainer.callback_metrics[f"train/{name}"].item() for name in LOSSES}
        self._done.release()
