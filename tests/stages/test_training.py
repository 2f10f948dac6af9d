"""Every stage through the command line on a real (tiny) prepared data set."""

import csv
import json
import math
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from facegan.cli import main
from facegan.networks import FaceGAN

STAGES = ("1_landmark_transform", "2_reenact", "3_background_mix", "4_joint")
TINY = ["--model.init_args.generator=global", "--model.init_args.width=8", "--model.init_args.blocks=1"]
TINY += ["--model.init_args.downsamplings=2", "--model.init_args.discriminator_width=8"]
TINY += ["--model.init_args.perceptual_network=identity"]


def loggers(runs: Path) -> Path:
    """The loggers of lightning_config.yaml, writing elsewhere."""
    names = ("WandbLogger", {"offline": True}), ("CSVLogger", {"name": "csv"})
    entries = [
        {"class_path": f"pytorch_lightning.loggers.{name}", "init_args": {"save_dir": str(runs), **settings}}
        for name, settings in names
    ]
    file = runs / "loggers.json"
    file.write_text(json.dumps({"trainer": {"logger": entries}}))
    return file


def arguments(stage: str, data: Path, runs: Path) -> list[str]:
    name = stage.partition("_")[2]
    words = ["fit", "-c", "lightning_config.yaml", "-c", f"stages/{stage}.yaml", "-c", "data/synthetic.yaml"]
    words += [f"--data.init_args.root={data}", f"--trainer.default_root_dir={runs / name}"]
    words += ["--data.init_args.batch_size=2", "--data.init_args.workers=0"]
    words += ["--data.init_args.validation_pairs=4", "--trainer.limit_train_batches=2"]
    words += ["--trainer.max_epochs=1", "--trainer.num_sanity_val_steps=0", "--trainer.log_every_n_steps=1"]
    words += ["-c", str(loggers(runs))]
    if name in ("reenact", "background_mix"):
        words += TINY
    if name == "joint":
        words += ["--model.init_args.perceptual_network=identity"]
        for role, folder in (
            ("landmark", "landmark_transform"),
            ("reenact", "reenact"),
            ("background", "background_mix"),
        ):
            words.append(f"--model.init_args.{role}_checkpoint={runs / folder / 'checkpoints/last.ckpt'}")
    return words


