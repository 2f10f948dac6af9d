"""From pictures to a value of each pair and measure, over several processes, going on where it stopped."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from facegan.evaluation.face_measurements import MetricBackends, Seen, join, observe
from facegan.evaluation.image_distances import Compared, compare, flicker
from facegan.evaluation.protocols import RUN
from facegan.io.atomic import atomic_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.evaluation.image_sets import Pictures
    from facegan.parallel.workers import Workers

    Floats = NDArray[np.float64]

CHUNK = 8
"""Pictures of a job: what a killed run loses at most, a process; few, so that all processes have some."""


@dataclass(frozen=True)
class Scorer:
    """Looks at pictures and compares them.

    Args:
        folder: what is found is kept there, so that another run over the same pictures finds it again.
        eyes: who looks.
        workers: who does the jobs.
    """

    folder: Path
    eyes: MetricBackends
    workers: Workers

    def see(self, pictures: Pictures, name: str) -> Seen:
        """What pictures show.

        Args:
            pictures: to look at.
            name: under which it is kept; of the same pictures in every run.
        """
        jobs = [(pictures, chosen, self.eyes) for chosen in _chunks(len(pictures.names))]
        return join(self._run(_see, jobs, name, "seen"))

    def compare(self, pictures: Pictures, truth: Pictures, name: str) -> Compared:
        """How alike pictures are, pixel by pixel; arguments as above."""
        jobs = [(pictures, truth, chosen) for chosen in _chunks(len(pictures.names))]
        parts = self._run(_compare, jobs, name, "compared")
        return Compared(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def flicker(self, pictures: Pictures, truth: Pictures, name: str) -> Floats:
        """How differently from the truth each picture of a run changes to the next; none for the last."""
        runs = range(0, len(pictures.names), RUN)
        jobs = [(pictures, truth, range(start, start + RUN)) for start in runs]
        changes = self._run(_flicker, jobs, name, "flicker")
        return np.concatenate([np.append(change, np.nan) for (change,) in changes])

    def _run(self, function: Callable[..., Any], jobs: list[Any], name: str, what: str) -> list[Any]:
        folder = self.folder / what / name
        folder.mkdir(parents=True, exist_ok=True)
        keep = partial(_keep, function, folder)
        return self.workers.run(keep, list(enumerate(jobs)), f"{name}: {what}")


def _chunks(count: int) -> list[range]:
    return [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]


def _keep(function: Callable[..., Any], folder: Path, numbered: tuple[int, Any]) -> Any:
    """A job's result, from its file if there is one."""
    number, job = numbered
    path = folder / f"{number:05d}.npz"
    if path.exists():
        with np.load(path) as kept:
            return tuple(kept[key] for key in sorted(kept.files))
    with _one_thread():
        result = function(job)
    with atomic_file(path) as temporary:
        np.savez(temporary, *result)
    return tuple(result)


@contextmanager
def _one_thread() -> Iterator[None]:
    """So that the last bits do not depend on the number of processes, nor these fight over the cores."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def _see(job: Any) -> tuple[Any, ...]:
    return tuple(observe(job))


def _compare(job: Any) -> tuple[Any, ...]:
    return tuple(compare(job))


def _flicker(job: Any) -> tuple[Any, ...]:
    return (flicker(job),)
