"""What the commands print, and how they end."""

from __future__ import annotations

import sys

EXIT_PARTIAL = 3
"""Exit code of a command that did its work, but could not use all of its input."""


def echo(line: str) -> None:
    """Write a line of a command's result to standard output."""
    sys.stdout.write(line + "\n")
