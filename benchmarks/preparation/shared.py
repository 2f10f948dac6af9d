"""What the benchmarks of the preparation share: the real command in its own process, and tables."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable


def start(source: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    """``facegan prepare videos`` in a new process; what it says is kept."""
    line = [sys.executable, "-m", "facegan", "prepare", "videos", str(source), "--out", str(out), *options]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that these did (Linux)."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may hold blanks.
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # It has just ended.
        children.setdefault(parent, []).append(int(status.parent.name))
    found, new = [], [pid]
    while new:
        new = [child for process in new for child in children.get(process, [])]
        found += new
    return found


def megabytes(pid: int) -> float:
    """Most memory that a living process has held (Linux); 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def wait(process: subprocess.Popen[str]) -> tuple[str, int, dict[int, float]]:
    """Waits for its end: what it said, its exit status, and the peak megabytes of it and its descendants.

    Not getrusage(), whose peak counts what the caller held when it started the process.
    """
    peaks: dict[int, float] = {}
    while True:
        for pid in (process.pid, *descendants(process.pid)):
            peaks[pid] = max(peaks.get(pid, 0.0), megabytes(pid))
        with suppress(subprocess.TimeoutExpired):
            said, _ = process.communicate(timeout=0.2)
            return said, process.returncode, peaks


def show(title: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Prints a table."""
    table = Table(*head, title=title, title_justify="left")
    for row in rows:
        table.add_row(*map(str, row))
    Console(width=140).print(table)
