"""Trained stages that several tests start from."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.facegan.stages.training_commands import MODEL, STAGES, arguments, exact, folder_of

from facegan.cli import main


@pytest.fixture(scope="session")
def runs(prepared: Path, make_once: Callable[..., Path]) -> Path:
    """All four stages trained for two steps each, with loggers and callbacks as in lightning_config.yaml."""

    def create(folder: Path) -> None:
        for stage in STAGES:
            line = arguments(stage, prepared, folder / folder_of(stage), folder)
            assert main([*line, f"--trainer.logger={loggers(folder)}"]) == 0

    return make_once("runs", create)


def loggers(runs: Path) -> str:
    """The loggers of lightning_config.yaml, writing elsewhere."""
    names = ("WandbLogger", {"offline": True}), ("CSVLogger", {"name": "csv"})
    return json.dumps(
        [
            {
                "class_path": f"pytorch_lightning.loggers.{name}",
                "init_args": {"save_dir": str(runs), **settings},
            }
            for name, settings in names
        ]
    )


@pytest.fixture(scope="session")
def phase_one(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a global generator at 32 pixels, the first phase of progressive training."""
    folder = tmp_path_factory.mktemp("phase_one")
    line = [
        *exact("2_reenact_128", prepared, folder),
        f"{MODEL}generator.width=16",
        "--data.init_args.size=32",
    ]
    assert main(line) == 0
    return folder / "checkpoints/last.ckpt"
