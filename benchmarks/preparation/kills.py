"""Does a run that was killed again and again end as one that was not?

``python benchmarks/preparation/kills.py --source VIDEOS --out DIR`` prepares once without interruption,
then kills the command, but not its workers, at random moments, and at last lets it finish.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

from shared import descendants, megabytes, show, start, wait

OPTIONS = ("--size", "64", "--min-face", "30", "--workers", "2")
START = 1.5
"""Seconds before which a run has hardly begun."""
PATIENCE = 10.0
"""Seconds after which a worker without a parent should be gone."""


def main() -> None:
    """Prints how the results compare and what was left behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="folder of videos")
    parser.add_argument("--out", type=Path, required=True, help="folder for the data sets")
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args()
    whole, killed = given.out / "whole", given.out / "killed"
    shutil.rmtree(given.out, ignore_errors=True)
    given.out.mkdir(parents=True)
    began = time.monotonic()
    finish(given.source, whole)
    duration = time.monotonic() - began
    chance = random.Random(0)
    kills = early = orphans = 0
    while kills < given.kills:
        process = start(given.source, killed, *OPTIONS)
        try:
            process.wait(chance.uniform(START, max(2 * START, 0.5 * duration)))
        except subprocess.TimeoutExpired:
            orphans += kill(process)
            kills += 1
        else:  # It was quicker than its killer: once more from the beginning.
            early += 1
            shutil.rmtree(killed)
    finish(given.source, killed)
    expected, found = digests(whole), digests(killed)
    different = [name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)]
    stray = sorted(path.name for path in given.out.iterdir() if path not in (whole, killed))
    rows = [
        ("one run without interruption, seconds", f"{duration:.0f}"),
        ("kills", kills),
        ("runs that finished before their kill", early),
        (f"workers still there {PATIENCE:.0f} s after their parent", orphans),
        ("files of the data set", len(expected)),
        ("of these different by SHA-256", ", ".join(different) or 0),
        ("other files left beside it", ", ".join(stray) or 0),
    ]
    show("killed and resumed", ("", ""), rows)
    raise SystemExit(bool(different or stray or orphans))


def finish(source: Path, out: Path) -> None:
    """A whole run."""
    said, status, _ = wait(start(source, out, *OPTIONS))
    if not (out / "dataset.json").is_file():
        raise SystemExit(f"exit status {status}: {said}")


def kill(process: subprocess.Popen[str]) -> int:
    """Kills the command alone; how many of its processes outlive it."""
    workers = descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + PATIENCE
    while (left := sum(megabytes(pid) > 0 for pid in workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


if __name__ == "__main__":
    main()
