"""Several cores for one film: what comes next is made while what came before is still worked on."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")

PATIENCE = 0.1
"""Seconds between looks whether anybody still waits."""


def prefetch(items: Generator[T], most: int = 2) -> Generator[T]:
    """The same items in the same order, made by a thread of their own.

    What the items raise is raised here, after the items before it. When this generator is closed, so is
    the given one, by its own thread, after the item that it is at.

    Args:
        items: made from now on by the other thread alone.
        most: items that wait at most, so that memory does not grow.
    """
    waiting: Queue[tuple[T] | BaseException | None] = Queue(most)
    unwanted = Event()

    def hand_on(item: tuple[T] | BaseException | None) -> None:
        while not unwanted.is_set():
            with suppress(Full):
                waiting.put(item, timeout=PATIENCE)
                return

    def work() -> None:
        try:
            for item in items:
                hand_on((item,))
                if unwanted.is_set():
                    break
            items.close()
        except BaseException as error:
            hand_on(error)
        else:
            hand_on(None)

    worker = Thread(target=work, name="ahead")
    worker.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        unwanted.set()
        worker.join()
        with suppress(Empty):
            while True:
                waiting.get_nowait()
