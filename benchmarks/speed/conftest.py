"""Fixtures of all benchmarks: number of threads, description of the machine, models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.speed.models import OVERLAYS, Model, make_model
from PIL import Image

from synthetic_heads import render, sample_identity

THREADS = 2


@pytest.fixture(autouse=True)
def _threads() -> None:
    torch.set_num_threads(THREADS)


def pytest_benchmark_update_machine_info(config: Any, machine_info: dict[str, Any]) -> None:
    """Add what the times depend on."""
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    machine_info |= {
        "threads": THREADS,
        "torch": torch.__version__,
        "instructions": [name for name in wanted if name in flags],
    }


@pytest.fixture(scope="session", params=OVERLAYS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return the full and the lite model."""
    return make_model(request.param, tmp_path_factory.mktemp("models") / request.param)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an image of 512×512 of a synthetic identity."""
    path = tmp_path_factory.mktemp("source") / "source.png"
    Image.fromarray(render(sample_identity(3), np.zeros(20), 512).image).save(path)
    return path
