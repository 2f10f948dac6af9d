"""Several sources moved by several drivers, with one load of the model."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, NamedTuple

from facegan.errors import InputError
from facegan.inference.reenact import Summary, reenact
from facegan.io.atomic import atomic_file
from facegan.io.images import is_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from facegan.inference.animator import Animator

RESULTS = "results.csv"


class Outcome(NamedTuple):
    """Of one source and one driver."""

    source: Path
    driving: Path
    out: Path
    summary: Summary | None
    """None if nothing could be made."""
    error: str
    """Why, or nothing."""


def reenact_all(
    animator: Animator, sources: Sequence[Path], drivings: Sequence[Path], out: Path, **options: Any
) -> Iterator[Outcome]:
    """Every source moved by every driver, each into a file of its own: ``SOURCE_DRIVER.mp4`` or ``.png``.

    What cannot be done does not stop the rest. ``results.csv`` tells what became of each.

    Args:
        animator: the model.
        sources: photographs.
        drivings: pictures or videos.
        out: folder for the results.
        options: of :func:`reenact`.

    Yields:
        What came of each pair, as soon as it is done.

    Raises:
        InputError: if ``out`` is a file, or two results would have one name.
        OSError: if nothing can be written, for example to a full disk.
    """
    if out.exists() and not out.is_dir():
        msg = f"{out} is a file: name a folder for several results"
        raise InputError(msg)
    pairs = [(source, driving) for source in sources for driving in drivings]
    stems = [f"{source.stem}_{driving.stem}" for source, driving in pairs]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if twice:
        msg = f"two results would be called {twice}: give the files different names"
        raise InputError(msg)
    outcomes = []
    for (source, driving), stem in zip(pairs, stems, strict=True):
        outcome = _one(animator, source, driving, out, stem, options)
        outcomes.append(outcome)
        yield outcome
    with (
        atomic_file(out / RESULTS, overwrite=True) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(("source", "driving", "out", "frames", "faceless", "seconds", "error"))
        for outcome in outcomes:
            writer.writerow(_row(outcome))


def _one(
    animator: Animator, source: Path, driving: Path, folder: Path, stem: str, options: dict[str, Any]
) -> Outcome:
    path = folder / f"{stem}.mp4"
    try:
        if is_image(driving):
            path = path.with_suffix(".png")
        return Outcome(source, driving, path, reenact(animator, source, driving, path, **options), "")
    except InputError as error:
        return Outcome(source, driving, path, None, str(error))


def _row(outcome: Outcome) -> tuple[object, ...]:
    made = outcome.summary
    numbers = (made.frames, made.faceless, f"{made.seconds:.1f}") if made else ("", "", "")
    return (outcome.source, outcome.driving, outcome.out if made else "", *numbers, outcome.error)
