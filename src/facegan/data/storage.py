"""Access the files of a data set in a folder, or in an object store through fsspec."""

from __future__ import annotations

import errno
import hashlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DISK_FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk that is too full for what is downloaded."""


def as_list(root: Path | str | Sequence[Path | str]) -> list[str]:
    """Convert the root of one data set, or those of several, to a list.

    Raises:
        InputError: if there are none.
    """
    roots = [root] if isinstance(root, str | Path) else root
    if not roots:
        msg = "root is empty: it must name a data set"
        raise InputError(msg)
    return [str(one) for one in roots]


def make_absolute(root: Path | str) -> str:
    """Make the path of a folder absolute; a URL stays as it is."""
    return str(root) if is_remote(root) else str(Path(root).resolve())


def is_remote(root: Path | str) -> bool:
    """Whether a data set is at a URL (``s3://bucket/data``), not in a folder."""
    return "://" in str(root)


def read_file(root: Path | str, name: str) -> bytes:
    """Read a file of a data set.

    Raises:
        InputError: if the store cannot be accessed.
        FileNotFoundError: if there is no such file.
    """
    files, path = _open(root)
    with translate_storage_errors(root):
        content: bytes = files.cat_file(f"{path}/{name}")
    return content


def list_shards(root: Path | str) -> list[str]:
    """List the paths or URLs of the Parquet files in their order.

    Raises:
        InputError: if the store cannot be accessed.
    """
    names = sorted(name for name in _list_files(root) if name.endswith(".parquet"))
    return [f"{str(root).rstrip('/')}/{name}" for name in names]


def compute_fingerprint(root: Path | str) -> str:
    """Compute a hash that changes with any file of a data set, from sizes, times and ETags."""
    digest = hashlib.sha256()
    for name, details in sorted(_list_files(root).items()):
        state = [details.get(key) for key in ("size", "mtime", "ETag", "etag", "blob_id")]
        digest.update(f"{name} {state}\n".encode())
    return digest.hexdigest()


@contextmanager
def translate_storage_errors(root: Path | str) -> Iterator[None]:
    """Translate what the library of a store raises to one line.

    Errors of folders, of missing and damaged files and of a full disk are raised as they are.

    Raises:
        InputError: if the store cannot be accessed, or its package is not installed.
    """
    import datasets

    try:
        yield
    except (FileNotFoundError, pa.ArrowInvalid, datasets.exceptions.DatasetGenerationError):
        raise
    except Exception as error:  # each store's library has several kinds
        if not is_remote(root) or (isinstance(error, OSError) and error.errno in DISK_FULL_ERRNOS):
            raise
        reason = (str(error) or type(error).__name__).splitlines()[0]
        msg = f"cannot read {root}: {reason}"
        raise InputError(msg) from error


def _list_files(root: Path | str) -> dict[str, dict[str, Any]]:
    files, path = _open(root)
    with translate_storage_errors(root):
        return {str(entry["name"]).rpartition("/")[2]: entry for entry in files.ls(path, detail=True)}


def _open(root: Path | str) -> tuple[Any, str]:
    if not is_remote(root):
        return LocalFileSystem(), str(Path(root))
    with translate_storage_errors(root):
        files, path = url_to_fs(str(root).rstrip("/"))
    # Another process may have written there since the last listing.
    files.invalidate_cache()
    return files, path.rstrip("/")
