"""Preparing, reading and evaluating data: how fast, and how that grows with workers, videos and people."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
import pytorch_lightning as pl
from bench_start import facegan

from facegan.data import FaceCrops
from facegan.preparation.synthesize import synthesize
from facegan.stages import LandmarkTransformStage, ReenactData
from synthetic_heads import render, sample_identity, sample_motion

if TYPE_CHECKING:
    from pathlib import Path

    from models import Model
    from pytest_benchmark.fixture import BenchmarkFixture

FRAMES, FPS, SIDE = 10, 25, 256
WIDTH = 152
"""Of a head among others: the detector sees faces that are about a tenth of a picture."""
BATCH = 8
SECONDS = 2.0
"""Of each film that pairs are read from."""
DIFFERENT = 10
"""Films that are drawn; of more, some are the same."""
EVALUATED, EVALUATED_SECONDS = 40, 0.8
"""People and seconds of the films that are evaluated."""


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Drawn people, of a few frames each."""
    return _drawn(tmp_path_factory.mktemp("films"), FRAMES / FPS)


def _drawn(folder: Path, seconds: float, people: int = DIFFERENT) -> list[Path]:
    synthesize(
        folder / "drawn", identities=people, clips=1, seconds=seconds, size=SIDE, seed=3, progress=False
    )
    return sorted((folder / "drawn").rglob("*.mp4"))


def prepare(benchmark: BenchmarkFixture, films: Path, out: Path, workers: int, rounds: int) -> None:
    """``facegan prepare videos``, timed."""
    line = ("prepare", "videos", films, "--out", out, "--workers", workers, "--overwrite")
    benchmark.pedantic(facegan, args=line, rounds=rounds)
    crops = sum(len(FaceCrops(out, split)) for split in ("train", "val", "test"))
    benchmark.extra_info |= {"crops": crops, "workers": workers, "size": 256}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("count", [10, 100, 1000])
def test_preparing(
    benchmark: BenchmarkFixture, films: list[Path], tmp_path: Path, count: int, workers: int
) -> None:
    """More films, more workers."""
    if count == 1000 and workers == 1:
        pytest.skip("twice as long as with two, which 10 and 100 tell")
    for number in range(count):
        folder = tmp_path / "films" / f"{number:04}"
        folder.mkdir(parents=True)
        os.link(films[number % DIFFERENT], folder / "0.mp4")
    benchmark.extra_info |= {"videos": count, "frames": FRAMES}
    prepare(benchmark, tmp_path / "films", tmp_path / "prepared", workers, rounds=3 if count == 10 else 1)


@pytest.mark.parametrize("people", [1, 3, 10])
def test_people_in_the_picture(benchmark: BenchmarkFixture, tmp_path: Path, people: int) -> None:
    """Heads, five in a row, in a film of 760 by 512 pixels."""
    heads = [sample_identity(seed) for seed in range(people)]
    motions = [sample_motion(seed, FRAMES, FPS).motion for seed in range(people)]
    (tmp_path / "films").mkdir()
    with av.open(tmp_path / "films" / "0.mp4", "w") as file:
        stream = file.add_stream("libx264", rate=Fraction(FPS), options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 5 * WIDTH, 2 * SIDE, "yuv420p"
        for number in range(FRAMES):
            picture = np.full((2 * SIDE, 5 * WIDTH, 3), 90, np.uint8)
            for place, (head, motion) in enumerate(zip(heads, motions, strict=True)):
                y, x = SIDE * (place // 5), WIDTH * (place % 5)
                drawn = render(head, motion[number], SIDE).image
                picture[y : y + SIDE, x : x + WIDTH] = drawn[:, (SIDE - WIDTH) // 2 : (SIDE + WIDTH) // 2]
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    benchmark.extra_info["people"] = people
    line = partial(prepare, benchmark, tmp_path / "films", tmp_path / "prepared", 1)
    line(rounds=3)
    assert benchmark.extra_info["crops"] == people * FRAMES


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_reading(benchmark: BenchmarkFixture, tmp_path: Path, workers: int) -> None:
    """Training pairs, mirrored and in other light, as stage 2 gets them."""
    _drawn(tmp_path, SECONDS)
    facegan("prepare", "synthetic", tmp_path / "drawn", "--out", tmp_path / "prepared")
    data = ReenactData(str(tmp_path / "prepared"), batch_size=BATCH, workers=workers)
    data.setup("fit")
    data.trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    data.trainer.strategy.connect(LandmarkTransformStage())
    loader = data.train_dataloader()

    def read() -> None:
        for batch in loader:
            data.on_after_batch_transfer(batch, 0)

    benchmark.extra_info |= {"pairs": BATCH * len(loader), "workers": workers, "size": data.size}
    benchmark.pedantic(read, warmup_rounds=1, rounds=5)


@pytest.fixture(scope="session")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of drawn people, a tenth of them to test with."""
    folder = tmp_path_factory.mktemp("crops")
    _drawn(folder, EVALUATED_SECONDS, EVALUATED)
    facegan("prepare", "synthetic", folder / "drawn", "--out", folder / "prepared")
    return folder / "prepared"


@pytest.mark.parametrize("workers", [1, 2])
def test_evaluating(
    benchmark: BenchmarkFixture, crops: Path, model: Model, tmp_path: Path, workers: int
) -> None:
    """``facegan evaluate``; the pairs of all protocols count."""
    if model.name == "full":
        pytest.skip("the networks are measured elsewhere")
    line = ("--model", model.folder, "--data", crops, "--out", tmp_path / "report", "--workers", workers)
    benchmark.pedantic(facegan, args=("evaluate", *line))
    protocols = json.loads((tmp_path / "report" / "metrics.json").read_text())["protocols"]
    pairs = sum(protocol["pairs"] for protocol in protocols.values())
    benchmark.extra_info |= {"pairs": pairs, "workers": workers}
