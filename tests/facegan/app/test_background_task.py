import threading
from contextlib import closing

import numpy as np
import pytest

from facegan.app.background_task import BackgroundTask, TaskCancelled
from facegan.errors import InputError

FRAME = np.zeros((2, 2, 3), np.uint8)


@pytest.fixture
def ended():
    return threading.Event()


@pytest.fixture
def endless(ended):
    """A task that works until it is cancelled."""

    def work(on_frame):
        try:
            while True:
                on_frame(FRAME, 0.5)
        finally:
            ended.set()

    return BackgroundTask(work)


def test_background_task_frames_end_with_the_last():
    def work(on_frame):
        for fraction in (0.25, 0.5, 1.0):
            on_frame(FRAME, fraction)
        return "done"

    task = BackgroundTask(work)
    fractions = [fraction for _, fraction in task.frames(0.01)]
    assert fractions[-1] == 1.0
    assert fractions == sorted(fractions)
    assert task.result == "done"


def test_background_task_work_fails_raises_its_error():
    def work(on_frame):
        on_frame(FRAME, 0.5)
        raise InputError("no face")

    with pytest.raises(InputError, match="no face"):
        list(BackgroundTask(work).frames(0.01))


def test_background_task_iterator_closed_cancels_work(endless, ended):
    with closing(endless.frames(0.01)) as frames:
        next(frames)
    assert ended.is_set()


def test_background_task_cancelled_raises(endless, ended):
    frames = endless.frames(0.01)
    next(frames)
    endless.cancel()
    with pytest.raises(TaskCancelled):
        list(frames)
    assert ended.is_set()
