"""Options that must not change the result, and variants, each of which trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
import yaml
from tests.facegan.stages.training_commands import (
    MODEL,
    OPTIMIZER,
    curve,
    exact,
    finite,
    measured,
    progress,
    saved,
)
from torch._dynamo.utils import counters

from facegan.cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

EXACTLY = "--trainer.precision=64-true"


def assert_same(one: Path, other: Path) -> None:
    """Weights and measures."""
    ours, theirs = saved(one)["state_dict"], saved(other)["state_dict"]
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-5, atol=1e-7)
    last, expected = measured(one)[-1], measured(other)[-1]
    assert last == pytest.approx(expected, rel=1e-4, abs=1e-6, nan_ok=True)


def test_compile_trains_the_same(prepared: Path, tmp_path: Path) -> None:
    """Frozen and trained discriminators and the moving average among them."""
    small = [
        *(
            f"{MODEL}generator.downsamplings=0",
            f"{MODEL}generator.num_residual_blocks=1",
            "--data.init_args.size=32",
        ),
        *(f"{MODEL}discriminator.scales=1", f"{MODEL}discriminator.layers=1"),
        EXACTLY,
    ]
    graphs = {}
    for name in ("false", "true"):
        counters.clear()
        line = [*exact("2_reenact", prepared, tmp_path / name), *small, f"{OPTIMIZER}compile={name}"]
        assert main(line) == 0
        graphs[name] = counters["stats"]["unique_graphs"]
    assert graphs["false"] == 0 < graphs["true"]
    assert_same(tmp_path / "true", tmp_path / "false")


def test_channels_last_and_checkpoint_activations_train_the_same(
    prepared: Path, runs: Path, tmp_path: Path
) -> None:
    for name in ("true", "false"):
        line = [*exact("4_joint", prepared, tmp_path / name, runs), EXACTLY]
        line += [f"{OPTIMIZER}channels_last={name}", f"{OPTIMIZER}checkpoint_activations={name}"]
        assert main(line) == 0
    assert_same(tmp_path / "true", tmp_path / "false")


VARIANTS = {
    "least squares": ["adversarial.form=least_squares", "adversarial.feature_matching=10"],
    "group norm": ["generator.norm=group", "discriminator.norm=group", "generator.use_skip_connections=true"],
    "one scale": ["discriminator.scales=1", "discriminator.layers=2", "adversarial.weight=0"],
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_variant_trains_with_finite_values(variant: list[str], prepared: Path, tmp_path: Path) -> None:
    line = [*exact("2_reenact", prepared, tmp_path), *(f"{MODEL}{setting}" for setting in variant)]
    assert main(line) == 0
    assert finite(tmp_path)
    assert progress(saved(tmp_path))["steps"] == 2
    rows = measured(tmp_path)[0]
    assert ("train/generator/feature_matching" in rows) == ("adversarial.feature_matching=10" in variant)
    assert all(value > 0 for value in curve(tmp_path, "train/discriminator/gradient_norm"))
    if "adversarial.weight=0" in variant:
        assert curve(tmp_path, "train/generator/adversarial") == [0, 0]


def test_bf16_mixed_keeps_float32_weights(
    prepared: Path, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facegan.cli.training.computes_bf16", lambda device: True)
    line = [*exact("4_joint", prepared, tmp_path, runs), "--trainer.precision=bf16-mixed"]
    # Without instructions for it, 16 bit is emulated slowly.
    line += ["--data.init_args.batch_size=1", "--data.init_args.validation_pairs=1"]
    assert main([*line, "--trainer.limit_train_batches=1"]) == 0
    assert finite(tmp_path)
    floats = [value for value in saved(tmp_path)["state_dict"].values() if value.is_floating_point()]
    assert {value.dtype for value in floats} == {torch.float32}


@pytest.mark.parametrize("has_bf16", [True, False])
def test_bf16_mixed_without_instructions_is_float32(
    has_bf16: bool, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Emulation would be many times slower."""
    monkeypatch.setattr("facegan.cli.training.computes_bf16", lambda device: has_bf16)
    line = [*exact("1_landmark_transform", prepared, tmp_path), "--trainer.precision=bf16-mixed"]
    assert main([*line, "--trainer.limit_train_batches=1"]) == 0
    used = yaml.safe_load((tmp_path / "config.yaml").read_text())["trainer"]["precision"]
    assert used == ("bf16-mixed" if has_bf16 else "32-true")
