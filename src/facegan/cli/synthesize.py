"""``facegan synthesize``."""

from __future__ import annotations

from pathlib import Path

from facegan.cli.console import echo


def synthesize(
    *,
    out: Path,
    identities: int = 64,
    clips: int = 2,
    seconds: float = 4.0,
    size: int = 256,
    fps: float = 25.0,
    seed: int = 7,
    workers: int | None = None,
    overwrite: bool = False,
) -> None:
    """Built-in moving heads as videos with sound, and the truth about every frame.

    Example:
        facegan synthesize --identities 8 --clips 2 --seconds 4 --out runs/heads

    Args:
        out: folder for the videos.
        identities: number of people.
        clips: videos a person.
        seconds: length of a video.
        size: height and width in pixels.
        fps: frames a second; ten are plenty to learn from.
        seed: same seed, same pixels.
        workers: processes; by default one a core.
        overwrite: replace what lies at OUT.
    """
    from facegan.preparation.synthesize import synthesize as write

    write(
        out,
        identities=identities,
        clips=clips,
        seconds=seconds,
        size=size,
        fps=fps,
        seed=seed,
        workers=workers,
        overwrite=overwrite,
    )
    echo(f"videos: {out}")
