"""How the weights are moved: accumulation, clipping, rates, and steps that are not finite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch
from tests.facegan.stages.fault_injection import Poisoned, as_yaml
from tests.facegan.stages.training_commands import (
    MODEL,
    OPTIMIZER,
    callbacks,
    curve,
    differences,
    exact,
    finite,
    progress,
    saved,
)

from facegan.cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

STAGE = "2_reenact"
EXACTLY = "--trainer.precision=64-true"
ONE_STEP = "--trainer.max_steps=1"
BETA = 0.5
SIDES = ("generator", "discriminator")


@pytest.fixture
def fit(prepared: Path, tmp_path: Path):
    """Trains in a folder of this name; what it leaves as last checkpoint."""

    def run(name: str, *settings: str, stage: str = STAGE, status: int = 0) -> dict:
        assert main([*exact(stage, prepared, tmp_path / name), *settings]) == status
        return saved(tmp_path / name) if status == 0 else {}

    return run


def gradients(content: dict, side: str) -> torch.Tensor:
    """What Adam was given in its first step, of all parameters of a side."""
    (optimizer,) = content["optimizer_states"]
    members = [i for group in optimizer["param_groups"] if group["side"] == side for i in group["params"]]
    states = [optimizer["state"][i] for i in members if i in optimizer["state"]]
    return torch.cat([state["exp_avg"].flatten() for state in states]) / (1 - BETA)


def test_accumulate_equals_large_batch(fit) -> None:
    """The smaller rest at the end of an epoch, 1 batch here for 2, weighs half."""
    small = fit("small", EXACTLY, "--trainer.accumulate_grad_batches=2", "--trainer.limit_train_batches=3")
    assert progress(small) == {
        "batches": 3,
        "steps": 2,
        "skipped_steps": 0,
        "consecutive_skips": 0,
    }
    first = fit("first", EXACTLY, "--trainer.accumulate_grad_batches=2", "--trainer.limit_train_batches=2")
    large = fit("large", EXACTLY, "--data.init_args.batch_size=4", ONE_STEP)
    for side in SIDES:
        torch.testing.assert_close(gradients(first, side), gradients(large, side), rtol=1e-6, atol=1e-7)
    for name, value in large["state_dict"].items():
        torch.testing.assert_close(first["state_dict"][name], value, rtol=1e-5, atol=1e-7)
    # The rest's own gradient: what the mean has more than the first step left of it.
    lone = [gradients(small, side) - BETA * gradients(first, side) for side in SIDES]
    assert all(
        0.15 < rest.norm() / gradients(first, side).norm() < 1.5
        for side, rest in zip(SIDES, lone, strict=True)
    )


def test_gradient_clip_bounds_norm_of_each_group(fit, tmp_path: Path) -> None:
    free = fit("free", ONE_STEP)
    norms = [gradients(free, side).norm() for side in SIDES]
    logged = [curve(tmp_path / "free", f"train/{side}/gradient_norm")[0] for side in SIDES]
    assert logged == pytest.approx([norm.item() for norm in norms], rel=1e-4)
    # Between both norms: only the larger one is cut.
    limit = (norms[0] * norms[1]).sqrt().item()
    clipped = fit("clipped", ONE_STEP, f"--trainer.gradient_clip_val={limit}")
    for side, norm in zip(SIDES, norms, strict=True):
        shrunk = min(1.0, limit / norm.item())
        torch.testing.assert_close(
            gradients(clipped, side), gradients(free, side) * shrunk, rtol=1e-4, atol=1e-6
        )
    assert min(norms) < limit < max(norms)


def test_lr_decay_is_linear_to_zero(fit, tmp_path: Path) -> None:
    settings = [
        f"{OPTIMIZER}lr_decay_start_epoch=1",
        "--trainer.max_epochs=3",
        "--trainer.limit_train_batches=4",
    ]
    settings += [f"{OPTIMIZER}learning_rate=8e-3"]
    content = fit("falling", *settings)
    rates = curve(tmp_path / "falling", "train/learning_rate")
    assert rates == pytest.approx([8e-3] * 4 + [8e-3, 7e-3, 6e-3, 5e-3, 4e-3, 3e-3, 2e-3, 1e-3], rel=1e-5)
    (optimizer,) = content["optimizer_states"]
    # What the next step would take.
    assert [group["lr"] for group in optimizer["param_groups"]] == [0, 0]


def test_max_steps_counts_optimizer_steps(fit) -> None:
    """Neither optimizers nor batches."""
    settings = [
        "--trainer.max_steps=3",
        "--trainer.limit_train_batches=9",
        "--trainer.accumulate_grad_batches=2",
    ]
    content = fit("steps", "--trainer.max_epochs=5", *settings)
    assert progress(content)["steps"] == 3
    assert progress(content)["batches"] == 6


@pytest.mark.parametrize(
    ("stage", "key", "value", "accumulate"),
    [
        ("1_landmark_transform", "source_landmarks", "nan", 1),
        ("2_reenact", "source_image", "nan", 1),
        ("2_reenact", "driving_image", "inf", 2),
        ("3_background_mix", "driving_image", "nan", 1),
    ],
)
def test_step_non_finite_loss_changes_nothing(
    fit, tmp_path: Path, stage: str, key: str, value: str, accumulate: int
) -> None:
    """Weights, average, Adam: all as after the good step before."""
    poison = callbacks(as_yaml(Poisoned, batches=[accumulate], key=key, value=value))
    settings = [
        f"--trainer.accumulate_grad_batches={accumulate}",
        f"--trainer.limit_train_batches={2 * accumulate}",
    ]
    good = fit("good", *settings, ONE_STEP, stage=stage)
    bad = fit("bad", *settings, poison, stage=stage)
    counters = ("finite_steps.skipped", "finite_steps.consecutive")
    for content in (good, bad):
        content["weights"] = {k: v for k, v in content["state_dict"].items() if k not in counters}
        (optimizer,) = content["optimizer_states"]
        content["adam"] = optimizer["state"]
    for part in ("weights", "adam"):
        assert differences(good[part], bad[part]) == []
    assert progress(bad) == {
        "batches": 2 * accumulate,
        "steps": 1,
        "skipped_steps": 1,
        "consecutive_skips": 1,
    }
    assert curve(tmp_path / "bad", "train/skipped_steps")[-1] == 1
    assert not finite(tmp_path / "bad")


def test_step_non_finite_gradient_is_skipped(prepared: Path, tmp_path: Path) -> None:
    assert main([*exact(STAGE, prepared, tmp_path), f"{MODEL}adversarial.weight=1e37"]) == 0
    assert curve(tmp_path, "train/skipped_steps") == [1, 2]
    assert all(math.isfinite(loss) for loss in curve(tmp_path, "train/generator/total"))
    assert curve(tmp_path, "train/generator/gradient_norm") == [math.inf] * 2
    assert saved(tmp_path, "best")["optimizer_states"][0]["state"] == {}


def test_step_too_many_consecutive_skips_stop_in_one_line(fit, capsys: pytest.CaptureFixture[str]) -> None:
    poison = callbacks(as_yaml(Poisoned, batches=[1, 2, 3, 4, 5]))
    settings = [f"{OPTIMIZER}max_consecutive_nan_steps=3", "--trainer.limit_train_batches=6"]
    fit("stopped", poison, *settings, status=2)
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("facegan: 3 consecutive steps had a loss or gradient that is not finite")
    assert "optimizer.learning_rate" in line


def test_step_valid_step_resets_consecutive_skips(fit) -> None:
    poison = callbacks(as_yaml(Poisoned, batches=[0, 1, 3, 4, 6]))
    settings = [f"{OPTIMIZER}max_consecutive_nan_steps=3", "--trainer.limit_train_batches=8"]
    content = fit("hobbling", poison, *settings)
    assert progress(content) == {
        "batches": 8,
        "steps": 3,
        "skipped_steps": 5,
        "consecutive_skips": 0,
    }
