"""``facegan verify``."""

from __future__ import annotations

import sys
from pathlib import Path

from facegan.cli.console import EXIT_PARTIAL, echo
from facegan.errors import InputError


def verify(files: list[Path], *, json: bool = False) -> int:
    """Detect the marks of generated images and videos.

    Reads the Content Credentials (C2PA) of any program and detects the watermark of this one.

    Example:
        facegan verify reenacted.mp4 portrait.jpg

    Args:
        files: Images and videos.
        json: Print a line of JSON for each file.
    """
    from facegan.provenance import detect_provenance

    failed = 0
    for file in files:
        try:
            report = detect_provenance(file)
        except InputError as error:
            if len(files) == 1:
                raise
            failed += 1
            sys.stderr.write(f"facegan: {error}\n")
        else:
            echo(report.to_json() if json else report.describe())
    return EXIT_PARTIAL if failed else 0
