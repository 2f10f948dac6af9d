"""Work in the background whose frames can be looked at while it goes on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import numpy as np
    from numpy.typing import NDArray

    OnFrame = Callable[[NDArray[np.uint8], float], None]

T = TypeVar("T")


class Stopped(Exception):
    """The user wants it no longer."""


class BackgroundTask(Generic[T]):
    """Runs in a thread of its own from the first look at its frames.

    Args:
        work: is handed a function to be called with each frame and the share that is done.
        max_frames: so many frames are let through; the next one ends the work.
        too_long: what ends it then.

    Attributes:
        result: what ``work`` gave back, after the last frame.
    """

    def __init__(self, work: Callable[[OnFrame], T], max_frames: int, too_long: Exception) -> None:
        self.result: T
        self._work = work
        self._left, self._too_long = max_frames, too_long
        self._changed = threading.Condition()
        self._latest: tuple[NDArray[np.uint8], float] | None = None
        self._error: BaseException | None = None
        self._stopped = self._done = False

    def frames(self, pause: float) -> Generator[tuple[NDArray[np.uint8], float]]:
        """The newest frame and the share done, again and again until the work ends.

        Closing the iterator stops the work.

        Args:
            pause: seconds between two frames at least; those in between are passed over.

        Raises:
            Exception: whatever the work raised.
        """
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._latest or self._done)
                    latest, self._latest = self._latest, None
                if latest is None:
                    break
                yield latest
                with self._changed:
                    self._changed.wait_for(lambda: self._done, timeout=pause)
        finally:
            self.stop()
            thread.join()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Ends the work at its next frame."""
        self._stopped = True

    def _run(self) -> None:
        try:
            self.result = self._work(self._show)
        except BaseException as error:  # it is raised where the frames are looked at
            self._error = error
        with self._changed:
            self._done = True
            self._changed.notify_all()

    def _show(self, image: NDArray[np.uint8], share: float) -> None:
        if self._stopped:
            raise Stopped
        self._left -= 1
        if self._left < 0:
            raise self._too_long
        with self._changed:
            self._latest = image, share
            self._changed.notify_all()
