"""Long jobs over several processes, with a progress bar."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

import cv2
import joblib
from joblib.externals.loky import get_reusable_executor
from rich.console import Console
from rich.progress import Progress, TaskID

from facegan.errors import InputError
from facegan.parallel import clusters as engines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from facegan.parallel.clusters import Engine

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
    """Calls a function for every job, by workers that end with the last.

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
    with Workers(workers, engine, progress=progress) as started:
        return started.run(function, jobs, title)


class Workers:
    """Processes that do one list of jobs after another; a context. The first list starts them.

    An interrupt or an error ends them at once, and so does the parent's death, however sudden; a cluster's
    workers may finish the job that they are at.

    Args:
        count: number of processes, as for :func:`run_jobs`.
        engine: where they are.
        progress: show a bar for each list.
    """

    def __init__(self, count: int | None, engine: Engine = "local", *, progress: bool) -> None:
        self._count = worker_count(count) if engine == "local" else count or -1
        self._engine = engine
        self._progress = progress
        self._context = ExitStack()

    def run(self, function: Callable[[Job], Result], jobs: Sequence[Job], title: str) -> list[Result]:
        """The results in the order of the jobs; arguments as for :func:`run_jobs`."""
        # One job alone is not worth a process, nor are others to end for it.
        count = 1 if self._engine == "local" and len(jobs) <= 1 else self._count
        if self._engine == "local" and count > 1:
            function = partial(_local_job, function, os.getpid())
        with Progress(console=Console(stderr=True), disable=not self._progress) as bar:
            parallel = _Parallel(bar, bar.add_task(title, total=len(jobs)), n_jobs=count)
            return list(parallel(joblib.delayed(function)(job) for job in jobs))

    def __enter__(self) -> Self:
        with ExitStack() as context:
            context.enter_context(_one_interrupt())
            context.enter_context(engines.start(self._engine))
            if self._engine == "local" and self._count > 1:
                context.push(_end_workers)
            self._context = context.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.__exit__(kind, error, trace)


def _end_workers(kind: type[BaseException] | None, *_: object) -> None:
    # Killed ones would leave semaphores behind, of which a warning tells.
    get_reusable_executor(reuse=True).shutdown(kill_workers=kind is not None)


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
