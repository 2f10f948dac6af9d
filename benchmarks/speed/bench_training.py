"""Training steps of the paper's size, against pix2pixHD's way, and where their time goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from operations import ceiling, count_operations, shares
from reference import ReferenceStep
from stages import CASES, build, pair
from stepping import Stepping

from facegan.stages.settings import Optimisation

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

WARM_UP, ROUNDS = 2, 7
FAST = Optimisation(channels_last=True)
COMPARED = 3
"""Steps whose losses both ways are compared."""


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_matrix_product(benchmark: BenchmarkFixture, precision: str) -> None:
    """The most that this machine computes."""
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
    benchmark.extra_info |= {"precision": precision, "operations": 2 * ceiling.SIZE**3}
    benchmark.pedantic(ceiling(dtype), warmup_rounds=3, rounds=20)


@pytest.mark.parametrize("case", CASES)
def test_reference(benchmark: BenchmarkFixture, case: str, peak: Callable[[], Any]) -> None:
    """32 bit, two backward passes."""
    size = CASES[case]
    with peak() as memory:
        step = ReferenceStep(build(case, Optimisation()))
        losses = [step(pair(size, seed)) for seed in range(COMPARED)]
        benchmark.pedantic(step, args=(pair(size, 0),), rounds=ROUNDS)
    benchmark.extra_info |= {
        "case": case,
        "size": size,
        "precision": "f32",
        "losses": losses,
        "memory": memory["peak"],
        "operations": count_operations(lambda: step(pair(size, 0))),
        "shares": shares(lambda: step(pair(size, 0))),
    }


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("case", CASES)
def test_facegan(benchmark: BenchmarkFixture, case: str, precision: str, peak: Callable[[], Any]) -> None:
    """What ``facegan fit`` does."""
    size = CASES[case]
    trainer = {"f32": "32-true", "bf16": "bf16-mixed"}[precision]
    with (
        peak() as memory,
        Stepping(build(case, FAST), size, COMPARED + ROUNDS + 1, trainer) as step,
    ):
        losses = [step() for _ in range(COMPARED)]
        benchmark.pedantic(step, rounds=ROUNDS)
        found = shares(step)
    benchmark.extra_info |= {
        "case": case,
        "size": size,
        "precision": precision,
        "losses": losses,
        "memory": memory["peak"],
        "shares": found,
    }
