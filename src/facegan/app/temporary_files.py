"""Temporary files, and which visits of the page use them."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_AGE = 3600.0
"""Seconds after its last use that a file stays at most."""
SWEEP_EVERY = 60.0


class Workspace:
    """All temporary files of one server, below one folder; made by :meth:`open`.

    Args:
        folder: an empty one.

    Attributes:
        folder: gradio's: uploads and results lie here, each in a folder of its own.
        lasting: a folder in it for files that belong to nobody and stay.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lasting = folder / "examples"
        self.lasting.mkdir()
        self._files: dict[str, set[Path]] = defaultdict(set)
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Workspace]:
        """A workspace that is gone after the block, whatever happened inside."""
        before = os.environ.get("GRADIO_TEMP_DIR"), tempfile.tempdir
        closed = threading.Event()
        with tempfile.TemporaryDirectory(prefix="facegan-app-", ignore_cleanup_errors=True) as name:
            folder = Path(name).resolve() / "files"
            folder.mkdir()
            # What libraries leave half-written goes the same way; gradio asks the environment alone.
            os.environ["GRADIO_TEMP_DIR"], tempfile.tempdir = str(folder), name
            workspace = cls(folder)
            threading.Thread(target=workspace._sweep_until, args=(closed,), daemon=True).start()
            try:
                yield workspace
            finally:
                closed.set()
                tempfile.tempdir = before[1]
                del os.environ["GRADIO_TEMP_DIR"]
                if before[0] is not None:
                    os.environ["GRADIO_TEMP_DIR"] = before[0]

    def new(self, session: str, name: str) -> Path:
        """A place for a result that nobody else can guess; the file itself is not made."""
        path = self.folder / secrets.token_hex(16) / name
        path.parent.mkdir()
        self.keep(session, path)
        return path

    def keep(self, session: str, path: Path) -> None:
        """Notes that a visit uses a file: it stays until the last visit that does has ended."""
        if path.is_relative_to(self.lasting) or not path.parent.is_dir():
            return
        with self._lock:
            self._files[session].add(path)
            with suppress(OSError):
                os.utime(path.parent)

    def drop(self, session: str, path: Path) -> None:
        """Removes a file that a visit needs no longer, unless another visit does."""
        with self._lock:
            self._files[session].discard(path)
            self._remove({path})

    def end(self, session: str) -> None:
        """Removes the files of a visit, but for those that another one uses too."""
        with self._lock:
            self._remove(self._files.pop(session, set()))

    def sweep(self, age: float = MAX_AGE) -> None:
        """Removes what nobody has used for so many seconds, uploads that broke off among them."""
        with self._lock:
            for entry in self.folder.iterdir():
                with suppress(OSError):
                    if entry == self.lasting or time.time() - entry.stat().st_mtime < age:
                        continue
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            for session, files in list(self._files.items()):
                files -= {path for path in files if not path.parent.exists()}
                if not files:
                    del self._files[session]

    def _remove(self, paths: set[Path]) -> None:
        used = set().union(*self._files.values())
        for path in paths - used:
            if path.parent.parent == self.folder and path.parent != self.lasting:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
                    # gradio puts equal files of different names into one folder.
                    path.parent.rmdir()

    def _sweep_until(self, closed: threading.Event) -> None:
        while not closed.wait(SWEEP_EVERY):
            self.sweep()
