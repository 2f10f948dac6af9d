"""What the commands have in common when they are done."""

from __future__ import annotations

import sys

PARTLY = 3
"""The status of a command that did its work, but could not use all of its input."""


def say(line: str) -> None:
    """Writes a line of a command's result."""
    sys.stdout.write(line + "\n")