@pytest.fixture(scope="session")
def runs(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All four stages trained for two steps each."""
    folder = tmp_path_factory.mktemp("runs")
    for stage in STAGES:
        assert main(arguments(stage, prepared, folder)) == 0
    return folder


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_leaves_checkpoint_configuration_and_panels(runs: Path, stage: str) -> None:
    folder = runs / stage.partition("_")[2]
    assert (folder / "checkpoints/last.ckpt").is_file()
    assert (folder / "config.yaml").is_file()
    assert len(list((folder / "panels").glob("*.png"))) == 1


def test_curves_and_panels_are_logged_without_an_account(runs: Path) -> None:
    assert len(list(runs.glob("wandb/offline-run-*/*.wandb"))) >= 1
    assert len(list(runs.glob("wandb/offline-run-*/files/media/images/val/panels*.png"))) >= 1
    rows = list(csv.DictReader((runs / "csv/version_1/metrics.csv").open(newline="")))
    assert {"train/perceptual", "train/discriminator", "val/head_mse", "val/head_mse_of_source"} <= set(
        rows[0]
    )
    assert all(math.isfinite(float(value)) for row in rows for value in row.values() if value)


def test_checkpoints_hold_no_frozen_network_and_load_without_code(runs: Path) -> None:
    content = torch.load(runs / "joint/checkpoints/last.ckpt", weights_only=True)
    assert content["facegan_stage"] == "JointStage"
    assert not any(name.startswith("perceptual.") for name in content["state_dict"])


def test_joint_starts_from_the_stages(runs: Path, prepared: Path, tmp_path: Path) -> None:
    words = arguments("4_joint", prepared, runs)
    words += [f"--trainer.default_root_dir={tmp_path}", "--model.init_args.learning_rate=0"]
    assert main(words) == 0
    joint = torch.load(tmp_path / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    for stage, ours, theirs in (
        ("landmark_transform", "model.landmark_transformer", "transformer"),
        ("reenact", "model.reenactor", "reenactor"),
        ("background_mix", "model.background_mixer", "mixer"),
        ("reenact", "face_discriminator", "discriminator"),
    ):
        state = torch.load(runs / stage / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for name, value in state.items():
            if name.startswith(f"{theirs}."):
                torch.testing.assert_close(joint[name.replace(theirs, ours, 1)], value, rtol=0, atol=0)


def test_training_moves_every_network_of_the_joint_stage(runs: Path) -> None:
    joint = torch.load(runs / "joint/checkpoints/last.ckpt", weights_only=True)["state_dict"]
    start = torch.load(runs / "landmark_transform/checkpoints/last.ckpt", weights_only=True)["state_dict"]
    name = "body.0.weight"
    assert not torch.equal(joint[f"model.landmark_transformer.{name}"], start[f"transformer.{name}"])
    start = torch.load(runs / "background_mix/checkpoints/last.ckpt", weights_only=True)["state_dict"]
    name = "generator.stem.0.weight"
    assert not torch.equal(joint[f"model.background_mixer.{name}"], start[f"mixer.{name}"])


def test_resuming_continues_the_count(runs: Path, prepared: Path, tmp_path: Path) -> None:
    checkpoint = runs / "reenact/checkpoints/last.ckpt"
    words = arguments("2_reenact", prepared, runs)
    words += [f"--trainer.default_root_dir={tmp_path}", "--trainer.max_epochs=2", f"--ckpt_path={checkpoint}"]
    words += ["--trainer.precision=32-true"]
    assert main(words) == 0
    before = torch.load(checkpoint, weights_only=True)
    after = torch.load(tmp_path / "checkpoints/last.ckpt", weights_only=True)
    assert after["epoch"] == before["epoch"] + 1
    # Two optimisers, two batches an epoch.
    assert after["global_step"] == before["global_step"] + 4
    state = after["optimizer_states"][0]["state"][0]["step"]
    assert state == before["optimizer_states"][0]["state"][0]["step"] + 2


@pytest.mark.parametrize("stage", STAGES)
def test_test_measures_people_kept_out(
    runs: Path, prepared: Path, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = runs / stage.partition("_")[2] / "checkpoints/last.ckpt"
    words = arguments(stage, prepared, runs)
    dropped = ("--trainer.limit_train", "--trainer.max_epochs", "--trainer.num_sanity", "--trainer.log_every")
    words = ["test", *(word for word in words[1:] if not word.startswith(dropped))]
    assert main([*words, f"--ckpt_path={checkpoint}"]) == 0
    assert "test/" in capsys.readouterr().out


def test_another_stages_checkpoint_is_refused(
    runs: Path, prepared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = arguments("2_reenact", prepared, runs)
    words += [f"--ckpt_path={runs / 'background_mix/checkpoints/last.ckpt'}"]
    assert main(words) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "BackgroundMixStage" in line
    assert "ReenactStage" in line


def test_bundle_is_the_trained_model(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    assert main(["bundle", str(runs / "joint/checkpoints/last.ckpt"), "--out", str(out)]) == 0
    model = FaceGAN.from_pretrained(out)
    trained = torch.load(runs / "joint/checkpoints/last.ckpt", weights_only=True)["state_dict"]
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, trained[f"model.{name}"], rtol=0, atol=0)
    assert json.loads((out / "config.json").read_text())["size"] == 64


@pytest.mark.parametrize(
    ("checkpoint", "reason"),
    [("reenact/checkpoints/last.ckpt", "ReenactStage"), ("nothing.ckpt", "does not exist")],
)
def test_bundle_refuses_what_is_no_joint_checkpoint(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], checkpoint: str, reason: str
) -> None:
    assert main(["bundle", str(runs / checkpoint), "--out", str(tmp_path / "model")]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_bundle_refuses_a_damaged_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = tmp_path / "damaged.ckpt"
    damaged.write_bytes(b"PK\x03\x04 and nothing more")
    assert main(["bundle", str(damaged), "--out", str(tmp_path / "model")]) == 2
    assert "not a readable checkpoint" in capsys.readouterr().err


def test_bundle_replaces_only_models(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    words = ["bundle", str(runs / "joint/checkpoints/last.ckpt"), "--out", str(tmp_path), "--overwrite"]
    assert main(words) == 2
    assert "not empty" in capsys.readouterr().err
    assert (tmp_path / "letters.txt").read_text() == "dear"


def test_a_full_disk_is_one_line_and_leaves_nothing(runs: Path, tmp_path: Path) -> None:
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
