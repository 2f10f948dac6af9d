"""Checkpoints as files: whole or not there, and one of two can always be read."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.facegan.stages.training_commands import (
    MODEL,
    SERVER,
    exact,
    measured,
    progress,
    saved,
    started,
)

from facegan.cli import main
from facegan.data import FaceCrops
from facegan.errors import InputError
from facegan.stages import AtomicCheckpointIO
from facegan.stages.checkpoints import StageCheckpoint, read_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

STAGE = "1_landmark_transform"


def content(number: int, size: int = 1000) -> dict:
    return {"number": number, "tensor": torch.full((size,), float(number)), "names": ["a", "b"]}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint(content(1), path)
    return path.read_bytes()


def test_save_checkpoint_keeps_previous_of_last_only(tmp_path: Path) -> None:
    for number in range(4):
        AtomicCheckpointIO().save_checkpoint(content(number), tmp_path / "last.ckpt")
        AtomicCheckpointIO().save_checkpoint(content(number), tmp_path / "best.ckpt")
    assert {path.name for path in tmp_path.iterdir()} == {"last.ckpt", "previous.ckpt", "best.ckpt"}
    numbers = {path.stem: read_checkpoint(path)["number"] for path in tmp_path.iterdir()}
    assert numbers == {"last": 3, "previous": 2, "best": 3}


@given(st.data())
def test_read_checkpoint_truncated_file_is_refused(
    tmp_path_factory: pytest.TempPathFactory, whole: bytes, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("cut") / "best.ckpt"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(InputError, match=r"best\.ckpt is not a readable checkpoint"):
        read_checkpoint(path)


@given(st.data())
def test_read_checkpoint_overwritten_bytes_are_one_line_or_read(
    tmp_path_factory: pytest.TempPathFactory, whole: bytes, data: st.DataObject
) -> None:
    rubbish = data.draw(st.binary(min_size=1, max_size=40))
    place = data.draw(st.integers(0, len(whole) - 1))
    path = tmp_path_factory.mktemp("rubbish") / "best.ckpt"
    path.write_bytes(whole[:place] + rubbish + whole[place + len(rubbish) :])
    try:
        assert isinstance(read_checkpoint(path), dict)
    except InputError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017


def test_read_checkpoint_code_is_not_run(tmp_path: Path) -> None:
    class Order:
        def __reduce__(self) -> tuple:
            return (os.mkdir, (str(tmp_path / "made"),))

    torch.save({"state_dict": Order()}, tmp_path / "last.ckpt")
    with pytest.raises(InputError, match="not a readable checkpoint"):
        read_checkpoint(tmp_path / "last.ckpt")
    assert not (tmp_path / "made").exists()


def test_save_checkpoint_killed_leaves_one_of_two(tmp_path: Path) -> None:
    """Killed at any time between two writes, again and again."""
    for delay in range(8):
        path = tmp_path / str(delay) / "last.ckpt"
        process = SERVER.Process(target=_write_without_end, args=(path, tmp_path / f"{delay}.ready"))
        process.start()
        seen = 0
        # Until it has written twice, then as many glances later as this round says.
        while seen <= 50 * delay and process.is_alive():
            seen += (tmp_path / f"{delay}.ready").exists()
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        taken = read_checkpoint(path)
        assert torch.equal(taken["tensor"], content(taken["number"], len(taken["tensor"]))["tensor"])


def _write_without_end(path: Path, ready: Path) -> None:
    for number in range(10**9):
        AtomicCheckpointIO().save_checkpoint(content(number, 200_000), path)
        if number == 1:
            ready.touch()


def test_save_checkpoint_full_disk_leaves_previous(tmp_path: Path) -> None:
    """Whatever part of the file is the one that does not fit."""
    results = SERVER.SimpleQueue()
    process = SERVER.Process(target=_write_on_full_disk, args=(tmp_path / "last.ckpt", results))
    process.start()
    process.join()
    assert process.exitcode == 0
    errors = results.get()
    assert len(errors) > 20
    assert set(errors) == {(errno.EFBIG, str(tmp_path / "last.ckpt"))}
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]
    assert read_checkpoint(tmp_path / "last.ckpt")["number"] == 1


def _write_on_full_disk(path: Path, results) -> None:
    AtomicCheckpointIO().save_checkpoint(content(1), path)
    size, errors = path.stat().st_size, []
    for limit in range(0, size, 200):
        # The system then refuses to write more, as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            AtomicCheckpointIO().save_checkpoint(content(2), path)
        except OSError as error:
            errors.append((error.errno, error.filename))
    results.put(errors)


def test_fit_full_disk_is_one_line(prepared: Path, tmp_path: Path) -> None:
    line = exact(STAGE, prepared, tmp_path)
    assert main(line) == 0
    before = (tmp_path / "checkpoints/last.ckpt").read_bytes()
    words = [*line, "--trainer.max_epochs=2"]
    process = SERVER.Process(target=_train_on_full_disk, args=(words, tmp_path, prepared))
    process.start()
    process.join()
    assert process.exitcode == 2
    told = (tmp_path / "log").read_text().splitlines()[-1]
    assert told.startswith("facegan: no space left on the disk for")
    assert "best.ckpt" in told or "last.ckpt" in told
    names = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert names == {"last.ckpt", "best.ckpt"}
    assert (tmp_path / "checkpoints/last.ckpt").read_bytes() == before


def _train_on_full_disk(line: list[str], folder: Path, data: Path) -> None:
    # What `datasets` keeps of the data is written while there is room.
    FaceCrops(data)
    with (folder / "log").open("w") as file:
        os.dup2(file.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))
    raise SystemExit(main([*line, "--ckpt_path=last"]))


@pytest.fixture
def two_epochs(prepared: Path, tmp_path: Path) -> list[str]:
    """A run with a last checkpoint after two epochs and a previous one after one."""
    line = exact(STAGE, prepared, tmp_path / "run")
    assert main([*line, "--trainer.max_epochs=2"]) == 0
    return [*line, "--trainer.max_epochs=3", "--ckpt_path=last"]


def cut(path: Path) -> None:
    """As a file system leaves it that was not told to keep it."""
    path.write_bytes(path.read_bytes()[:-5000])


def test_resume_damaged_last_uses_previous(two_epochs: list[str], tmp_path: Path) -> None:
    cut(tmp_path / "run/checkpoints/last.ckpt")
    process = started([two_epochs], tmp_path / "log")
    process.join()
    assert process.exitcode == 0, (tmp_path / "log").read_text()[-2000:]
    assert "previous.ckpt is used instead" in (tmp_path / "log").read_text()
    # From the second epoch on.
    assert measured(tmp_path / "run")[0]["epoch"] == 1
    assert progress(saved(tmp_path / "run"))["batches"] == 6
    assert progress(saved(tmp_path / "run", "previous"))["batches"] == 4


def test_resume_both_damaged_is_one_line(
    two_epochs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("last", "previous"):
        cut(tmp_path / f"run/checkpoints/{name}.ckpt")
    capsys.readouterr()
    assert main(two_epochs) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("facegan: ")
    assert "checkpoint" in line


def test_bundle_and_joint_stage_damaged_last_use_previous(
    runs: Path, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stage in ("joint", "reenact"):
        folder = tmp_path / stage / "checkpoints"
        folder.mkdir(parents=True)
        for name in ("last", "previous"):
            shutil.copy(runs / stage / "checkpoints/last.ckpt", folder / f"{name}.ckpt")
        cut(folder / "last.ckpt")
    with pytest.warns(UserWarning, match="is used instead"):
        assert (
            main(["bundle", str(tmp_path / "joint/checkpoints/last.ckpt"), "--out", str(tmp_path / "model")])
            == 0
        )
    line = exact("4_joint", prepared, tmp_path / "again", runs)
    line.append(f"{MODEL}reenact_checkpoint={tmp_path / 'reenact/checkpoints/last.ckpt'}")
    with pytest.warns(UserWarning, match="is used instead"):
        assert main(line) == 0
    (tmp_path / "joint/checkpoints/previous.ckpt").write_bytes(b"nothing")
    capsys.readouterr()
    assert (
        main(["bundle", str(tmp_path / "joint/checkpoints/last.ckpt"), "--out", str(tmp_path / "other")]) == 2
    )
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("version", [None, 1, 2])
def test_stage_checkpoint_other_format_version_is_refused(tmp_path: Path, version: int | None) -> None:
    checkpoint = {"facegan_stage": "ReenactStage", "facegan_config": {}, "state_dict": {}}
    torch.save(checkpoint | ({"facegan_version": version} if version else {}), tmp_path / "old.ckpt")
    with pytest.raises(InputError, match=f"has checkpoint format {version or 1}, not 3: train") as caught:
        StageCheckpoint(tmp_path / "old.ckpt", "ReenactStage")
    assert "\n" not in str(caught.value)


def test_joint_stage_missing_hyperparameters_have_defaults(
    runs: Path, prepared: Path, tmp_path: Path
) -> None:
    old = saved(runs / "reenact")
    del old["hyper_parameters"]["loss_weights"]["jaccard"]
    torch.save(old, tmp_path / "old.ckpt")
    line = exact("4_joint", prepared, tmp_path, runs)
    assert main([*line, f"{MODEL}reenact_checkpoint={tmp_path / 'old.ckpt'}"]) == 0


def test_best_checkpoint_has_lowest_metric(prepared: Path, tmp_path: Path) -> None:
    """A rate that leads astray after the first epoch: the best stays, also after going on."""
    line = [*exact(STAGE, prepared, tmp_path), f"{MODEL}optimizer.learning_rate=10"]
    assert main([*line, "--trainer.max_epochs=2"]) == 0
    errors = [row["val/landmark_error"] for row in measured(tmp_path) if "val/landmark_error" in row]
    best = saved(tmp_path, "best")
    assert best["epoch"] == errors.index(min(errors))
    assert main([*line, "--trainer.max_epochs=4", "--ckpt_path=last"]) == 0
    errors += [row["val/landmark_error"] for row in measured(tmp_path) if "val/landmark_error" in row]
    assert len(errors) == 4
    assert saved(tmp_path, "best")["epoch"] == errors.index(min(errors))
