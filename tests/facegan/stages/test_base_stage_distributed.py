"""Two processes with a batch each do what one does with both."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch
from tests.facegan.stages.fault_injection import Poisoned, as_yaml
from tests.facegan.stages.training_commands import (
    MODEL,
    OPTIMIZER,
    callbacks,
    exact,
    measured,
    progress,
    saved,
    two_processes,
)

from facegan.cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

# With constant weights, one and two processes compute with the same ones in every step and validation; in 64
# bit, since instance norm amplifies the rounding of flat backgrounds.
CONSTANT_WEIGHTS = [
    f"{OPTIMIZER}learning_rate=0",
    f"{OPTIMIZER}ema_halflife=0",
    "--trainer.precision=64-true",
]
SHARED = ["--data.init_args.batch_size=1", "--trainer.devices=2", "--trainer.strategy=ddp"]
VARIANTS = {
    "accumulated": ("2_reenact", ["--trainer.accumulate_grad_batches=2"]),
    "half of the heads reenacted": (
        "3_background_mix",
        [f"{MODEL}head=schedule", "--trainer.max_epochs=3", "--trainer.max_steps=4"],
    ),
    "NaN in one process": ("2_reenact", []),
}
METRICS = ["--data.init_args.protocol_pairs=4", "--data.init_args.size=64"]
CASES = ["2_reenact", "4_joint", *VARIANTS]


@pytest.fixture(scope="module")
def line(prepared: Path, validation_data: Path, runs: Path, tmp_path_factory: pytest.TempPathFactory):
    """What is typed for a case, and where its results lie."""
    folder = tmp_path_factory.mktemp("distributed")

    def words(case: str, processes: int) -> tuple[list[str], Path]:
        stage, settings = VARIANTS.get(case, (case, []))
        out = folder / f"{case} {processes}"
        more = SHARED if processes == 2 else []
        if case == "4_joint":
            more = [*METRICS, *more]
        if case == "NaN in one process":
            # Neither takes the step.
            more = [callbacks(as_yaml(Poisoned, batches=[1], rank=processes - 1)), *more]
        source = validation_data if case == "4_joint" else prepared
        return [*exact(stage, source, out, runs), *CONSTANT_WEIGHTS, *settings, *more], out

    return words


@pytest.fixture(scope="module")
def shared(line, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All cases trained by two processes."""
    lines = {case: line(case, 2) for case in CASES}
    two_processes([words for words, _ in lines.values()], tmp_path_factory.mktemp("log") / "rank")
    return {case: out for case, (_, out) in lines.items()}


@pytest.mark.parametrize("case", CASES)
def test_two_processes_equal_one_with_twice_the_batch(line, shared: dict[str, Path], case: str) -> None:
    words, out = line(case, 1)
    assert main(words) == 0
    together, alone = saved(shared[case]), saved(out)
    assert progress(together) == progress(alone)
    assert together["global_step"] == alone["global_step"] > 0
    assert_same_gradients(together, alone)
    last, expected = measured(shared[case])[-1], measured(out)[-1]
    assert last.keys() == expected.keys()
    assert any(name.endswith("/ci95_half_width") for name in last)
    assert ("val/cross/csim" in last) == (case == "4_joint")
    assert last == pytest.approx(expected, rel=1e-5, abs=1e-7, nan_ok=True)


def assert_same_gradients(together: dict, alone: dict) -> None:
    """Adam's mean of the gradients, of every parameter that has one."""
    (ours,), (theirs,) = together["optimizer_states"], alone["optimizer_states"]
    assert ours["state"].keys() == theirs["state"].keys() != set()
    for group in ours["param_groups"]:
        members = [i for i in group["params"] if i in ours["state"]]
        means = [(ours["state"][i]["exp_avg"], theirs["state"][i]["exp_avg"]) for i in members]
        largest = max((expected.abs().max() for _, expected in means), default=torch.ones(()))
        for found, expected in means:
            assert (found - expected).norm() < 1e-5 * expected.norm() + 1e-7 * largest
    assert largest > 0


def test_two_processes_from_command_line_have_the_same_gradients(
    line, shared: dict[str, Path], tmp_path: Path
) -> None:
    words, _ = line("2_reenact", 2)
    words.append(f"--trainer.default_root_dir={tmp_path}")
    done = subprocess.run([sys.executable, "-m", "facegan", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert_same_gradients(saved(tmp_path), saved(shared["2_reenact"]))
