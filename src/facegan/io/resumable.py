"""Resumable outputs: an interrupted job resumes, and no incomplete result gets the final name."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RESULT_FOLDER = "result"
JOB = "job.json"
LOCK = "lock"
PART_MARKER = "result.json"
"""File in the subfolder of a part that marks it as complete."""


@contextmanager
def resumable_output(
    out: Path, job: dict[str, Any], *, keep_after: tuple[type[Exception], ...] = ()
) -> Iterator[Path]:
    """Yield a hidden working folder beside ``out``, whose subfolder ``result`` becomes ``out`` at the end.

    An interrupt keeps the folder, and the same job resumes in it; an error removes it.

    Args:
        out: the final folder; an earlier one is replaced.
        job: everything that the result depends on, serializable as JSON; work of another job is deleted.
        keep_after: errors that keep the folder too, because the job can resume once they are corrected.

    Raises:
        InputError: if another process works on ``out``.
    """
    folder = _folder(out)
    with _locked(folder, out):
        record = folder / JOB
        text = json.dumps(job)
        if not record.is_file() or record.read_text(encoding="utf-8") != text:
            _empty(folder)
            record.write_text(text, encoding="utf-8")
        result = folder / RESULT_FOLDER
        shutil.rmtree(result, ignore_errors=True)
        result.mkdir()
        try:
            yield folder
            shutil.rmtree(out, ignore_errors=True)
            result.rename(out)
        except Exception as error:
            if not isinstance(error, keep_after):
                shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


@contextmanager
def _locked(folder: Path, out: Path) -> Iterator[None]:
    """Lock the working folder; the lock of a process that died is free."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        msg = f"another run is at work on {out}: wait for its end, or choose another place"
        raise InputError(msg) from error
    try:
        yield
    finally:
        lock.release()


def count_finished_parts(out: Path, job: dict[str, Any]) -> int:
    """Count the parts of a job that an interrupted run has completed."""
    record = _folder(out) / JOB
    same = record.is_file() and record.read_text(encoding="utf-8") == json.dumps(job)
    return len(list(_folder(out).glob(f"*/{PART_MARKER}"))) if same else 0


def _folder(out: Path) -> Path:
    return out.with_name(f".{out.name}.partial")
