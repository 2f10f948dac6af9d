"""Every stage overfits eight pairs, each starting from the stages before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.facegan.stages.training_commands import (
    MODEL,
    OPTIMIZER,
    STAGES,
    curve,
    exact,
    finite,
    folder_of,
)

from facegan.cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SMALL = [
    "--data.class_path=tests.facegan.stages.few_pairs_data.FewPairsData",
    "--data.init_args.batch_size=4",
    f"{OPTIMIZER}lr_decay_start_epoch=0",
]
SMALL += ["--trainer.limit_train_batches=1.0", "--trainer.log_every_n_steps=10"]
# In few steps the discriminators add noise sooner than detail, and skip connections keep the colors.
ADVERSARIAL = [f"{MODEL}adversarial.weight=0.1", f"{OPTIMIZER}ema_halflife=30"]
GENERATOR = [f"{MODEL}generator.width=16", f"{MODEL}generator.use_skip_connections=true"]
GENERATOR += [f"{MODEL}loss_weights.perceptual=1", f"{MODEL}loss_weights.reconstruction=30"]
SETTINGS = {
    "1_landmark_transform": [
        f"{MODEL}width=64",
        f"{OPTIMIZER}learning_rate=2e-3",
        "--data.init_args.repeats=75",
    ],
    "2_reenact": [
        *(*ADVERSARIAL, *GENERATOR, f"{MODEL}generator.align_source=true"),
        *(f"{OPTIMIZER}learning_rate=1e-3", "--data.init_args.repeats=25"),
    ],
    "3_background_mix": [
        *(*ADVERSARIAL, *GENERATOR, f"{MODEL}head=truth", f"{MODEL}generator.norm=group"),
        *(f"{MODEL}generator.fill_background=true", f"{MODEL}loss_weights.head_reconstruction=10"),
        *(f"{OPTIMIZER}learning_rate=2e-3", f"{OPTIMIZER}muon_lr=0.03"),
        "--data.init_args.repeats=55",
    ],
    "4_joint": [
        *ADVERSARIAL,
        f"{OPTIMIZER}learning_rate=5e-4",
        "--data.init_args.repeats=8",
        "--trainer.max_epochs=2",
    ],
}


@pytest.fixture(scope="module")
def trained(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("trained")
    for stage in STAGES:
        line = exact(stage, prepared, folder / folder_of(stage), folder)
        assert main([*line, *SMALL, *SETTINGS[stage]]) == 0
    return {stage: folder / folder_of(stage) for stage in STAGES}


@pytest.fixture
def value(trained: dict[str, Path]):
    """A validation metric of a stage after its last epoch, or after an earlier one."""
    return lambda stage, name, epoch=-1: curve(trained[stage], f"val/{name}")[epoch]


def test_overfit_landmark_transform_stage(value) -> None:
    stage = "1_landmark_transform"
    assert value(stage, "landmark_error") < 0.1 * value(stage, "landmark_error/copy_source")
    assert value(stage, "action_unit_error") < 0.05


def test_overfit_reenact_stage(value, trained: dict[str, Path]) -> None:
    stage = "2_reenact"
    assert value(stage, "head_mse") < 0.25 * value(stage, "head_mse/copy_source")
    assert value(stage, "perceptual") < 0.5 * value(stage, "perceptual/copy_source")
    assert value(stage, "head_iou") > 0.95
    assert value(stage, "hair_iou") > 0.85
    # The first is that of the moved head, which needs repair only.
    loss = curve(trained[stage], "train/generator/total")
    assert loss[-1] < 0.8 * loss[0]


def test_overfit_background_mix_stage(value) -> None:
    stage = "3_background_mix"
    assert value(stage, "mse") < 0.2 * value(stage, "mse/naive_composite")
    assert value(stage, "mse") < 0.2 * value(stage, "mse/copy_source")
    assert value(stage, "background_mse") < value(stage, "background_mse/copy_source")
    assert value(stage, "mask_on_head") > 0.95
    assert value(stage, "mask_on_background") < 0.05


def test_overfit_joint_stage(value, trained: dict[str, Path]) -> None:
    stage = "4_joint"
    assert value(stage, "mse") < 0.25 * value(stage, "mse/copy_source")
    assert value(stage, "mse") < value(stage, "mse", 0)
    assert value(stage, "perceptual") < value(stage, "perceptual", 0)
    assert value(stage, "landmark_error") < 0.2 * value(stage, "landmark_error/copy_source")
    assert value(stage, "head_iou") > 0.95
    assert all(finite(out) for out in trained.values())
