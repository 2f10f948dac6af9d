"""Prefetch the items of a generator in a thread, so that several cores work on one video."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")

POLL_INTERVAL = 0.1
"""Seconds between checks whether the consumer has stopped."""


def prefetch(items: Generator[T], max_waiting: int = 2) -> Generator[T]:
    """Run a generator in a thread of its own and yield its items in order.

    An error of the generator is raised after the items before it. Closing this generator closes the given
    one, in its thread, after its current item.

    Args:
        items: the generator; from now on only the thread may use it.
        max_waiting: largest number of items in the queue.
    """
    waiting: Queue[tuple[T] | BaseException | None] = Queue(max_waiting)
    stopped = Event()

    def put(item: tuple[T] | BaseException | None) -> None:
        while not stopped.is_set():
            with suppress(Full):
                waiting.put(item, timeout=POLL_INTERVAL)
                return

    def work() -> None:
        try:
            for item in items:
                put((item,))
                if stopped.is_set():
                    break
            items.close()
        except BaseException as error:
            put(error)
        else:
            put(None)

    worker = Thread(target=work, name="prefetch")
    worker.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        stopped.set()
        worker.join()
        with suppress(Empty):
            while True:
                waiting.get_nowait()
