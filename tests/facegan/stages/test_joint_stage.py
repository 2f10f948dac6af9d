"""Every stage through the command line on a real (tiny) prepared data set, and the model at the end."""

import csv
import json
import math
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from tests.facegan.stages.training_commands import (
    FIT_ONLY,
    MODEL,
    OPTIMIZER,
    STAGES,
    exact,
    folder_of,
    progress,
    saved,
)

from facegan.cli import main
from facegan.errors import InputError
from facegan.networks import FaceGAN
from facegan.stages import BackgroundMixStage, JointData, JointStage, LandmarkTransformStage, ReenactStage

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stage", STAGES)
def test_fit_writes_checkpoint_config_and_images(runs: Path, stage: str) -> None:
    folder = runs / folder_of(stage)
    assert (folder / "checkpoints/last.ckpt").is_file()
    assert (folder / "config.yaml").is_file()
    assert len(list((folder / "images").glob("*.png"))) == 1


def test_fit_logs_values_and_images_offline(runs: Path) -> None:
    assert len(list(runs.glob("wandb/offline-run-*/*.wandb"))) >= 1
    assert len(list(runs.glob("wandb/offline-run-*/files/media/images/val/images*.png"))) >= 1
    rows = list(csv.DictReader((runs / "csv/version_1/metrics.csv").open(newline="")))
    assert {
        "train/generator/perceptual",
        "train/discriminator/total",
        "val/head_mse",
        "val/head_mse/copy_source",
    } <= set(rows[0])
    assert all(math.isfinite(float(value)) for row in rows for value in row.values() if value)


def test_checkpoint_excludes_frozen_networks(runs: Path) -> None:
    for stage in STAGES:
        content = saved(runs / folder_of(stage))
        assert not any("perceptual" in name for name in content["state_dict"])
        assert content["hyper_parameters"]["optimizer"]["max_consecutive_nan_steps"] == 10
    assert content["facegan_stage"] == "JointStage"


def test_joint_stage_starts_from_moving_averages(runs: Path, prepared: Path, tmp_path: Path) -> None:
    """With a learning rate of 0 the trained weights are those at the start."""
    line = [*exact("4_joint", prepared, tmp_path, runs), f"{OPTIMIZER}learning_rate=0"]
    assert main(line) == 0
    joint = saved(tmp_path)["state_dict"]
    for stage, ours, theirs in (
        ("landmark_transform", "network", "ema.network"),
        ("landmark_transform", "regressor", "regressor"),
        ("reenact", "network", "ema.network"),
        ("reenact", "discriminator", "discriminator"),
        ("background_mix", "network", "ema.network"),
        ("background_mix", "discriminator", "discriminator"),
    ):
        state = saved(runs / stage)["state_dict"]
        names = [name for name in state if name.startswith(f"{theirs}.")]
        assert names
        for name in names:
            assert torch.equal(joint[f"{stage}.{name.replace(theirs, ours, 1)}"], state[name])
    assert not torch.equal(
        *(
            saved(runs / "reenact")["state_dict"][f"{k}.generator.stem.0.weight"]
            for k in ("network", "ema.network")
        )
    )


def test_joint_stage_checkpoint_alone_is_resumed_tested_and_bundled(
    runs: Path, prepared: Path, tmp_path: Path
) -> None:
    shutil.copy(runs / "joint/checkpoints/last.ckpt", tmp_path / "joint.ckpt")
    # There are no checkpoints of the stages here.
    line = [*exact("4_joint", prepared, tmp_path / "run", tmp_path), f"--ckpt_path={tmp_path / 'joint.ckpt'}"]
    assert main([*line, "--trainer.max_epochs=2"]) == 0
    assert progress(saved(tmp_path / "run"))["batches"] == 4
    assert main(["test", *(word for word in line[1:] if not word.startswith(FIT_ONLY))]) == 0
    assert main(["bundle", str(tmp_path / "joint.ckpt"), "--out", str(tmp_path / "model")]) == 0
    stage = JointStage.load_from_checkpoint(tmp_path / "joint.ckpt")
    trained = saved(runs / "joint")["state_dict"]
    for name, value in stage.background_mix.network.state_dict().items():
        assert torch.equal(value, trained[f"background_mix.network.{name}"])


