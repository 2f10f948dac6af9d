"""A photograph moved by a film: the whole way of ``facegan reenact``, from file to file."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from conftest import THREADS
from PIL import Image

from facegan.inference import Animator, reenact
from facegan.inference.engines import ENGINES
from facegan.preparation.synthesize import synthesize
from facegan.provenance import ProvenanceConfig
from synthetic_heads import render, sample_identity

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
    """Frames a second are the film's frames by the whole time, but for loading the program and the model."""
    # A process of its own: the threads of other engines would take their share.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        process.submit(_load, model.folder, engine).result()

        def move() -> int:
            return process.submit(_move, source, driver, tmp_path / "moved.mp4").result()

        frames = benchmark.pedantic(move, warmup_rounds=1, rounds=ROUNDS[model.name])
    assert frames == round(25 * SECONDS[model.name])
    benchmark.extra_info |= {"model": model.name, "engine": engine, "frames": frames, "size": 256}


_loaded: list[Animator] = []


def _load(folder: Path, engine: str) -> None:
    torch.set_num_threads(THREADS)
    _loaded.append(Animator.from_pretrained(folder, engine=engine))


def _move(source: Path, driver: Path, out: Path) -> int:
    return reenact(
        _loaded[0], source, driver, out, provenance=ProvenanceConfig(), overwrite=True, progress=False
    ).frames
