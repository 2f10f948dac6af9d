"""``facegan analyze``."""

from __future__ import annotations

from pathlib import Path

from facegan.cli.console import echo


def analyze(file: Path, *, out: Path, max_faces: int = 4, overwrite: bool = False) -> None:
    """Landmarks, pose and action units of every frame, in OpenFace's CSV columns.

    Example:
        facegan analyze clip.mp4 --out clip.csv

    Args:
        file: a video or a picture.
        out: the CSV file.
        max_faces: at most so many faces a frame.
        overwrite: replace OUT.
    """
    from facegan.inference.analyze import analyze as write

    frames, found = write(file, out, max_faces=max_faces, overwrite=overwrite)
    echo(f"{found} of {frames} frames with a face: {out}")
