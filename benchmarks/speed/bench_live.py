"""Live mode of the web page: from a decoded camera frame to the marked result."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

import cv2

from facegan.app.session import SessionManager
from facegan.inference import Animator, MotionTransferConfig, RenderConfig
from synthetic_heads import render, sample_identity, sample_motion

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.speed.models import Model
    from pytest_benchmark.fixture import BenchmarkFixture

FRAMES = {"lite": 100, "full": 10}


def test_live(benchmark: BenchmarkFixture, model: Model, source: Path, tmp_path: Path) -> None:
    """The camera sends frames of 640×480 pixels."""
    identity = sample_identity(61)
    heads = [render(identity, motion, 480).image for motion in sample_motion(61, 24, 12).motion]
    camera = [cv2.copyMakeBorder(head, 0, 0, 80, 80, cv2.BORDER_REPLICATE) for head in heads]
    session = SessionManager(Animator.from_pretrained(model.folder), tmp_path).get("benchmark")
    transfer, config = MotionTransferConfig(relative=True, smooth=True), RenderConfig()
    count = FRAMES[model.name]

    def animate() -> int:
        results = [session.animate_frame(source, i, transfer, config) for i in islice(cycle(camera), count)]
        return sum(result.detected for result in results)

    detected = benchmark.pedantic(animate, warmup_rounds=1, rounds=3)
    session.close()
    assert detected == count
    benchmark.extra_info |= {"model": model.name, "engine": "torch", "frames": count, "size": 256}
