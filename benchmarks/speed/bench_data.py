"""Throughput of preparation, reading and evaluation by number of workers, videos and faces."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
import pytorch_lightning as pl
from benchmarks.speed.commands import run_facegan

from facegan.data import FaceCrops
from facegan.preparation.synthesize import synthesize
from facegan.stages import LandmarkTransformStage, ReenactData
from synthetic_heads import render, sample_identity, sample_motion

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.speed.models import Model
    from pytest_benchmark.fixture import BenchmarkFixture

FRAMES, FPS, SIZE = 10, 25, 256
HEAD_WIDTH = 152
"""Width of a head beside others; the detector finds faces of about a tenth of a frame."""
BATCH_SIZE = 8
NUM_IDENTITIES = 10
"""Identities of the prepared and read videos; more videos than that are links to these."""
READ_SECONDS = 2.0
"""Duration of each video from which pairs are read."""
EVALUATED_IDENTITIES, EVALUATED_SECONDS = 40, 0.8


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return videos of a few frames of different synthetic identities."""
    return _synthesize(tmp_path_factory.mktemp("videos") / "synthetic", FRAMES / FPS)


def _synthesize(folder: Path, seconds: float, identities: int = NUM_IDENTITIES) -> list[Path]:
    synthesize(folder, identities=identities, clips=1, seconds=seconds, size=SIZE, seed=3, progress=False)
    return sorted(folder.rglob("*.mp4"))


def _benchmark_prepare(
    benchmark: BenchmarkFixture, videos: Path, out: Path, workers: int, rounds: int
) -> None:
    words = ("prepare", "videos", videos, "--out", out, "--workers", workers, "--overwrite")
    benchmark.pedantic(run_facegan, args=words, rounds=rounds)
    crops = sum(len(FaceCrops(out, split)) for split in ("train", "val", "test"))
    benchmark.extra_info |= {"crops": crops, "workers": workers, "size": SIZE}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("count", [10, 100, 1000])
def test_prepare_videos(
    benchmark: BenchmarkFixture, videos: list[Path], tmp_path: Path, count: int, workers: int
) -> None:
    """Throughput by number of videos and workers."""
    if count == 1000 and workers == 1:
        pytest.skip("takes twice the time of two workers")
    for number in range(count):
        folder = tmp_path / "videos" / f"{number:04}"
        folder.mkdir(parents=True)
        os.link(videos[number % NUM_IDENTITIES], folder / "0.mp4")
    benchmark.extra_info |= {"videos": count, "frames": FRAMES}
    rounds = 3 if count == 10 else 1
    _benchmark_prepare(benchmark, tmp_path / "videos", tmp_path / "prepared", workers, rounds)


@pytest.mark.parametrize("faces", [1, 3, 10])
def test_prepare_faces(benchmark: BenchmarkFixture, tmp_path: Path, faces: int) -> None:
    """Throughput by number of faces per frame, five in a row, in a video of 760×512 pixels."""
    identities = [sample_identity(seed) for seed in range(faces)]
    motions = [sample_motion(seed, FRAMES, FPS).motion for seed in range(faces)]
    (tmp_path / "videos").mkdir()
    with av.open(tmp_path / "videos" / "0.mp4", "w") as file:
        stream = file.add_stream("libx264", rate=Fraction(FPS), options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 5 * HEAD_WIDTH, 2 * SIZE, "yuv420p"
        for number in range(FRAMES):
            image = np.full((2 * SIZE, 5 * HEAD_WIDTH, 3), 90, np.uint8)
            for place, (identity, motion) in enumerate(zip(identities, motions, strict=True)):
                y, x = SIZE * (place // 5), HEAD_WIDTH * (place % 5)
                head = render(identity, motion[number], SIZE).image
                left = (SIZE - HEAD_WIDTH) // 2
                image[y : y + SIZE, x : x + HEAD_WIDTH] = head[:, left : left + HEAD_WIDTH]
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode())
    benchmark.extra_info["faces"] = faces
    _benchmark_prepare(benchmark, tmp_path / "videos", tmp_path / "prepared", 1, rounds=3)
    assert benchmark.extra_info["crops"] == faces * FRAMES


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_read_pairs(benchmark: BenchmarkFixture, tmp_path: Path, workers: int) -> None:
    """Augmented training pairs of stage 2."""
    _synthesize(tmp_path / "videos", READ_SECONDS)
    run_facegan("prepare", "synthetic", tmp_path / "videos", "--out", tmp_path / "prepared")
    data = ReenactData(str(tmp_path / "prepared"), batch_size=BATCH_SIZE, workers=workers)
    data.setup("fit")
    data.trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    data.trainer.strategy.connect(LandmarkTransformStage())
    loader = data.train_dataloader()

    def read() -> None:
        for batch in loader:
            data.on_after_batch_transfer(batch, 0)

    benchmark.extra_info |= {"pairs": BATCH_SIZE * len(loader), "workers": workers, "size": data.size}
    benchmark.pedantic(read, warmup_rounds=1, rounds=5)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set of synthetic identities, a tenth of them for testing."""
    folder = tmp_path_factory.mktemp("evaluation")
    _synthesize(folder / "videos", EVALUATED_SECONDS, EVALUATED_IDENTITIES)
    run_facegan("prepare", "synthetic", folder / "videos", "--out", folder / "prepared")
    return folder / "prepared"


@pytest.mark.parametrize("workers", [1, 2])
def test_evaluate(
    benchmark: BenchmarkFixture, prepared: Path, model: Model, tmp_path: Path, workers: int
) -> None:
    """``facegan evaluate``; the pairs of all protocols are counted."""
    if model.name == "full":
        pytest.skip("the speed of the networks is measured elsewhere")
    words = ("--model", model.folder, "--data", prepared, "--out", tmp_path / "report", "--workers", workers)
    benchmark.pedantic(run_facegan, args=("evaluate", *words))
    protocols = json.loads((tmp_path / "report" / "metrics.json").read_text())["protocols"]
    pairs = sum(protocol["pairs"] for protocol in protocols.values())
    benchmark.extra_info |= {"pairs": pairs, "workers": workers}
