"""Reenactment of several sources by several driving files, with one load of the model."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, NamedTuple

from facegan.errors import InputError
from facegan.inference.video_reenactment import ReenactmentSummary, reenact
from facegan.io.atomic import atomic_file
from facegan.io.images import is_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from facegan.inference.animator import Animator

RESULTS = "results.csv"


class BatchResult(NamedTuple):
    """Result of one source and one driving file."""

    source: Path
    driving: Path
    out: Path
    summary: ReenactmentSummary | None
    """None if it failed."""
    error: str
    """Why it failed, or empty."""


def reenact_all(
    animator: Animator, sources: Sequence[Path], drivings: Sequence[Path], out: Path, **options: Any
) -> Iterator[BatchResult]:
    """Animate every source by every driving file; writes ``SOURCE_DRIVING.mp4`` or ``.png`` for each pair.

    A pair that fails does not stop the others. ``results.csv`` lists all pairs.

    Args:
        animator: the model.
        sources: source images.
        drivings: driving images or videos.
        out: folder of the results.
        options: options of :func:`reenact`.

    Yields:
        The result of each pair as soon as it is known.

    Raises:
        InputError: if ``out`` is a file, or two results would have the same name.
        OSError: if the results cannot be written, for example to a full disk.
    """
    if out.exists() and not out.is_dir():
        msg = f"{out} is a file: name a folder for several results"
        raise InputError(msg)
    pairs = [(source, driving) for source in sources for driving in drivings]
    stems = [f"{source.stem}_{driving.stem}" for source, driving in pairs]
    duplicate = next((stem for stem in stems if stems.count(stem) > 1), None)
    if duplicate:
        msg = f"two results would be called {duplicate}: give the files different names"
        raise InputError(msg)
    results = []
    for (source, driving), stem in zip(pairs, stems, strict=True):
        result = _reenact_pair(animator, source, driving, out / f"{stem}.mp4", options)
        results.append(result)
        yield result
    with (
        atomic_file(out / RESULTS, overwrite=True) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(("source", "driving", "out", "frames", "frames_without_face", "seconds", "error"))
        writer.writerows(map(_to_row, results))


def _reenact_pair(
    animator: Animator, source: Path, driving: Path, out: Path, options: dict[str, Any]
) -> BatchResult:
    try:
        if is_image(driving):
            out = out.with_suffix(".png")
        return BatchResult(source, driving, out, reenact(animator, source, driving, out, **options), "")
    except InputError as error:
        return BatchResult(source, driving, out, None, str(error))


def _to_row(result: BatchResult) -> tuple[object, ...]:
    summary = result.summary
    if summary is None:
        return (result.source, result.driving, "", "", "", "", result.error)
    numbers = summary.frames, summary.frames_without_face, f"{summary.seconds:.1f}"
    return (result.source, result.driving, result.out, *numbers, result.error)
