"""The progress bar in a terminal, and the lines in a log file."""

import io
import re
from pathlib import Path

import pytest
import pytorch_lightning as pl
from rich.console import Console
from rich.progress import Progress as Bars

from facegan.stages import LandmarkTransformData, LandmarkTransformStage
from facegan.stages.callbacks.progress_bar import ProgressBar, format_metrics

pytestmark = pytest.mark.slow


def fit(data: Path, folder: Path) -> pl.Trainer:
    trainer = pl.Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        max_epochs=3,
        limit_train_batches=2,
        log_every_n_steps=1,
        logger=False,
        callbacks=[ProgressBar()],
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    trainer.fit(
        LandmarkTransformStage(width=16, layers=1),
        LandmarkTransformData(data, batch_size=4, validation_pairs=8),
    )
    return trainer


def test_progress_bar_log_file_has_line_per_epoch(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(prepared, tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" 0:")[0] for line in lines] == ["epoch 0", "epoch 1", "epoch 2"]
    number = r"[\d.e+-]+"
    shown = rf"epoch 2 0:00:\d\d G {number} skipped 0 (img/s \d+ )?val {number} source {number}"
    assert re.fullmatch(shown, lines[-1])


def test_progress_bar_terminal_has_one_line(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "TTY_COMPATIBLE": "1",
        "TTY_INTERACTIVE": "1",
        "COLUMNS": "100",
        "TERM": "xterm",
    }.items():
        monkeypatch.setenv(name, value)
    trainer = fit(prepared, tmp_path)
    output = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", capsys.readouterr().out)
    assert "epoch 0 0:" not in output
    last = [line for line in re.split(r"[\r\n]", output) if line.startswith("Epoch 2/2")][-1].rstrip()
    assert last.endswith(format_metrics(trainer, trainer.lightning_module))
    assert "source" in last
    assert len(last) <= 100


@pytest.mark.parametrize("total", [60, 400_000])
def test_progress_bar_longest_values_fit_100_columns(tmp_path: Path, total: int) -> None:
    bar = ProgressBar()
    bar.text = "G 10.5 D 2.55 skipped 3 img/s 1234 val 0.0123 source 0.0303"
    console = Console(width=100, file=io.StringIO())
    bars = Bars(*bar.configure_columns(pl.Trainer(logger=False, default_root_dir=tmp_path)), console=console)
    bar.train_progress_bar_id = bars.add_task("Epoch 12/19", total=total, completed=total - 1)
    bars.add_task("Validation", total=20, completed=3)
    console.print(bars.get_renderable())
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].rstrip().endswith(bar.text)
    assert f"{total - 1}/{total}" in lines[0]
    assert "G 10.5" not in lines[1]
