"""Run jobs in several processes, local or of a Ray cluster, with a progress bar."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import cv2
import joblib
from joblib.externals.loky import get_reusable_executor
from rich.console import Console
from rich.progress import Progress, TaskID

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    Job = TypeVar("Job")
    Result = TypeVar("Result")

Engine = Literal["local", "ray"]
"""Where the processes are: on this machine, or in the Ray cluster that ``RAY_ADDRESS`` names."""
POLL_INTERVAL = 0.2
"""Seconds between a worker's checks whether its parent is still alive."""
HOST_AND_PORT = re.compile(r"(?P<host>[^:/]+):(?P<port>\d+)")


def run_jobs(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    workers: int | None,
    title: str,
    progress: bool,
    engine: Engine = "local",
) -> list[Result]:
    """Call a function for every job in worker processes, which end with the last job.

    Args:
        function: picklable, as are its arguments and results.
        jobs: its arguments.
        workers: number of processes, each of one thread; None for all that the engine has. One local
            worker is this process itself.
        title: text of the progress bar.
        progress: show the progress bar.
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
    """A pool of processes that runs several lists of jobs; a context manager.

    The first list starts the processes. An interrupt, an error and the parent's death end them at once; the
    workers of a cluster may finish their current job.

    Args:
        count: number of processes, as for :func:`run_jobs`.
        engine: where the processes are.
        progress: show a progress bar for each list.
    """

    def __init__(self, count: int | None, engine: Engine = "local", *, progress: bool) -> None:
        self._count = worker_count(count) if engine == "local" else count or -1
        self._engine = engine
        self._progress = progress
        self._context = ExitStack()

    def run(self, function: Callable[[Job], Result], jobs: Sequence[Job], title: str) -> list[Result]:
        """Run a list of jobs; arguments and result as of :func:`run_jobs`."""
        # A single job is not worth a process, and idle workers stay for the next list.
        count = 1 if self._engine == "local" and len(jobs) <= 1 else self._count
        if self._engine == "local" and count > 1:
            function = partial(_local_job, function, os.getpid())
        with Progress(console=Console(stderr=True), disable=not self._progress) as bar:
            parallel = _Parallel(bar, bar.add_task(title, total=len(jobs)), n_jobs=count)
            return list(parallel(joblib.delayed(function)(job) for job in jobs))

    def __enter__(self) -> Self:
        with ExitStack() as context:
            context.enter_context(_one_interrupt())
            context.enter_context(_ray() if self._engine == "ray" else _loky())
            if self._engine == "local" and self._count > 1:
                context.push(_end_workers)
            self._context = context.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.__exit__(kind, error, trace)


def _end_workers(kind: type[BaseException] | None, *_: object) -> None:
    # Killed workers leave semaphores behind, for which Python prints a warning.
    get_reusable_executor(reuse=True).shutdown(kill_workers=kind is not None)


def worker_count(workers: int | None) -> int:
    """Resolve a number of local workers: by default one per core.

    Raises:
        InputError: if the number is below 1.
    """
    if workers is not None and workers < 1:
        msg = f"workers is {workers}: it must be 1 or more"
        raise InputError(msg)
    return workers or os.cpu_count() or 1


class _Parallel(joblib.Parallel):  # type: ignore[misc]
    """Parallel calls with a progress bar; job by job, because their durations differ."""

    def __init__(self, bar: Progress, task: TaskID, n_jobs: int) -> None:
        super().__init__(n_jobs=n_jobs, batch_size=1)
        self._show = partial(bar.update, task)

    def print_progress(self) -> None:
        self._show(completed=self.n_completed_tasks)


@contextmanager
def _loky() -> Iterator[None]:
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        yield


@contextmanager
def _ray() -> Iterator[None]:
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        msg = "--engine ray needs a package: pip install 'facegan[ray]'"
        raise InputError(msg) from error
    address = os.environ.get("RAY_ADDRESS")
    try:
        if address and (place := HOST_AND_PORT.fullmatch(address)):
            # Ray ends the process if no cluster answers.
            socket.create_connection((place["host"], int(place["port"])), timeout=5).close()
        ray.init(log_to_driver=False, logging_level=logging.WARNING)
    except (OSError, RuntimeError) as error:
        msg = f"no Ray cluster at {address}: start one, or unset RAY_ADDRESS"
        raise InputError(msg) from error
    # Otherwise it warns that joblib starts processes in its own way.
    logging.getLogger("ray.util.multiprocessing.pool").setLevel(logging.ERROR)
    register_ray()  # type: ignore[no-untyped-call]
    try:
        # One core each: otherwise Ray places all workers on one machine.
        with joblib.parallel_config("ray", ray_remote_args={"num_cpus": 1}):
            yield
    finally:
        ray.shutdown()


@contextmanager
def _one_interrupt() -> Iterator[None]:
    """Ignore further interrupts: a second Ctrl-C would stop joblib while it ends the workers."""
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
    # Where joblib cannot start processes, it runs the jobs in this one.
    if os.getpid() != parent:
        _start_worker(parent)
    return function(job)


@cache
def _start_worker(parent: int) -> None:
    cv2.setNumThreads(1)
    # An interrupt ends the workers at once; only the parent cleans up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_exit_with, args=(parent,), daemon=True).start()
    # MediaPipe's native code logs every model that it loads, which would break the progress bar.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _exit_with(parent: int) -> None:
    """End with the parent: an orphan would write into the folder of the next run."""
    while os.getppid() == parent:
        time.sleep(POLL_INTERVAL)
    os._exit(1)
