"""Every stage learns eight pairs by heart, each from what the ones before it have learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.facegan.stages.training_commands import (
    MODEL,
    OPTIMISATION,
    STAGES,
    curve,
    exact,
    finite,
    folder_of,
)

from facegan.cli import main

if TYPE_CHECKING:
    from pathlib import Path

SMALL = [
    "--data.class_path=tests.facegan.stages.few_pairs_data.FewPairsData",
    "--data.init_args.batch_size=4",
    f"{OPTIMISATION}lr_decay_start_epoch=0",
]
SMALL += ["--trainer.limit_train_batches=1.0", "--trainer.log_every_n_steps=10"]
# In few steps the discriminators add grain sooner than detail, and skip connections bring the colors.
PICTURES = [f"{MODEL}adversarial.weight=0.1", f"{OPTIMISATION}ema_halflife=30"]
PAINTER = [f"{MODEL}generator.width=16", f"{MODEL}generator.use_skip_connections=true"]
PAINTER += [f"{MODEL}perceptual_weight=1", f"{MODEL}reconstruction_weight=30"]
SETTINGS = {
    "1_landmark_transform": [
        f"{MODEL}width=64",
        f"{OPTIMISATION}learning_rate=2e-3",
        "--data.init_args.repeats=75",
    ],
    "2_reenact": [*PICTURES, *PAINTER, f"{OPTIMISATION}learning_rate=1e-3", "--data.init_args.repeats=90"],
    "3_background_mix": [
        *(*PICTURES, *PAINTER, f"{MODEL}head=truth", f"{MODEL}generator.norm=group"),
        *(f"{MODEL}head_reconstruction_weight=10", f"{MODEL}mask_norm_weight=0.3"),
        *(f"{OPTIMISATION}learning_rate=2e-3", f"{OPTIMISATION}muon_lr=0.03"),
        "--data.init_args.repeats=60",
    ],
    "4_joint": [
        *PICTURES,
        f"{OPTIMISATION}learning_rate=5e-4",
        "--data.init_args.repeats=20",
        "--trainer.max_epochs=2",
    ],
}


@pytest.fixture(scope="module")
def learnt(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("learnt")
    for stage in STAGES:
        line = exact(stage, prepared, folder / folder_of(stage), folder)
        assert main([*line, *SMALL, *SETTINGS[stage]]) == 0
    return {stage: folder / folder_of(stage) for stage in STAGES}


@pytest.fixture
def value(learnt: dict[str, Path]):
    """A measure of a stage after its last epoch, or after an earlier one."""
    return lambda stage, name, epoch=-1: curve(learnt[stage], f"val/{name}")[epoch]


def test_landmarks(value) -> None:
    stage = "1_landmark_transform"
    assert value(stage, "landmark_error") < 0.1 * value(stage, "landmark_error/copy_source")
    assert value(stage, "action_unit_error") < 0.05


def test_reenacted_heads(value, learnt: dict[str, Path]) -> None:
    stage = "2_reenact"
    assert value(stage, "head_mse") < 0.25 * value(stage, "head_mse/copy_source")
    assert value(stage, "perceptual") < 0.8 * value(stage, "perceptual/copy_source")
    assert value(stage, "head_iou") > 0.95
    assert value(stage, "hair_iou") > 0.8
    loss = curve(learnt[stage], "train/generator/total")
    assert loss[-1] < 0.5 * loss[0]


def test_mixed_backgrounds(value) -> None:
    stage = "3_background_mix"
    assert value(stage, "mse") < 0.2 * value(stage, "mse/naive_composite")
    assert value(stage, "mse") < 0.2 * value(stage, "mse/copy_source")
    assert value(stage, "background_mse") < value(stage, "background_mse/copy_source")
    assert value(stage, "mask_on_head") > 0.85
    assert value(stage, "mask_on_background") < 0.1


def test_all_together(value, learnt: dict[str, Path]) -> None:
    stage = "4_joint"
    assert value(stage, "mse") < 0.25 * value(stage, "mse/copy_source")
    assert value(stage, "mse") < value(stage, "mse", 0)
    assert value(stage, "perceptual") < value(stage, "perceptual", 0)
    assert value(stage, "landmark_error") < 0.2 * value(stage, "landmark_error/copy_source")
    assert value(stage, "head_iou") > 0.95
    assert all(finite(out) for out in learnt.values())
