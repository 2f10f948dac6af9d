"""``facegan analyze``."""

from __future__ import annotations

from pathlib import Path

from facegan.cli.console import echo


def analyze(file: Path, *, out: Path, max_faces: int = 4, overwrite: bool = False) -> None:
    """Write landmarks, pose and action units of every frame in OpenFace's CSV columns.

    Example:
        facegan analyze clip.mp4 --out clip.csv

    Args:
        file: A video or an image.
        out: The CSV file.
        max_faces: Maximum number of faces per frame.
        overwrite: Replace OUT.
    """
    from facegan.inference import analyze as analyze_file

    num_frames, num_detected = analyze_file(file, out, max_faces=max_faces, overwrite=overwrite)
    echo(f"{num_detected} of {num_frames} frames with a face: {out}")
