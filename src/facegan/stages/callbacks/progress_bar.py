"""Training progress: a bar with the most important values in a terminal, a line per epoch in a log file."""

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

from facegan.stages.base_stage import BaseStage


class ProgressBar(RichProgressBar):
    """Lightning's bar, fitted to 100 columns.

    G and D are the total losses of generators and discriminators, val is the stage's monitored metric, source
    the same metric of the source. Values are read as often as they are logged, since reading synchronizes
    with the device. If the output is not a terminal, a line is printed after every epoch instead.
    """

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._log: Console | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Detect whether the output is a terminal."""
        super().setup(trainer, pl_module, stage)
        self._began = time.monotonic()
        console = Console(soft_wrap=True, highlight=False)
        if self.is_enabled and not console.is_terminal:
            self._log = console
            self.disable()

    def configure_columns(self, trainer: pl.Trainer) -> list[ProgressColumn]:
        """Let the bar take the space that the other columns leave."""
        bar = CustomBarColumn(
            bar_width=None,
            complete_style=self.theme.progress_bar,
            finished_style=self.theme.progress_bar_finished,
            pulse_style=self.theme.progress_bar_pulse,
        )
        batches = MofNCompleteColumn(table_column=Column(no_wrap=True))
        remaining = TimeRemainingColumn(table_column=Column(no_wrap=True))
        return [TextColumn("{task.description}"), bar, batches, remaining, _TextColumn(self)]

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """Read the values; return none for Lightning's own column, which would break lines."""
        interval: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        if not trainer.training or trainer.fit_loop.batch_idx % interval == 0:
            self.text = format_metrics(trainer, pl_module)
        return {}

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the line."""
        super().on_train_epoch_end(trainer, pl_module)
        if self._log:
            elapsed = timedelta(seconds=round(time.monotonic() - self._began))
            self._log.print(f"epoch {trainer.current_epoch} {elapsed} {format_metrics(trainer, pl_module)}")


class _TextColumn(ProgressColumn):
    """The latest values in one line beside the training bar."""

    def __init__(self, bar: ProgressBar) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis"))
        self._bar = bar

    def render(self, task: Task) -> Text:
        return Text(self._bar.text if task.id == self._bar.train_progress_bar_id else "")


def format_metrics(trainer: pl.Trainer, stage: pl.LightningModule) -> str:
    """Format the values logged so far: ``G 10.5 D 2.55 …``."""
    assert isinstance(stage, BaseStage)
    entries = {
        "G": ("train/generator/total", ".3g"),
        "D": ("train/discriminator/total", ".3g"),
        "skipped": ("train/skipped_steps", ".0f"),
        "img/s": ("train/images_per_second", ".0f"),
        "val": (f"val/{stage.monitor}", ".3g"),
        "source": (f"val/{stage.monitor}/copy_source", ".3g"),
    }
    logged = trainer.callback_metrics
    return " ".join(
        f"{title} {logged[name].item():{form}}" for title, (name, form) in entries.items() if name in logged
    )
