"""A background thread whose newest frame can be displayed while it works."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import numpy as np
    from numpy.typing import NDArray

    OnFrame = Callable[[NDArray[np.uint8], float], None]

T = TypeVar("T")


class TaskCancelled(Exception):
    """Raised in the work of a task that is cancelled, and by the iterator over its frames."""


class BackgroundTask(Generic[T]):
    """Runs a function in a thread and yields the newest of the frames that the function reports.

    gradio streams what a generator yields. The work reports its frames to a callback instead, faster than
    a browser can display them; this class turns the callback into a generator that skips frames.

    Args:
        work: called with a function that takes each frame and the completed fraction.

    Attributes:
        result: what ``work`` returned; defined after the last frame.
    """

    def __init__(self, work: Callable[[OnFrame], T]) -> None:
        self.result: T
        self._work = work
        self._latest: tuple[NDArray[np.uint8], float] | None = None
        self._cancelled = threading.Event()

    def frames(self, interval: float) -> Generator[tuple[NDArray[np.uint8], float]]:
        """Start the work and yield its newest frame with the completed fraction, until it ends.

        The last frame is always yielded. Closing the iterator cancels the work.

        Args:
            interval: least seconds between two frames.

        Raises:
            TaskCancelled: after :meth:`cancel`.
            Exception: whatever the work raised.
        """
        with ThreadPoolExecutor(1) as executor:
            future = executor.submit(self._work, self._report)
            try:
                done = False
                while not done:
                    done = bool(wait([future], interval).done)
                    latest, self._latest = self._latest, None
                    if latest is not None:
                        yield latest
                self.result = future.result()
            finally:
                self.cancel()

    def cancel(self) -> None:
        """Stop the work at its next frame."""
        self._cancelled.set()

    def _report(self, image: NDArray[np.uint8], fraction: float) -> None:
        if self._cancelled.is_set():
            raise TaskCancelled
        self._latest = image, fraction
