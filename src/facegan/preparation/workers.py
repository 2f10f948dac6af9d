"""Long jobs over several processes, with a progress bar."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import cv2
from rich.console import Console
from rich.progress import track

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Job = TypeVar("Job")
    Result = TypeVar("Result")


def run_jobs(
    function: Callable[[Job], Result], jobs: Sequence[Job], *, workers: int, title: str, progress: bool
) -> list[Result]:
    """Calls a function for every job.

    An interrupt or an error ends the workers at once, and so does the parent's death, however sudden.

    Args:
        function: importable, as are its arguments and results, so that they can be sent to a process.
        jobs: its arguments.
        workers: number of processes, each of one thread; with one, all happens in this process.
        title: what the progress bar says.
        progress: show it.

    Returns:
        The results in the order of the jobs.
    """

    def collect(results: Iterable[Result]) -> list[Result]:
        return list(track(results, title, len(jobs), console=Console(stderr=True), disable=not progress))

    workers = min(workers, len(jobs))
    if workers == 1:
        return collect(map(function, jobs))
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_worker) as pool:
        # Not map(): at an error it cancels, and over what is cancelled the pool stumbles when workers end.
        futures = [pool.submit(function, job) for job in jobs]
        try:
            return collect(future.result() for future in futures)
        except BaseException:
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            raise


def worker_count(workers: int | None) -> int:
    """The number of workers that was asked for, by default one a core.

    Raises:
        InputError: if it is below 1.
    """
    if workers is not None and workers < 1:
        msg = f"workers is {workers}: it must be 1 or more"
        raise InputError(msg)
    return workers or os.cpu_count() or 1


def _start_worker() -> None:
    cv2.setNumThreads(1)
    # An interrupt ends the workers at once; the parent alone tidies up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # MediaPipe's native code writes about every model it loads, through the progress bar.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _end_with_parent() -> None:
    """A worker left alone would write into the folder that the next run works in."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
