"""Training steps, taken one at a time in a process of their own: its memory is theirs alone."""

from __future__ import annotations

import multiprocessing
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import torch
from operations import count_operations, shares
from reference import ReferenceStep
from stages import CASES, Noise, build, pair
from torch.profiler import ProfilerActivity, profile

from facegan.stages.config import OptimizerConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

LOSSES = ("generator", "discriminator")
PRECISIONS = {"f32": "32-true", "bf16": "bf16-mixed"}
MANY = 1000
"""More steps than are taken."""


@contextmanager
def steps(
    way: str, case: str, threads: int, precision: str = "f32", batch: int = 1, **optimizer: Any
) -> Iterator[Callable[[str], Any]]:
    """Starts the process.

    Args:
        way: ``reference``, or ``facegan`` for what ``facegan fit`` does.
        case: one of CASES.
        threads: for computing.
        precision: of FACEGAN's step; the reference's is f32.
        batch: pairs a step.
        optimizer: settings of FACEGAN's step.

    Yields:
        a function that has the process do one step and tells what is asked for: ``losses`` before it,
        ``shares`` of its time, its number of ``operations`` (of the reference), or the process' ``memory`` so
        far in megabytes.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    given = (theirs, case, threads, precision, batch, optimizer)
    process = context.Process(target={"reference": _reference, "facegan": _facegan}[way], args=given)
    process.start()
    theirs.close()

    def ask(what: str) -> Any:
        ours.send(what)
        return ours.recv()

    try:
        yield ask
    finally:
        ours.close()
        process.join()


def _reference(
    asked: Connection, case: str, threads: int, precision: str, batch: int, optimizer: dict[str, Any]
) -> None:
    torch.set_num_threads(threads)
    step = ReferenceStep(build(case, OptimizerConfig()))
    answers: dict[str, Callable[..., Any]] = {
        "losses": step,
        "shares": lambda given: shares(_profiled(step, given)),
        "operations": lambda given: count_operations(lambda: step(given)),
        "memory": lambda given: step(given) and _memory(),
    }
    for seed in range(MANY):
        try:
            what = asked.recv()
        except EOFError:
            return
        asked.send(answers[what](pair(CASES[case], seed, batch)))


def _facegan(
    asked: Connection, case: str, threads: int, precision: str, batch: int, optimizer: dict[str, Any]
) -> None:
    torch.set_num_threads(threads)
    warnings.simplefilter("ignore")
    trainer = pl.Trainer(
        accelerator="cpu",
        precision=PRECISIONS[precision],  # type: ignore[arg-type]
        max_epochs=1,
        logger=False,
        callbacks=[_Asked(asked)],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
    )
    trainer.fit(build(case, OptimizerConfig(**optimizer)), Noise(CASES[case], batch, MANY))


class _Asked(pl.Callback):
    """Waits before every batch until it is asked for, and answers after it."""

    def __init__(self, asked: Connection) -> None:
        self._asked = asked
        self._what = ""
        self._profile: profile | None = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        try:
            self._what = self._asked.recv()
        except EOFError:
            raise SystemExit from None
        if self._what == "shares":
            self._profile = profile(activities=[ProfilerActivity.CPU]).__enter__()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        answer: Any = {name: trainer.callback_metrics[f"train/{name}"].item() for name in LOSSES}
        if self._profile is not None:
            self._profile.__exit__(None, None, None)
            answer, self._profile = shares(self._profile), None
        if self._what == "memory":
            answer = _memory()
        self._asked.send(answer)


def _profiled(step: ReferenceStep, given: Any) -> profile:
    with profile(activities=[ProfilerActivity.CPU]) as found:
        step(given)
    return found


def _memory() -> int:
    """Most megabytes that this process held (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
