import hashlib
import os
import subprocess
import sys

import pytest

from facegan.errors import InputError
from facegan.parallel.workers import run_jobs

FACEGAN = (sys.executable, "-c", "import sys; from facegan.cli import main; sys.exit(main())")


@pytest.fixture(scope="module")
def two_nodes():
    """A Ray cluster of two nodes, on this machine, with a processor each; its address."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster.address
    cluster.shutdown()


@pytest.fixture(scope="module")
def scheduler():
    """A Dask cluster of two workers; its address."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def prepare(source, out, engine, **environment):
    command = (*FACEGAN, "prepare", "videos", str(source), "--out", str(out), "--size", "64")
    return subprocess.run(
        (*command, "--min-face", "30", "--max-frames", "8", "--engine", engine),
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def as_on_one_machine(talking_heads, tmp_path_factory):
    out = tmp_path_factory.mktemp("local") / "data"
    assert prepare(talking_heads, out, "local").returncode == 0
    return hashes(out)


def test_a_ray_cluster_of_two_nodes_makes_the_same_data_set(
    talking_heads, two_nodes, as_on_one_machine, tmp_path
):
    done = prepare(talking_heads, tmp_path / "data", "ray", RAY_ADDRESS=two_nodes)
    assert done.returncode == 0, done.stderr
    assert hashes(tmp_path / "data") == as_on_one_machine
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_dask_cluster_makes_the_same_data_set(talking_heads, scheduler, as_on_one_machine, tmp_path):
    done = prepare(talking_heads, tmp_path / "data", "dask", DASK_SCHEDULER_ADDRESS=scheduler)
    assert done.returncode == 0, done.stderr
    assert hashes(tmp_path / "data") == as_on_one_machine


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


def test_both_nodes_work(two_nodes, tmp_path):
    script = tmp_path / "where.py"
    script.write_text(WHERE)
    done = subprocess.run(
        (sys.executable, script),
        env=os.environ | {"RAY_ADDRESS": two_nodes},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split()[-1] == "2", done.stderr


@pytest.mark.parametrize(("engine", "module"), [("ray", "ray"), ("dask", "distributed")])
def test_an_engine_that_is_not_installed_is_named(engine, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        InputError, match=rf"--engine {engine} needs a package: pip install 'facegan\[{engine}\]'"
    ):
        run_jobs(abs, [1], workers=None, title="", progress=False, engine=engine)


@pytest.mark.parametrize(
    ("engine", "address"),
    [("ray", {"RAY_ADDRESS": "127.0.0.1:1"}), ("dask", {"DASK_SCHEDULER_ADDRESS": "tcp://127.0.0.1:1"})],
)
def test_a_cluster_that_does_not_answer_is_one_line(engine, address, talking_heads, tmp_path):
    impatience = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"}
    done = prepare(talking_heads, tmp_path / "data", engine, **address, **impatience)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith(f"facegan: no {engine.title()} ")
    assert not list(tmp_path.iterdir())
