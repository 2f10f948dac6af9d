"""How training goes: in a terminal a bar with the numbers that matter, in a log file a line an epoch."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar
from pytorch_lightning.callbacks.progress.rich_progress import CustomBarColumn
from rich.console import Console
from rich.progress import MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from facegan.stages.base_stage import Stage


class Progress(RichProgressBar):
    """Lightning's bar with few enough numbers for 100 columns.

    G and D are the losses of generators and discriminators, val is the stage's watched measure, source
    the same of the untouched source. Numbers are read as often as they are logged, since reading waits
    for the device. Where the output is no terminal, there is a line after every epoch instead.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shown = ""
        self._log: Console | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Looks what the output is."""
        super().setup(trainer, pl_module, stage)
        self._began = time.monotonic()
        console = Console(soft_wrap=True, highlight=False)
        if self.is_enabled and not console.is_terminal:
            self._log = console
            self.disable()

    def configure_columns(self, trainer: pl.Trainer) -> list[ProgressColumn]:
        """The bar takes the space that the others leave."""
        bar = CustomBarColumn(
            bar_width=None,
            complete_style=self.theme.progress_bar,
            finished_style=self.theme.progress_bar_finished,
            pulse_style=self.theme.progress_bar_pulse,
        )
        batches = MofNCompleteColumn(table_column=Column(no_wrap=True))
        remaining = TimeRemainingColumn(table_column=Column(no_wrap=True))
        return [TextColumn("{task.description}"), bar, batches, remaining, _Numbers(self)]

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """Takes the numbers; there are none for Lightning's own column, which would break lines."""
        interval: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        if not trainer.training or trainer.fit_loop.batch_idx % interval == 0:
            self.shown = numbers(trainer, pl_module)
        return {}

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes the line."""
        super().on_train_epoch_end(trainer, pl_module)
        if self._log:
            elapsed = timedelta(seconds=round(time.monotonic() - self._began))
            self._log.print(f"epoch {trainer.current_epoch} {elapsed} {numbers(trainer, pl_module)}")


class _Numbers(ProgressColumn):
    """Beside the bar of training, the latest numbers in one line."""

    def __init__(self, bar: Progress) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis"))
        self._bar = bar

    def render(self, task: Task) -> Text:
        return Text(self._bar.shown if task.id == self._bar.train_progress_bar_id else "")


def numbers(trainer: pl.Trainer, stage: pl.LightningModule) -> str:
    """What is shown of the logged numbers, as far as they are there: ``G 10.5 D 2.55 …``."""
    assert isinstance(stage, Stage)
    written = {
        "G": ("train/generator", ".3g"),
        "D": ("train/discriminator", ".3g"),
        "skipped": ("train/skipped_steps", ".0f"),
        "img/s": ("train/images_per_second", ".0f"),
        "val": (f"val/{stage.watched}", ".3g"),
        "source": (f"val/{stage.watched}_of_source", ".3g"),
    }
    logged = trainer.callback_metrics
    return " ".join(
        f"{title} {logged[name].item():{form}}" for title, (name, form) in written.items() if name in logged
    )
