"""What all measurements have in common: threads, the machine's name, models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from models import OVERLAYS, Model, make

THREADS = 2


@pytest.fixture(autouse=True)
def _threads() -> None:
    torch.set_num_threads(THREADS)


def pytest_benchmark_update_machine_info(config: Any, machine_info: dict[str, Any]) -> None:
    """Adds what the times depend on."""
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    machine_info |= {
        "threads": THREADS,
        "torch": torch.__version__,
        "instructions": [name for name in wanted if name in flags],
    }


@pytest.fixture(scope="session", params=OVERLAYS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """One of both."""
    return make(request.param, tmp_path_factory.mktemp("models") / request.param)
