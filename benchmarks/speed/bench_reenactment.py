"""Reenactment of a source image by a driving video with ``facegan reenact``, from file to file."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import pytest
import torch

from facegan.inference import Animator, reenact
from facegan.inference.engines import ENGINES
from facegan.preparation.synthesize import synthesize
from facegan.provenance import ProvenanceConfig

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.speed.models import Model
    from pytest_benchmark.fixture import BenchmarkFixture

FPS = 25
SECONDS = {"lite": 8.0, "full": 1.0}
ROUNDS = {"lite": 3, "full": 1}


@pytest.fixture(scope="session")
def driving(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a video of 512×512 of a synthetic identity that speaks."""
    folder = tmp_path_factory.mktemp("driving") / "videos"
    seconds = SECONDS[model.name]
    synthesize(folder, identities=1, clips=1, seconds=seconds, fps=FPS, size=512, seed=5, progress=False)
    (video,) = folder.rglob("*.mp4")
    return video


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "onnx"])
def test_video(
    benchmark: BenchmarkFixture, model: Model, engine: str, source: Path, driving: Path, tmp_path: Path
) -> None:
    """The time of a round excludes start-up and loading of the model."""
    # In a process of its own, without the threads of other engines.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        process.submit(_load, model.folder, engine, torch.get_num_threads()).result()

        def run() -> int:
            return process.submit(_reenact, source, driving, tmp_path / "reenacted.mp4").result()

        frames = benchmark.pedantic(run, warmup_rounds=1, rounds=ROUNDS[model.name])
    assert frames == round(FPS * SECONDS[model.name])
    benchmark.extra_info |= {"model": model.name, "engine": engine, "frames": frames, "size": 256}


_animators: list[Animator] = []
"""The model of the process."""


def _load(folder: Path, engine: str, threads: int) -> None:
    torch.set_num_threads(threads)
    _animators.append(Animator.from_pretrained(folder, engine=engine))


def _reenact(source: Path, driving: Path, out: Path) -> int:
    (animator,) = _animators
    return reenact(
        animator, source, driving, out, provenance=ProvenanceConfig(), overwrite=True, progress=False
    ).frames
