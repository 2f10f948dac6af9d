"""``facegan verify``."""

from __future__ import annotations

import sys
from pathlib import Path

from facegan.cli.console import EXIT_PARTIAL, echo
from facegan.errors import InputError


def verify(files: list[Path], *, json: bool = False) -> int:
    """Whether pictures and videos are marked as machine made, and by whom.

    Looks for Content Credentials (C2PA) of any program and for the invisible mark of this one.

    Example:
        facegan verify moved.mp4 portrait.jpg

    Args:
        files: pictures and videos.
        json: print a line of JSON for each.
    """
    from facegan.provenance import verify as look

    faults = 0
    for file in files:
        try:
            findings = look(file)
        except InputError as error:
            if len(files) == 1:
                raise
            faults += 1
            sys.stderr.write(f"facegan: {error}\n")
        else:
            echo(findings.to_json() if json else findings.describe())
    return EXIT_PARTIAL if faults else 0
