from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from facegan.io.prefetch import prefetch

if TYPE_CHECKING:
    from collections.abc import Generator


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def counting(count: int, seen: list[int] | None = None) -> Generator[int]:
    try:
        for number in range(count):
            if seen is not None:
                seen.append(number)
            yield number
    finally:
        if seen is not None:
            seen.append(-1)


@given(some.integers(0, 50), some.integers(1, 5))
def test_prefetch_keeps_order(count: int, most: int) -> None:
    assert list(prefetch(prefetch(counting(count), most), most)) == list(range(count))
    assert not running()


def test_runs_in_another_thread_and_not_far_ahead() -> None:
    seen: list[int] = []
    with closing(prefetch(counting(100, seen), 3)) as items:
        assert next(items) == 0
        # One in hand, three that wait, one that finds no place.
        assert max(seen) <= 4
    assert seen[-1] == -1
    assert len(seen) < 10
    assert not running()


def test_prefetch_error_follows_earlier_items() -> None:
    def failing() -> Generator[int]:
        yield 1
        yield 2
        msg = "no more"
        raise ValueError(msg)

    got = []
    with pytest.raises(ValueError, match="no more"):  # noqa: PT012 - the items before it count
        for item in prefetch(failing()):
            got.append(item)  # noqa: PERF402 - a list would be lost with the error
    assert got == [1, 2]
    assert not running()


def test_prefetch_consumer_error_ends_thread() -> None:
    seen: list[int] = []
    with pytest.raises(ZeroDivisionError), closing(prefetch(counting(100, seen))) as items:
        assert [1 // number for number in items]
    assert seen[-1] == -1
    assert not running()


def test_closed_before_the_first_item_leaves_no_thread() -> None:
    prefetch(counting(3)).close()
    assert not running()
