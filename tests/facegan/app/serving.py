"""The page in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread


@dataclass(frozen=True)
class Server:
    """A page in a process of its own."""

    address: str
    process: subprocess.Popen
    temporary: Path

    @property
    def files(self) -> set[str]:
        """Temporary files but for the examples."""
        folder = next(self.temporary.glob("facegan-app-*")) / "files"
        return {str(path) for path in folder.rglob("*") if path.is_file() and "examples" not in path.parts}


@contextmanager
def serving(model, temporary, *options, **environment):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "facegan", "app", "--model", str(model), "--port", str(port), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"} | environment,
    )
    lines: Queue[str | None] = Queue()
    Thread(target=lambda: [*map(lines.put, process.stdout), lines.put(None)], daemon=True).start()
    said = []
    try:
        while (line := lines.get()) is not None and not line.startswith("page: "):
            said.append(line)
        assert line is not None, "".join(said)
        yield Server(line.split()[1], process, Path(temporary))
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)
    assert status == 0
    assert not list(Path(temporary).glob("facegan-app-*"))
