"""From typing a command to its end, with nothing in memory yet but what the disk's cache holds."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from synthetic_heads import render, sample_identity

if TYPE_CHECKING:
    from pathlib import Path

    from models import Model
    from pytest_benchmark.fixture import BenchmarkFixture


def facegan(*words: object) -> None:
    """Runs a command."""
    subprocess.run([sys.executable, "-m", "facegan", *map(str, words)], check=True, capture_output=True)


def test_help(benchmark: BenchmarkFixture) -> None:
    """``facegan --help``."""
    benchmark.extra_info["command"] = "facegan --help"
    benchmark.pedantic(facegan, args=("--help",), warmup_rounds=1, rounds=7)


@pytest.mark.parametrize("engine", ["torch", "openvino-bf16"])
def test_one_picture(benchmark: BenchmarkFixture, model: Model, tmp_path: Path, engine: str) -> None:
    """``facegan reenact`` of one photograph by another."""
    faces = tmp_path / "source.png", tmp_path / "driver.png"
    for seed, path in enumerate(faces):
        person = sample_identity(seed)
        Image.fromarray(render(person, np.zeros(20), 512).image).save(path)
    words = ("--model", model.folder, "--source", faces[0], "--driving", faces[1], "--engine", engine)
    benchmark.extra_info |= {"command": f"facegan reenact --engine {engine}", "model": model.name}
    benchmark.pedantic(
        facegan,
        args=("reenact", *words, "--out", tmp_path / "moved.png", "--overwrite"),
        warmup_rounds=1,
        rounds=5,
    )
