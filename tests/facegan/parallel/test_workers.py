import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facegan.errors import InputError
from facegan.parallel.workers import POLL_INTERVAL, Workers, run_jobs, worker_count


def square(number):
    return number**2


def fail(number):
    if number == 3:
        msg = "not a three"
        raise InputError(msg)
    return number


def signal_process(target):
    os.kill(*target)
    signal.pause()


@pytest.mark.parametrize("workers", [1, 2])
def test_run_jobs_results_are_in_the_order_of_the_jobs(workers):
    assert run_jobs(square, range(9), workers=workers, title="", progress=False) == [n**2 for n in range(9)]


@pytest.mark.parametrize("workers", [1, 2])
def test_run_jobs_raises_the_error_of_a_job(workers):
    with pytest.raises(InputError, match="not a three"):
        run_jobs(fail, range(9), workers=workers, title="", progress=False)


def process(_):
    time.sleep(0.1)
    return os.getpid()


def alive(pid):
    return Path(f"/proc/{pid}").exists()


def test_workers_are_reused_by_the_next_list():
    with Workers(2, progress=False) as workers:
        first = set(workers.run(process, range(8), ""))
        # A single job runs in this process.
        assert workers.run(process, [0], "") == [os.getpid()]
        assert set(workers.run(process, range(8), "")) == first
        assert len(first) == 2
        assert all(alive(pid) for pid in first)
    assert not any(alive(pid) for pid in first)


def test_workers_end_after_an_error_between_lists():
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
    """What importing tqdm does."""
    locks.append(multiprocessing.RLock())


locks = []


def square_in_daemon():
    assert run_jobs(square, range(4), workers=2, title="", progress=False) == [0, 1, 4, 9]
    # An orphan watch that took this process for a worker would end it within POLL_INTERVAL.
    time.sleep(5 * POLL_INTERVAL)


@pytest.mark.slow
def test_run_jobs_in_daemon_which_starts_no_processes_runs_them_itself():
    daemon = multiprocessing.get_context("spawn").Process(target=square_in_daemon, daemon=True)
    daemon.start()
    daemon.join()
    assert daemon.exitcode == 0


@pytest.mark.slow
def test_workers_leave_no_semaphores():
    script = (
        "from test_workers import keep_a_lock, run_jobs\n"
        "if __name__ == '__main__':\n"
        "    run_jobs(keep_a_lock, range(4), workers=2, title='', progress=False)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_workers_of_a_dead_parent_end(sent):
    script = (
        "import os\n"
        "from test_workers import run_jobs, signal_process\n"
        "if __name__ == '__main__':\n"
        f"    parent = (os.getpid(), {int(sent)})\n"
        "    run_jobs(signal_process, [parent] * 4, workers=2, title='', progress=False)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    # A living worker holds the pipe open, so that run() returns only when all have ended.
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, timeout=60)
    assert done.returncode == -sent


def test_worker_count_of_none_is_number_of_cores():
    assert worker_count(3) == 3
    assert worker_count(None) == os.cpu_count()
    with pytest.raises(InputError, match="workers is 0"):
        worker_count(0)


FACEGAN = (sys.executable, "-c", "import sys; from facegan.cli import main; sys.exit(main())")


CLUSTER = """
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
print(cluster.address, flush=True)
input()
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def two_nodes():
    """The address of a Ray cluster of two nodes with a core each, on this machine.

    It is started by a process of its own, because Ray's native code ends a process that loses its cluster.
    """
    cluster = subprocess.Popen(
        (sys.executable, "-c", CLUSTER),
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield cluster.stdout.readline().strip()
    cluster.communicate("\n", timeout=60)


def prepare_with_ray(source, out, address):
    command = (*FACEGAN, "prepare", "videos", str(source), "--out", str(out), "--size", "64")
    return subprocess.run(
        (*command, "--min-face", "30", "--engine", "ray"),
        env=os.environ | {"RAY_ADDRESS": address},
        capture_output=True,
        text=True,
        timeout=300,
    )


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.slow
def test_ray_prepares_the_same_data_set(talking_heads, two_nodes, prepared, tmp_path):
    done = prepare_with_ray(talking_heads, tmp_path / "data", two_nodes)
    assert done.returncode == 0, done.stderr
    assert hashes(tmp_path / "data") == hashes(prepared)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


WHERE = """
def where(job):
    import ray
    return job, ray.get_runtime_context().get_node_id()

if __name__ == "__main__":
    from facegan.parallel.workers import run_jobs
    jobs = run_jobs(where, range(8), workers=None, title="", progress=False, engine="ray")
    assert [job for job, _ in jobs] == list(range(8))
    print(len({node for _, node in jobs}))
"""


@pytest.mark.slow
def test_ray_uses_all_nodes(two_nodes, tmp_path):
    script = tmp_path / "where.py"
    script.write_text(WHERE)
    done = subprocess.run(
        (sys.executable, script),
        env=os.environ | {"RAY_ADDRESS": two_nodes},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.split()[-1] == "2", done.stderr


def test_ray_not_installed_is_an_input_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"--engine ray needs a package: pip install 'facegan\[ray\]'"):
        run_jobs(abs, [1], workers=None, title="", progress=False, engine="ray")


@pytest.mark.slow
def test_ray_without_an_answer_is_one_line(talking_heads, tmp_path):
    done = prepare_with_ray(talking_heads, tmp_path / "data", "127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("facegan: no Ray ")
    assert not list(tmp_path.iterdir())
