"""Training steps in the sizes of the paper against a plain pix2pixHD step: time, memory and profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from benchmarks.speed.stages import CASES
from benchmarks.speed.steps import open_stepper

from facegan.stages.precision import computes_bf16

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 7
COMPARED_STEPS = 3
"""Steps whose losses are compared with the reference; also the warm-up."""
MATRIX_SIZE = 4096
LARGER_BATCH = 4
PRECISIONS = ("f32", "bf16") if computes_bf16(torch.device("cpu")) else ("f32",)
"""Emulated bf16 would take hours."""


@pytest.mark.parametrize("precision", PRECISIONS)
def test_matrix_product(benchmark: BenchmarkFixture, precision: str) -> None:
    """Upper bound of the machine's arithmetic rate."""
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
    left, right = (torch.randn(MATRIX_SIZE, MATRIX_SIZE).to(dtype) for _ in range(2))
    benchmark.extra_info |= {"precision": precision, "operations": 2 * MATRIX_SIZE**3}
    benchmark.pedantic(torch.mm, args=(left, right), warmup_rounds=2, rounds=10)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("implementation", "precision"),
    [("reference", "f32"), *(("facegan", precision) for precision in PRECISIONS)],
)
def test_step(benchmark: BenchmarkFixture, implementation: str, precision: str, case: str) -> None:
    """Time, memory, losses and profile of a step."""
    with open_stepper(implementation, case, precision) as run_step:
        losses = [run_step("losses") for _ in range(COMPARED_STEPS)]
        benchmark.pedantic(run_step, args=("losses",), rounds=ROUNDS)
        benchmark.extra_info |= {
            **{"implementation": implementation, "case": case, "size": CASES[case], "precision": precision},
            **{"losses": losses, "memory": run_step("memory"), "profile": run_step("profile")},
        }
        if implementation == "reference":
            benchmark.extra_info["operations"] = run_step("operations")


@pytest.mark.parametrize("recomputed", [False, True])
@pytest.mark.parametrize("case", ["stage 2, with enhancer", "joint"])
def test_checkpoint_activations(benchmark: BenchmarkFixture, case: str, recomputed: bool) -> None:
    """Time and memory of a step with activations that are kept or recomputed."""
    options = {"precision": PRECISIONS[-1], "batch": LARGER_BATCH, "checkpoint_activations": recomputed}
    with open_stepper("facegan", case, **options) as run_step:
        run_step("losses")
        benchmark.pedantic(run_step, args=("losses",), rounds=3)
        benchmark.extra_info |= {
            **{"case": case, "size": CASES[case], "batch": LARGER_BATCH, "recomputed": recomputed},
            "memory": run_step("memory"),
        }
