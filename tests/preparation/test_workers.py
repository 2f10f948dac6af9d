import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from facegan.errors import InputError
from facegan.preparation.workers import run_jobs, worker_count


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
