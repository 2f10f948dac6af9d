import threading
from contextlib import closing

import numpy as np
import pytest

from facegan.app.background_task import BackgroundTask, Stopped
from facegan.errors import InputError

FRAME = np.zeros((2, 2, 3), np.uint8)
LONG = InputError("too long")


def test_the_last_frame_is_always_seen():
    def work(show):
        for share in (0.25, 0.5, 1.0):
            show(FRAME, share)
        return "done"

    job = BackgroundTask(work, 10, LONG)
    shares = [share for _, share in job.frames(0)]
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    assert job.result == "done"


def test_what_the_work_raises_is_raised():
    def work(show):
        show(FRAME, 0.5)
        raise InputError("no face")

    with pytest.raises(InputError, match="no face"):
        list(BackgroundTask(work, 10, LONG).frames(0))


def endless(began, ended):
    def work(show):
        try:
            while True:
                show(FRAME, 0.5)
                began.set()
        finally:
            ended.set()

    return work


def test_leaving_stops_the_work():
    began, ended = threading.Event(), threading.Event()
    with closing(BackgroundTask(endless(began, ended), 10**9, LONG).frames(0)) as frames:
        next(frames)
    assert ended.is_set()


def test_stop():
    began, ended = threading.Event(), threading.Event()
    job = BackgroundTask(endless(began, ended), 10**9, LONG)

    def look():
        for _ in job.frames(0):
            job.stop()

    with pytest.raises(Stopped):
        look()
    assert ended.is_set()


def test_too_many_frames_end_it():
    with pytest.raises(InputError, match="too long"):
        list(BackgroundTask(endless(threading.Event(), threading.Event()), 20, LONG).frames(0))
