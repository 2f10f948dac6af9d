"""Untrained models of the sizes in ``stages/``; training does not change their speed."""

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
"""Name of a model to the overlays of ``stages/`` that change the paper's sizes."""


class Model(NamedTuple):
    """A model folder with networks exported for OpenVINO."""

    name: str
    folder: Path


def make_model(name: str, folder: Path) -> Model:
    """Create, save and export a model named in OVERLAYS."""
    generators = [_generator_config(stage, OVERLAYS[name]) for stage in ("2_reenact", "3_background_mix")]
    torch.manual_seed(0)
    FaceGAN(FaceGANConfig(reenactor=generators[0], background_mixer=generators[1])).save_pretrained(folder)
    export_model(folder, "openvino")
    # Otherwise the system writes gigabytes during a measurement.
    os.sync()
    return Model(name, folder)


def _generator_config(stage: str, overlays: tuple[str, ...]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for folder in (STAGES, *(STAGES / overlay for overlay in overlays)):
        settings = yaml.safe_load((folder / f"{stage}.yaml").read_text())
        config |= settings["model"]["init_args"].get("generator", {})
    return config
