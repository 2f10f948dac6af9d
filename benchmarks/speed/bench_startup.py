"""Duration of whole commands, with files in the disk cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.speed.commands import run_facegan
from PIL import Image

from synthetic_heads import render, sample_identity

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.speed.models import Model
    from pytest_benchmark.fixture import BenchmarkFixture


def test_help(benchmark: BenchmarkFixture) -> None:
    """``facegan --help``."""
    benchmark.extra_info["command"] = "facegan --help"
    benchmark.pedantic(run_facegan, args=("--help",), warmup_rounds=1, rounds=7)


@pytest.mark.parametrize("engine", ["torch", "openvino-bf16"])
def test_image(benchmark: BenchmarkFixture, model: Model, source: Path, tmp_path: Path, engine: str) -> None:
    """``facegan reenact`` of a source image by a driving image."""
    driving = tmp_path / "driving.png"
    Image.fromarray(render(sample_identity(1), np.zeros(20), 512).image).save(driving)
    words = ("reenact", "--model", model.folder, "--source", source, "--driving", driving)
    words += ("--engine", engine, "--out", tmp_path / "reenacted.png", "--overwrite")
    benchmark.extra_info |= {"command": f"facegan reenact --engine {engine}", "model": model.name}
    benchmark.pedantic(run_facegan, args=words, warmup_rounds=1, rounds=5)
