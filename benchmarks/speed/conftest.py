"""What all measurements have in common: threads, the machine's name, memory."""

from __future__ import annotations

import ctypes
import gc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from models import OVERLAYS, Model, make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture
def peak() -> Callable[[], Any]:
    """``with peak() as megabytes:`` fills ``megabytes["peak"]``: the most memory that this process had."""
    return _peak


@contextmanager
def _peak() -> Iterator[dict[str, int]]:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    # From proc(5): writing 5 sets the highest resident memory so far to the present one.
    Path("/proc/self/clear_refs").write_text("5")
    found: dict[str, int] = {}
    yield found
    status = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("VmHWM"))
    found["peak"] = int(line.split()[1]) // 1000
