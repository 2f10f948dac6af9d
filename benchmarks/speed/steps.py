"""Training steps on request in a process of their own, whose peak memory is theirs alone."""

from __future__ import annotations

import multiprocessing
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import torch
from benchmarks.speed.reference_step import ReferenceStep
from benchmarks.speed.stages import CASES, RandomPairs, make_stage
from benchmarks.speed.step_profile import count_operations, sum_kinds
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader

from facegan.stages.config import OptimizerConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from facegan.data import FacePair

LOSSES = ("generator", "discriminator")
PRECISIONS = {"f32": "32-true", "bf16": "bf16-mixed"}
MAX_STEPS = 1000


@contextmanager
def open_stepper(
    implementation: str, case: str, precision: str = "f32", batch: int = 1, **optimizer: Any
) -> Iterator[Callable[[str], Any]]:
    """Start a process that takes training steps on request.

    Args:
        implementation: ``reference``, or ``facegan`` for ``facegan fit``.
        case: one of CASES.
        precision: precision of FACEGAN's step; the reference's is f32.
        batch: pairs per step.
        optimizer: options of FACEGAN's optimizer.

    Yields:
        A function that takes one step and returns what is asked for: ``losses`` before it, the ``profile`` of
        its seconds, its number of ``operations`` (reference only), or the peak ``memory`` of the process in
        MB.
    """
    context = multiprocessing.get_context("spawn")
    requests, connection = context.Pipe()
    arguments = (connection, case, torch.get_num_threads(), precision, batch, optimizer)
    serve = {"reference": _serve_reference, "facegan": _serve_facegan}[implementation]
    process = context.Process(target=serve, args=arguments)
    process.start()
    connection.close()

    def run_step(request: str) -> Any:
        requests.send(request)
        return requests.recv()

    try:
        yield run_step
    finally:
        requests.close()
        process.join()


def _serve_reference(
    connection: Connection, case: str, threads: int, precision: str, batch: int, optimizer: dict[str, Any]
) -> None:
    torch.set_num_threads(threads)
    step = ReferenceStep(make_stage(case, OptimizerConfig()))
    pairs = RandomPairs(CASES[case], batch, MAX_STEPS)
    answers: dict[str, Callable[[FacePair], Any]] = {
        "losses": step,
        "profile": lambda pair: _profile(step, pair),
        "operations": lambda pair: count_operations(lambda: step(pair)),
        "memory": lambda pair: step(pair) and _peak_memory(),
    }
    for seed in range(MAX_STEPS):
        try:
            request = connection.recv()
        except EOFError:
            return
        connection.send(answers[request](pairs[seed]))


def _serve_facegan(
    connection: Connection, case: str, threads: int, precision: str, batch: int, optimizer: dict[str, Any]
) -> None:
    torch.set_num_threads(threads)
    warnings.simplefilter("ignore")
    trainer = pl.Trainer(
        accelerator="cpu",
        precision=PRECISIONS[precision],  # type: ignore[arg-type]
        max_epochs=1,
        logger=False,
        callbacks=[_StepServer(connection)],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    pairs = DataLoader(RandomPairs(CASES[case], batch, MAX_STEPS), batch_size=None)
    trainer.fit(make_stage(case, OptimizerConfig(**optimizer)), pairs)


class _StepServer(pl.Callback):
    """Waits before every batch for a request and answers it after the batch."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._request = ""
        self._profile: profile | None = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        try:
            self._request = self._connection.recv()
        except EOFError:
            raise SystemExit from None
        if self._request == "profile":
            self._profile = profile(activities=[ProfilerActivity.CPU]).__enter__()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        answer: Any = {name: trainer.callback_metrics[f"train/{name}"].item() for name in LOSSES}
        if self._profile is not None:
            self._profile.__exit__(None, None, None)
            answer, self._profile = sum_kinds(self._profile), None
        if self._request == "memory":
            answer = _peak_memory()
        self._connection.send(answer)


def _profile(step: ReferenceStep, pair: FacePair) -> dict[str, float]:
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        step(pair)
    return sum_kinds(profiled)


def _peak_memory() -> int:
    """Return the peak resident memory of this process in MB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
