"""Where a long job puts its work, so that nothing half made is ever found under the final name."""

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
"""In a part's own sub-folder, when it is done."""


@contextmanager
def resumable_output(
    out: Path, job: dict[str, Any], *, keep_after: tuple[type[Exception], ...] = ()
) -> Iterator[Path]:
    """A hidden folder beside ``out``; what lies in its sub-folder ``result`` becomes ``out`` at the end.

    When the job is interrupted the folder stays, and the same job finds it again; an error removes it.

    Args:
        out: the final place; what is there is replaced.
        job: what the work depends on, for JSON; work of another job is thrown away.
        keep_after: errors after which it stays too, since the same job can go on once they are mended.

    Raises:
        InputError: if another run is at work on ``out``.
    """
    folder = _folder(out)
    with _alone(folder, out):
        note = folder / JOB
        text = json.dumps(job)
        if not note.is_file() or note.read_text(encoding="utf-8") != text:
            _empty(folder)
            note.write_text(text, encoding="utf-8")
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
def _alone(folder: Path, out: Path) -> Iterator[None]:
    """Two runs in one workspace would spoil each other's work; the lock of one that died is free."""
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
    """How many parts of a job an interrupted run has finished."""
    note = _folder(out) / JOB
    same = note.is_file() and note.read_text(encoding="utf-8") == json.dumps(job)
    return len(list(_folder(out).glob(f"*/{PART_MARKER}"))) if same else 0


def _folder(out: Path) -> Path:
    return out.with_name(f".{out.name}.partial")
