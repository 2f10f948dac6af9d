import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facegan.errors import InputError
from facegan.parallel.workers import Workers, run_jobs, worker_count


def square(number):
    return number**2


def fail(number):
    if number == 3:
        msg = "not a three"
        raise InputError(msg)
    return number


def signal_the_parent(number):
    os.kill(os.getppid(), number)
    signal.pause()


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_jobs(workers):
    assert run_jobs(square, range(9), workers=workers, title="", progress=False) == [n**2 for n in range(9)]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_ends_everything(workers):
    with pytest.raises(InputError, match="not a three"):
        run_jobs(fail, range(9), workers=workers, title="", progress=False)


def process(_):
    time.sleep(0.1)
    return os.getpid()


def alive(pid):
    return Path(f"/proc/{pid}").exists()


def test_workers_are_kept_from_one_list_to_the_next():
    with Workers(2, progress=False) as workers:
        first = set(workers.run(process, range(8), ""))
        # A single job is done here, and ends nobody.
        assert workers.run(process, [0], "") == [os.getpid()]
        assert set(workers.run(process, range(8), "")) == first
        assert len(first) == 2
        assert all(alive(pid) for pid in first)
    assert not any(alive(pid) for pid in first)


def test_workers_end_with_an_error_between_two_lists():
    def fails():
        with Workers(2, progress=False) as workers:
            seen.update(workers.run(process, range(8), ""))
            raise InputError

    seen = set()
    with pytest.raises(InputError):
        fails()
    assert seen
    assert not any(alive(pid) for pid in seen)


def keep_a_lock(_):
    """As tqdm does, whom libraries import."""
    locks.append(multiprocessing.RLock())


locks = []


def test_workers_leave_nothing_behind_of_which_python_would_warn():
    script = (
        "from test_workers import keep_a_lock, run_jobs\n"
        "if __name__ == '__main__':\n"
        "    run_jobs(keep_a_lock, range(4), workers=2, title='', progress=False)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_workers_do_not_outlive_their_parent(sent):
    script = (
        "from test_workers import run_jobs, signal_the_parent\n"
        "if __name__ == '__main__':\n"
        f"    run_jobs(signal_the_parent, [{int(sent)}] * 4, workers=2, title='', progress=False)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    # Whoever lives holds the pipe open, so that run() returns only when all have ended.
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, timeout=60)
    assert done.returncode == -sent


def test_number_of_workers():
    assert worker_count(3) == 3
    assert worker_count(None) == os.cpu_count()
    with pytest.raises(InputError, match="workers is 0"):
        worker_count(0)
