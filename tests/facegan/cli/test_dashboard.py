"""The dashboard plots exactly what the stages log."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import pytorch_lightning as pl
from pytorch_lightning.loggers import CSVLogger

from facegan.cli.dashboard import IMAGES, VIDEOS, build_dashboard, main
from facegan.networks import DiscriminatorConfig, MixerConfig, ReenactorConfig
from facegan.stages import (
    BackgroundMixData,
    BackgroundMixStage,
    JointData,
    JointStage,
    LandmarkTransformData,
    LandmarkTransformStage,
    ReenactData,
    ReenactStage,
    ThroughputLogger,
)
from facegan.stages.background_mix_stage import BackgroundMixLossWeights
from facegan.stages.config import AdversarialConfig
from facegan.stages.reenact_stage import ReenactLossWeights

pytestmark = pytest.mark.slow

GENERATOR = {"kind": "global", "width": 8, "downsamplings": 2, "num_residual_blocks": 1}
DISCRIMINATOR = DiscriminatorConfig(width=8)
BASELINE_INTERVAL = "/(copy_source|naive_composite)/ci95_half_width$"
# With every term that is off by default.
LOSSES = {
    "perceptual_network": "identity",
    "adversarial": AdversarialConfig(feature_matching=1),
}


@pytest.fixture(scope="module")
def logged(validation_data: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """All names that the four stages log in a training step and a validation."""
    folder = tmp_path_factory.mktemp("logged")
    checkpoints = [folder / f"{name}.ckpt" for name in ("landmark", "reenact", "background", "joint")]
    stages = [
        lambda: (LandmarkTransformStage(width=16, layers=1), LandmarkTransformData),
        lambda: (
            ReenactStage(
                ReenactorConfig(**GENERATOR),
                DISCRIMINATOR,
                **LOSSES,
                loss_weights=ReenactLossWeights(jaccard=1),
            ),
            ReenactData,
        ),
        lambda: (
            BackgroundMixStage(
                MixerConfig(**GENERATOR),
                DISCRIMINATOR,
                **LOSSES,
                loss_weights=BackgroundMixLossWeights(head_reconstruction=1),
            ),
            BackgroundMixData,
        ),
        lambda: (JointStage(*checkpoints[:3], **LOSSES), JointData),
    ]
    names: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("facegan.stages.callbacks.throughput_logger.INTERVAL", 0)
        for number, (make, checkpoint) in enumerate(zip(stages, checkpoints, strict=True)):
            stage, data = make()
            trainer = pl.Trainer(
                default_root_dir=folder,
                accelerator="cpu",
                max_epochs=1,
                limit_train_batches=1,
                limit_val_batches=1,
                num_sanity_val_steps=0,
                log_every_n_steps=1,
                logger=CSVLogger(folder, name=str(number)),
                callbacks=[ThroughputLogger()],
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
            trainer.fit(stage, data(validation_data, batch_size=2, workers=0, validation_pairs=2))
            trainer.save_checkpoint(checkpoint)
            with (folder / f"{number}/version_0/metrics.csv").open(newline="") as file:
                names |= set(csv.DictReader(file).fieldnames or ())
    return names


@pytest.fixture(scope="module")
def sections() -> dict[str, list[dict]]:
    """The panels of each section, as they are sent to W&B."""
    spec = json.loads(
        build_dashboard("me", "faces")._to_model().spec.model_dump_json(by_alias=True, exclude_none=True)
    )
    return {section["name"]: section["panels"] for section in spec["section"]["panelBankConfig"]["sections"]}


def test_dashboard_sections_have_lines_over_batches_and_media(sections: dict[str, list[dict]]) -> None:
    assert list(sections) == ["Losses", "Optimization", "Evaluation", "Validation", "Images", "Videos"]
    for name in ("Losses", "Optimization", "Evaluation", "Validation"):
        assert {panel["viewType"] for panel in sections[name]} == {"Run History Line Plot"}
        assert {panel["config"]["xAxis"] for panel in sections[name]} == {"trainer/global_step"}
    for name, keys in (("Images", IMAGES), ("Videos", VIDEOS)):
        assert [panel["config"]["mediaKeys"] for panel in sections[name]] == [[key] for key in keys]


def test_dashboard_lines_are_all_logged_values(sections: dict[str, list[dict]], logged: set[str]) -> None:
    lines = {
        line
        for panels in sections.values()
        for panel in panels
        for line in panel["config"].get("metrics", [])
    }
    # A metric is plotted with its own interval, not with its baselines'.
    assert lines == {name for name in logged if "/" in name and not re.search(BASELINE_INTERVAL, name)}


def test_dashboard_metric_has_baselines_and_interval(sections: dict[str, list[dict]]) -> None:
    by_title = {panel["config"]["chartTitle"]: panel["config"]["metrics"] for panel in sections["Validation"]}
    baselines = ["val/mse/copy_source", "val/mse/naive_composite"]
    assert by_title["mse"] == ["val/mse", *baselines, "val/mse/ci95_half_width"]
    assert by_title["head_iou"] == ["val/head_iou", "val/head_iou/ci95_half_width"]


def test_dashboard_without_login_is_one_line(tmp_path: Path) -> None:
    nobody = {"HOME": str(tmp_path), "NETRC": str(tmp_path / "netrc")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")} | nobody
    # A process of its own: what other tests logged offline leaves W&B offline.
    command = [sys.executable, "-m", "facegan.cli.dashboard", "--entity", "me"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "wandb login" in result.stderr


def test_dashboard_without_extra_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "wandb_workspaces.reports.v2.interface", None)
    assert main(["--entity", "me"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "facegan[dashboard]" in lines[0]
