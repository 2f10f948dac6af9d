"""Run commands of ``facegan``."""

from __future__ import annotations

import subprocess
import sys


def run_facegan(*words: object) -> None:
    """Run ``facegan`` in a process of its own.

    Raises:
        CalledProcessError: if it fails.
    """
    subprocess.run([sys.executable, "-m", "facegan", *map(str, words)], check=True, capture_output=True)
