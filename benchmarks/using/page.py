"""The page in a process of its own, for the benchmarks beside it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Server:
    """A running page."""

    address: str
    temporary: Path
    process: subprocess.Popen[str]
    log: list[str] = field(default_factory=list)

    def files(self) -> list[Path]:
        """Its temporary files but for the examples."""
        return [p for p in self.temporary.rglob("*") if p.is_file() and "examples" not in p.parts]

    def memory(self) -> float:
        """Megabytes that it has used at the most."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.partition("VmHWM:")[2].split()[0]) / 1000


@contextmanager
def serving(model: str) -> Iterator[Server]:
    """``facegan app``, ended after the block; its log is what it said."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as temporary:
        process = subprocess.Popen(
            [sys.executable, "-m", "facegan", "app", "--model", model, "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"TMPDIR": temporary},
        )
        server = Server(f"http://127.0.0.1:{port}/", Path(temporary), process)
        ready = threading.Event()

        def listen() -> None:
            assert process.stdout
            for line in process.stdout:
                server.log.append(line)
                if line.startswith("page: "):
                    ready.set()
            ready.set()

        threading.Thread(target=listen, daemon=True).start()
        ready.wait()
        if process.poll() is not None:
            raise SystemExit("".join(server.log))
        try:
            yield server
        finally:
            process.terminate()
            process.wait()
            left = list(Path(temporary).iterdir())
            print(f"after its end: exit status {process.returncode}, {len(left)} temporary files left")


def show(title: str, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Prints a table in Markdown."""
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |")
    print()