@pytest.mark.parametrize("stage", [LandmarkTransformStage, ReenactStage, JointStage])
def test_load_from_checkpoint_gives_averages_and_resumes(stage, runs: Path, prepared: Path, tmp_path: Path):
    """In Python, without the command line and without the checkpoints of the stages."""
    name = {"LandmarkTransformStage": "landmark_transform", "ReenactStage": "reenact", "JointStage": "joint"}
    path = shutil.copy(runs / name[stage.__name__] / "checkpoints/last.ckpt", tmp_path / "alone.ckpt")
    content = torch.load(path, weights_only=True)
    loaded = stage.load_from_checkpoint(path)
    weights = {k: v for k, v in content["state_dict"].items() if "perceptual." not in k}
    assert any("ema." in key for key in weights)
    assert all(torch.equal(loaded.state_dict()[key], value) for key, value in weights.items())
    data = JointData(str(prepared), batch_size=2, workers=0, validation_pairs=2, protocol_pairs=0)
    trainer = pl.Trainer(
        accelerator="cpu",
        logger=False,
        default_root_dir=tmp_path,
        enable_progress_bar=False,
        max_epochs=2,
        limit_train_batches=2,
    )
    trainer.fit(loaded, data, ckpt_path=path, weights_only=True)
    assert trainer.global_step == content["global_step"] + 2
    with pytest.raises(InputError, match="one of BackgroundMixStage is needed"):
        BackgroundMixStage.load_from_checkpoint(path)


def test_joint_stage_checkpoint_of_the_other_ablation_is_refused(
    runs: Path, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = [*exact("4_joint", prepared, tmp_path, runs), f"{MODEL}transform_landmarks=false"]
    assert main([*line, f"--ckpt_path={runs / 'joint/checkpoints/last.ckpt'}"]) == 2
    assert "transform_landmarks is False" in capsys.readouterr().err.splitlines()[-1]


def test_joint_stage_updates_every_network(runs: Path) -> None:
    joint = saved(runs / "joint")["state_dict"]
    for stage, name in (
        ("landmark_transform", "network.body.0.weight"),
        ("reenact", "network.generator.stem.0.weight"),
        ("background_mix", "network.generator.stem.0.weight"),
    ):
        start = saved(runs / stage)["state_dict"][f"ema.{name}"]
        assert not torch.equal(joint[f"{stage}.{name}"], start)


@pytest.mark.parametrize("stage", STAGES)
def test_test_command_reports_metrics(
    runs: Path, prepared: Path, tmp_path: Path, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = runs / folder_of(stage) / "checkpoints/last.ckpt"
    line = exact(stage, prepared, tmp_path, runs)
    line = ["test", *(word for word in line[1:] if not word.startswith(FIT_ONLY))]
    assert main([*line, f"--ckpt_path={checkpoint}"]) == 0
    assert "test/" in capsys.readouterr().out


def test_fit_checkpoint_of_other_stage_is_refused(
    runs: Path, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = exact("2_reenact", prepared, tmp_path)
    assert main([*line, f"--ckpt_path={runs / 'background_mix/checkpoints/last.ckpt'}"]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "BackgroundMixStage" in line
    assert "ReenactStage" in line


def test_fit_checkpoint_of_other_sizes_is_refused(
    runs: Path, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = [*exact("2_reenact", prepared, tmp_path), f"{MODEL}generator.width=4"]
    assert main([*line, f"--ckpt_path={runs / 'reenact/checkpoints/last.ckpt'}"]) == 2
    assert "networks of other sizes" in capsys.readouterr().err.splitlines()[-1]


def test_bundle_equals_moving_average(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    assert main(["bundle", str(runs / "joint/checkpoints/last.ckpt"), "--out", str(out)]) == 0
    model = FaceGAN.from_pretrained(out)
    trained = saved(runs / "joint")["state_dict"]
    stages = {"landmark_transformer": "landmark_transform", "reenactor": "reenact"}
    stages["background_mixer"] = "background_mix"
    for name, value in model.state_dict().items():
        network, _, weight = name.partition(".")
        assert torch.equal(value, trained[f"{stages[network]}.ema.network.{weight}"])
    assert json.loads((out / "config.json").read_text())["size"] == 64


@pytest.mark.parametrize(
    ("checkpoint", "reason"),
    [("reenact/checkpoints/last.ckpt", "ReenactStage"), ("nothing.ckpt", "does not exist")],
)
def test_bundle_other_checkpoint_is_refused(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], checkpoint: str, reason: str
) -> None:
    assert main(["bundle", str(runs / checkpoint), "--out", str(tmp_path / "model")]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_bundle_damaged_checkpoint_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = tmp_path / "damaged.ckpt"
    damaged.write_bytes(b"PK\x03\x04 and nothing more")
    assert main(["bundle", str(damaged), "--out", str(tmp_path / "model")]) == 2
    assert "not a readable checkpoint" in capsys.readouterr().err


def test_bundle_overwrites_only_model_folders(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    words = ["bundle", str(runs / "joint/checkpoints/last.ckpt"), "--out", str(tmp_path), "--overwrite"]
    assert main(words) == 2
    assert "not empty" in capsys.readouterr().err
    assert (tmp_path / "letters.txt").read_text() == "dear"


def test_fit_full_disk_is_one_line_and_leaves_nothing(runs: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "facegan", "bundle", str(runs / "joint/checkpoints/last.ckpt")]
    result = subprocess.run(
        [*command, "--out", str(tmp_path / "model")],
        capture_output=True,
        text=True,
        check=False,
        # The system then refuses to write more, as on a full disk.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "no space left" in result.stderr
    assert list(tmp_path.iterdir()) == []
