"""Write files and folders atomically: they appear complete or not at all."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_folder(out: Path, *, marker: str, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary folder that replaces ``out`` when the block ends without an error.

    Args:
        out: the final folder.
        marker: name of a file that every result of this kind has; no other folder is replaced.
        overwrite: replace an earlier result.

    Raises:
        InputError: if ``out`` exists and must not be replaced.
    """
    out = Path(out).resolve()
    check_output_is_free(out, marker=marker, overwrite=overwrite)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(out, ignore_errors=True)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_output_is_free(out: Path, *, marker: str, overwrite: bool) -> None:
    """Check that ``out`` is missing, empty, or an earlier result to be replaced.

    Args:
        out: the final folder.
        marker: name of a file that every result of this kind has.
        overwrite: allow the replacement of an earlier result.

    Raises:
        InputError: if it is none of these.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        msg = f"{out} is a file: name a folder"
        raise InputError(msg)
    if not (out / marker).is_file():
        msg = f"{out} is not empty and holds no {marker}: choose another folder"
        raise InputError(msg)
    if not overwrite:
        msg = f"{out} is not empty: choose another folder or say --overwrite"
        raise InputError(msg)


@contextmanager
def atomic_file(out: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path that replaces ``out`` when the block ends without an error.

    Args:
        out: the final file; the temporary name keeps its suffix, and a missing folder is made.
        overwrite: replace an earlier file.

    Raises:
        InputError: if ``out`` exists, unless it is to be replaced, or is a folder.
    """
    out = Path(out).resolve()
    if out.is_dir():
        msg = f"{out} is a folder: name a file"
        raise InputError(msg)
    if out.exists() and not overwrite:
        msg = f"{out} exists: choose another name or say --overwrite"
        raise InputError(msg)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.stem}.partial{out.suffix}")
    try:
        yield partial
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
