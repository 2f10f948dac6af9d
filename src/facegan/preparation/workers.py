"""Long jobs over several processes, with a progress bar."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import joblib
from joblib.externals.loky import get_reusable_executor
from rich.console import Console
from rich.progress import Progress, TaskID

from facegan.errors import InputError
from facegan.preparation import engines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from facegan.preparation.engines import Engine

    Job = TypeVar("Job")
    Result = TypeVar("Result")

PATIENCE = 0.2
"""Seconds after which an orphan notices that it is one."""


def run_jobs(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    workers: int | None,
    title: str,
    progress: bool,
    engine: Engine = "local",
) -> list[Result]:
    """Calls a function for every job.

    An interrupt or an error ends the workers at once, and so does the parent's death, however sudden;
    a cluster's workers may finish the job that they are at.

    Args:
        function: importable, as are its arguments and results, so that they can be sent to a process.
        jobs: its arguments.
        workers: number of processes, each of one thread; None for all that the engine has. With one
            local worker all happens in this process.
        title: what the progress bar says.
        progress: show it.
        engine: where the processes are.

    Returns:
        The results in the order of the jobs.

    Raises:
        InputError: if the engine is not installed, or does not answer.
    """
    if engine == "local":
        workers = min(worker_count(workers), max(len(jobs), 1))
        if workers > 1:
            function = partial(_local_job, function, os.getpid())
    console = Console(stderr=True)
    with _one_interrupt(), engines.start(engine), Progress(console=console, disable=not progress) as bar:
        parallel = _Parallel(bar, bar.add_task(title, total=len(jobs)), n_jobs=workers or -1)
        try:
            results: list[Result] = list(parallel(joblib.delayed(function)(job) for job in jobs))
        finally:
            if engine == "local" and workers != 1:
                get_reusable_executor().shutdown(kill_workers=True)
    return results


def worker_count(workers: int | None) -> int:
    """The number of workers that was asked for, by default one a core.

    Raises:
        InputError: if it is below 1.
    """
    if workers is not None and workers < 1:
        msg = f"workers is {workers}: it must be 1 or more"
        raise InputError(msg)
    return workers or os.cpu_count() or 1


class _Parallel(joblib.Parallel):  # type: ignore[misc]
    """Shows its progress in a bar. Job by job: they last seconds, and not all the same."""

    def __init__(self, bar: Progress, task: TaskID, n_jobs: int) -> None:
        super().__init__(n_jobs=n_jobs, batch_size=1)
        self._show = partial(bar.update, task)

    def print_progress(self) -> None:
        self._show(completed=self.n_completed_tasks)


@contextmanager
def _one_interrupt() -> Iterator[None]:
    """An impatient second Ctrl-C would stop joblib in the middle of ending the workers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _local_job(function: Callable[[Any], Any], parent: int, job: Any) -> Any:
    _start_worker(parent)
    return function(job)


@cache
def _start_worker(parent: int) -> None:
    cv2.setNumThreads(1)
    # An interrupt ends the workers at once; the parent alone tidies up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    # MediaPipe's native code writes about every model it loads, through the progress bar.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _end_with(parent: int) -> None:
    """A worker left alone would write into the folder that the next run works in."""
    while os.getppid() == parent:
        time.sleep(PATIENCE)
    os._exit(1)
