"""A photograph moved by a film: the whole way of ``facegan reenact``, from file to file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from facegan.inference import Animator, Marks, reenact
from facegan.inference.engines import ENGINES
from facegan.synthetic import render, sample_identity, synthesize

if TYPE_CHECKING:
    from pathlib import Path

    from models import Model
    from pytest_benchmark.fixture import BenchmarkFixture

SECONDS = {"lite": 8.0, "full": 1.0}
ROUNDS = {"lite": 3, "full": 1}


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn person of 512 pixels."""
    path = tmp_path_factory.mktemp("source") / "source.png"
    Image.fromarray(render(sample_identity(3), np.zeros(20), 512).image).save(path)
    return path


@pytest.fixture(scope="session")
def driver(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn person who speaks, 25 frames a second of 512 pixels."""
    folder = tmp_path_factory.mktemp("driver")
    synthesize(
        folder / "films", identities=1, clips=1, seconds=SECONDS[model.name], size=512, seed=5, progress=False
    )
    (film,) = (folder / "films").rglob("*.mp4")
    return film


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "onnx"])
def test_film(
    benchmark: BenchmarkFixture, model: Model, engine: str, source: Path, driver: Path, tmp_path: Path
) -> None:
    """Frames a second are the film's frames by the whole time, but for loading the model."""
    animator = Animator.from_pretrained(model.folder, engine=engine)
    frames = round(25 * SECONDS[model.name])

    def move() -> None:
        made = reenact(
            animator, source, driver, tmp_path / "moved.mp4", marks=Marks(), overwrite=True, progress=False
        )
        assert made.frames == frames

    benchmark.extra_info |= {"model": model.name, "engine": engine, "frames": frames, "size": animator.size}
    benchmark.pedantic(move, warmup_rounds=1, rounds=ROUNDS[model.name])
