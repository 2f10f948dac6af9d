"""Where a data set lies: in a folder, or at an address that fsspec opens."""

from __future__ import annotations

import errno
import hashlib
import importlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from fsspec.registry import known_implementations
from fsspec.utils import get_protocol

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a disk says that has no room for what is fetched."""


def absolute(root: Path | str) -> str:
    """The same place from any working folder; an address is one already."""
    return str(root) if is_remote(root) else str(Path(root).resolve())


def each(root: Path | str | Sequence[Path | str]) -> list[str]:
    """The places of one data set or of several.

    Raises:
        InputError: if there are none.
    """
    roots = [root] if isinstance(root, str | Path) else root
    if not roots:
        msg = "root is empty: it must name a data set"
        raise InputError(msg)
    return [str(one) for one in roots]


def is_remote(root: Path | str) -> bool:
    """Whether it is an address (``s3://bucket/data``), which no ``Path`` may touch, not a folder."""
    return "://" in str(root)


def read_file(root: Path | str, name: str) -> bytes:
    """A file of it.

    Raises:
        InputError: if the address cannot be reached.
        FileNotFoundError: if there is no such file.
    """
    files, path = _open(root)
    with reachable(root):
        content: bytes = files.cat_file(f"{path}/{name}")
    return content


def shards(root: Path | str) -> list[str]:
    """Addresses of its Parquet files, in their order.

    Raises:
        InputError: if the address cannot be reached.
    """
    return [f"{str(root).rstrip('/')}/{name}" for name in sorted(_files(root)) if name.endswith(".parquet")]


def fingerprint(root: Path | str) -> str:
    """Changes with any file in it."""
    digest = hashlib.sha256()
    for name, details in sorted(_files(root).items()):
        state = [details.get(key) for key in ("size", "mtime", "ETag", "etag", "blob_id")]
        digest.update(f"{name} {state}\n".encode())
    return digest.hexdigest()


@contextmanager
def reachable(root: Path | str) -> Iterator[None]:
    """Says in one line why an address cannot be read; folders, absent and damaged files are left to others.

    Raises:
        InputError: instead of what a protocol's library raises, which has a few kinds of errors each.
    """
    import datasets

    try:
        yield
    except (FileNotFoundError, pa.ArrowInvalid, datasets.exceptions.DatasetGenerationError):
        raise
    except Exception as error:
        if not is_remote(root) or (isinstance(error, OSError) and error.errno in FULL):
            raise
        what = (str(error) or type(error).__name__).splitlines()[0]
        msg = f"cannot read {root}: {what}"
        raise InputError(msg) from error


def _files(root: Path | str) -> dict[str, dict[str, Any]]:
    files, path = _open(root)
    with reachable(root):
        return {str(entry["name"]).rpartition("/")[2]: entry for entry in files.ls(path, detail=True)}


def _open(root: Path | str) -> tuple[Any, str]:
    if not is_remote(root):
        return LocalFileSystem(), str(Path(root))
    protocol = get_protocol(str(root))
    if protocol not in known_implementations:
        msg = f"cannot read {root}: there is no {protocol}://"
        raise InputError(msg)
    package = known_implementations[protocol]["class"].partition(".")[0]
    try:
        importlib.import_module(package)
    except ImportError as error:
        msg = f"cannot read {root} without the package {package}: pip install {package}"
        raise InputError(msg) from error
    with reachable(root):
        files, path = url_to_fs(str(root).rstrip("/"))
    # Another process may have written there since it was last listed.
    files.invalidate_cache()
    return files, path.rstrip("/")
