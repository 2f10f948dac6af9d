import os
import signal
import subprocess
import sys

import pytest

from facegan.errors import InputError
from facegan.io.resumable import resumable_output
from facegan.preparation.shard_writer import check_output


def test_resumable_output_appears_at_end(tmp_path):
    out = tmp_path / "new" / "data"
    with resumable_output(out, {}) as folder:
        (folder / "result" / "a").write_text("1")
        assert not out.exists()
    assert [path.name for path in out.parent.iterdir()] == ["data"]
    assert (out / "a").read_text() == "1"


def fail(folder, error):
    (folder / "work").touch()
    (folder / "result" / "half").touch()
    raise error


def test_resumable_output_error_leaves_nothing(tmp_path):
    out = tmp_path / "data"
    out.mkdir()
    (out / "old").touch()
    with pytest.raises(OSError, match="full"), resumable_output(out, {}) as folder:
        fail(folder, OSError("full"))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert (out / "old").exists()


@pytest.mark.parametrize(("job", "found"), [({"size": 1}, True), ({"size": 2}, False)])
def test_resumable_output_interrupted_job_is_resumed_by_itself_only(tmp_path, job, found):
    out = tmp_path / "data"
    with pytest.raises(KeyboardInterrupt), resumable_output(out, {"size": 1}) as folder:
        fail(folder, KeyboardInterrupt())
    assert not out.exists()
    with resumable_output(out, job) as folder:
        assert (folder / "work").exists() == found
        assert not list((folder / "result").iterdir())


KILLED = """
import os, pathlib, signal, sys
from facegan.io.resumable import resumable_output

with resumable_output(pathlib.Path(sys.argv[1]), {"size": 1}) as folder:
    (folder / "work").write_text("done")
    (folder / "result" / "half").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_resumable_output_killed_job_is_resumed(tmp_path):
    out = tmp_path / "data"
    done = subprocess.run([sys.executable, "-c", KILLED, str(out)], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    with resumable_output(out, {"size": 1}) as folder:
        assert (folder / "work").read_text() == "done"
        assert not list((folder / "result").iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_resumable_output_second_run_is_refused(tmp_path):
    with resumable_output(tmp_path / "data", {}) as folder:
        (folder / "work").touch()
        with (
            pytest.raises(InputError, match="another run is at work on"),
            resumable_output(tmp_path / "data", {}),
        ):
            pass
        assert (folder / "work").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_check_output_overwrites_only_data_sets(tmp_path):
    source, out = tmp_path / "videos", tmp_path / "data"
    check_output(out, source, overwrite=False)
    out.mkdir()
    check_output(out, source, overwrite=False)
    (out / "thesis.tex").touch()
    with pytest.raises(InputError, match="not empty"):
        check_output(out, source, overwrite=False)
    with pytest.raises(InputError, match=r"holds no dataset\.json"):
        check_output(out, source, overwrite=True)
    (out / "dataset.json").touch()
    check_output(out, source, overwrite=True)
    with pytest.raises(InputError, match="holds the input"):
        check_output(out, out / "videos", overwrite=True)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match="is a file"):
        check_output(file, source, overwrite=True)
