"""A killed and resumed run equals, bit by bit, an uninterrupted one."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.facegan.stages.fault_injection import Killed, as_yaml
from tests.facegan.stages.training_commands import (
    MODEL,
    OPTIMIZER,
    callbacks,
    differences,
    exact,
    finite,
    measured,
    progress,
    saved,
    started,
    status_of,
)

from facegan.cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

FREQUENT = "--periodic_checkpoint.train_time_interval=0:00:00.000001"
"""Written after every step."""


class Case(NamedTuple):
    stage: str
    settings: tuple[str, ...] = ()
    epoch: int = 1
    batch: int = 3
    written: int = 7
    """Batches in the last checkpoint before that."""


CASES = {
    "everything": Case(
        "2_reenact",
        (
            *("--trainer.max_epochs=2", "--data.init_args.workers=2", "--data.init_args.color=0.3"),
            *("--trainer.num_sanity_val_steps=2", "--trainer.accumulate_grad_batches=2"),
            *(f"{OPTIMIZER}lr_decay_start_epoch=1", f"{OPTIMIZER}muon_lr=0.02"),
            *(f"{MODEL}adversarial.feature_matching=5", "--trainer.gradient_clip_val=1"),
        ),
        # Not within an accumulation.
        written=6,
    ),
    "end of an epoch": Case(
        "1_landmark_transform",
        ("--trainer.max_epochs=2", "--trainer.limit_train_batches=3"),
        batch=0,
        written=3,
    ),
    "half of the heads reenacted": Case(
        "3_background_mix", (f"{MODEL}head=schedule", "--trainer.max_epochs=3", "--trainer.max_steps=8")
    ),
    "joint": Case("4_joint", epoch=0, written=3),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_resume_killed_run_is_bit_exact(case: Case, runs: Path, prepared: Path, tmp_path: Path) -> None:
    def line(name: str, *more: str) -> list[str]:
        words = exact(case.stage, prepared, tmp_path / name, runs)
        return [
            *words,
            "--data.init_args.batch_size=1",
            "--trainer.limit_train_batches=4",
            *case.settings,
            *more,
        ]

    killer = as_yaml(Killed, epoch=case.epoch, batch=case.batch)
    killed = started([line("parts", FREQUENT, callbacks(killer))], tmp_path / "log")
    assert main(line("whole", FREQUENT)) == 0
    killed.join()
    assert killed.exitcode == -signal.SIGKILL, (tmp_path / "log").read_text()[-2000:]
    assert progress(saved(tmp_path / "parts"))["batches"] == case.written

    assert main(line("parts", FREQUENT, "--ckpt_path=last")) == 0
    assert measured(tmp_path / "parts")[0]["epoch"] == case.epoch
    assert differences(saved(tmp_path / "whole"), saved(tmp_path / "parts")) == []
    assert finite(tmp_path / "whole")


def test_resume_best_checkpoint_is_bit_exact(prepared: Path, tmp_path: Path) -> None:
    """It is written while its epoch's validation ends."""
    line = [*exact("1_landmark_transform", prepared, tmp_path / "whole"), "--trainer.max_epochs=2"]
    assert main(line) == 0
    first = exact("1_landmark_transform", prepared, tmp_path / "first")
    assert main(first) == 0
    line[line.index(f"--trainer.default_root_dir={tmp_path / 'whole'}")] = (
        f"--trainer.default_root_dir={tmp_path / 'second'}"
    )
    assert main([*line, f"--ckpt_path={tmp_path / 'first/checkpoints/best.ckpt'}"]) == 0
    whole, second = saved(tmp_path / "whole"), saved(tmp_path / "second")
    for part in ("state_dict", "optimizer_states", "global_step", "epoch"):
        assert differences(whole[part], second[part]) == []


def test_resume_last_without_checkpoint_starts_run(prepared: Path, tmp_path: Path) -> None:
    """So that one line both starts and goes on."""
    line = [*exact("1_landmark_transform", prepared, tmp_path), "--ckpt_path=last"]
    assert main(line) == 0
    assert progress(saved(tmp_path))["batches"] == 2


def test_resume_finished_run_trains_more_epochs(prepared: Path, tmp_path: Path) -> None:
    line = exact("1_landmark_transform", prepared, tmp_path)
    assert main(line) == 0
    assert status_of([*line, "--trainer.max_epochs=3", "--ckpt_path=last"], log=tmp_path / "log") == 0
    content = saved(tmp_path)
    assert progress(content) == {
        "batches": 6,
        "steps": 6,
        "skipped_steps": 0,
        "consecutive_skips": 0,
    }
