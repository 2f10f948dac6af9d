"""Models of the sizes that ``stages/`` has, untrained: what they compute costs the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml

from facegan.inference.model_export import export_model
from facegan.networks import FaceGAN, FaceGANConfig

STAGES = Path(__file__).parents[2] / "stages"
OVERLAYS = {"full": (), "lite": ("lite",)}
"""A model's name, and the folders in ``stages/`` whose settings go over the paper's."""


class Model(NamedTuple):
    """A model folder, exported too."""

    name: str
    folder: Path


def make(name: str, folder: Path) -> Model:
    """Writes one."""
    settings = [_generator(stage, OVERLAYS[name]) for stage in ("2_reenact", "3_background_mix")]
    torch.manual_seed(0)
    FaceGAN(FaceGANConfig(reenactor=settings[0], background_mixer=settings[1])).save_pretrained(folder)
    export_model(folder, "openvino")
    # Else the system writes gigabytes while something is timed.
    os.sync()
    return Model(name, folder)


def _generator(stage: str, overlays: tuple[str, ...]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for folder in (STAGES, *(STAGES / overlay for overlay in overlays)):
        written = yaml.safe_load((folder / f"{stage}.yaml").read_text())
        settings |= written["model"]["init_args"].get("generator", {})
    return settings
