"""Training steps of the paper's size against pix2pixHD's way, their memory, and where their time goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from conftest import THREADS
from stages import CASES
from steps import steps

from facegan.stages.precision import computes_bf16

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 7
COMPARED = 3
"""Steps whose losses both ways are compared; they warm up too."""
SIDE = 4096
LARGER_BATCH = 4
PRECISIONS = ("f32", "bf16") if computes_bf16(torch.device("cpu")) else ("f32",)
"""Emulated bf16 would take hours."""


@pytest.mark.parametrize("precision", PRECISIONS)
def test_matrix_product(benchmark: BenchmarkFixture, precision: str) -> None:
    """The most that this machine computes."""
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
    left, right = (torch.randn(SIDE, SIDE).to(dtype) for _ in range(2))
    benchmark.extra_info |= {"precision": precision, "operations": 2 * SIDE**3}
    benchmark.pedantic(torch.mm, args=(left, right), warmup_rounds=2, rounds=10)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("way", "precision"), [("reference", "f32"), *(("facegan", precision) for precision in PRECISIONS)]
)
def test_step(benchmark: BenchmarkFixture, way: str, precision: str, case: str) -> None:
    """One at a time; its losses are the reference's."""
    with steps(way, case, THREADS, precision) as ask:
        losses = [ask("losses") for _ in range(COMPARED)]
        benchmark.pedantic(ask, args=("losses",), rounds=ROUNDS)
        benchmark.extra_info |= {
            **{"way": way, "case": case, "size": CASES[case], "precision": precision, "losses": losses},
            **{"memory": ask("memory"), "shares": ask("shares")},
        }
        if way == "reference":
            benchmark.extra_info["operations"] = ask("operations")


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("case", ["stage 2, with enhancer", "joint"])
def test_activations_computed_twice(benchmark: BenchmarkFixture, case: str, twice: bool) -> None:
    """Their price, and the memory that they save, in a batch where there are more of them."""
    given = {"precision": PRECISIONS[-1], "batch": LARGER_BATCH, "checkpoint_activations": twice}
    with steps("facegan", case, THREADS, **given) as ask:
        ask("losses")
        benchmark.pedantic(ask, args=("losses",), rounds=3)
        benchmark.extra_info |= {
            **{"case": case, "size": CASES[case], "batch": LARGER_BATCH, "twice": twice},
            "memory": ask("memory"),
        }
