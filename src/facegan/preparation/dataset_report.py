"""What a data set holds, as a page: counts, rejections, people, poses, expressions, pictures of tracks."""

from __future__ import annotations

import base64
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import jinja2
import numpy as np
import pyarrow.parquet as pq

from facegan.geometry.motion import ACTION_UNITS, MOTION_NAMES, POSE_ANGLES, POSE_SCALE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.preparation.prepare import Summary

REPORT = "report.html"
SHEET, TRACKS = 12, 144
"""Pictures a row of the contact sheet, and how many there are at most, evenly over all tracks."""
THUMBNAIL = 72
BINS = 24
MOST_OF_ALL = 0.25
"""Share of the crops from which one person is too much."""
TURNED, UNIT_SEEN = 10.0, 0.1
"""Degrees, and intensity, below which there is nothing to learn from."""
RARE = 0.01


class Histogram(NamedTuple):
    """Of one of the 20 numbers."""

    name: str
    low: float
    high: float
    bars: list[float]
    """Heights of equal bins from ``low`` to ``high``, the highest 1."""
    middle: float
    """Median."""


def write_report(folder: Path, title: str, summary: Summary, settings: dict[str, Any]) -> None:
    """Writes ``report.html``, which needs no other file.

    Args:
        folder: of the shards.
        title: what the data set is of; not its name, which may change.
        summary: of the preparation.
        settings: of the preparation.
    """
    columns = ["identity", "video", "track", "motion"]
    table = pq.read_table(sorted(folder.glob("*.parquet")), columns=columns)
    motion = np.asarray(table["motion"].combine_chunks().flatten()).reshape(-1, len(MOTION_NAMES))
    people, crops = np.unique(np.array(table["identity"].to_pylist()), return_counts=True)
    order = np.argsort(-crops, kind="stable")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("facegan.preparation", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(REPORT).render(
        title=title,
        summary=summary,
        splits={name: asdict(counts) for name, counts in summary.splits.items()},
        settings=settings,
        people=[(str(people[index]), int(crops[index])) for index in order[:20]],
        angles=histograms(np.degrees(motion[:, len(ACTION_UNITS) :] * POSE_SCALE), POSE_ANGLES, -60, 60),
        units=histograms(motion[:, : len(ACTION_UNITS)], ACTION_UNITS, 0, 1),
        warnings=warnings(summary, crops, motion),
        sheet=_contact_sheet(folder),
    )
    (folder / REPORT).write_text(page, encoding="utf-8")


def histograms(
    values: NDArray[np.floating], names: tuple[str, ...], low: float, high: float
) -> list[Histogram]:
    """One a column; what is beyond the ends counts in the last bins."""
    found = []
    for name, column in zip(names, values.T, strict=True):
        counts, _ = np.histogram(column.clip(low, high), BINS, (low, high))
        bars = (counts / counts.max()).tolist()
        found.append(Histogram(name, low, high, bars, float(np.median(column))))
    return found


def warnings(
    summary: Summary, crops_of_people: NDArray[np.integer], motion: NDArray[np.floating]
) -> list[str]:
    """What whoever trains on the data set should know."""
    found = []
    share = crops_of_people.max() / crops_of_people.sum()
    if len(crops_of_people) > 1 and share > MOST_OF_ALL:
        found.append(f"One person has {share:.0%} of the crops.")
    found += [
        f"Nobody is in the {name} split." for name, part in summary.splits.items() if not part.identities
    ]
    angles = np.abs(np.degrees(motion[:, len(ACTION_UNITS) :] * POSE_SCALE))
    still = [
        name for name, column in zip(POSE_ANGLES, angles.T, strict=True) if (column > TURNED).mean() < RARE
    ]
    if still:
        found.append(f"Heads hardly turn: {', '.join(still)} beyond {TURNED:.0f}° in less than 1 % of crops.")
    units = motion[:, : len(ACTION_UNITS)]
    unseen = [
        name for name, column in zip(ACTION_UNITS, units.T, strict=True) if (column > UNIT_SEEN).mean() < RARE
    ]
    if unseen:
        found.append(f"Hardly ever seen: {', '.join(unseen)}.")
    rejected = summary.rejected.total()
    if rejected > summary.total.crops:
        found.append(f"More faces were rejected ({rejected}) than used ({summary.total.crops}).")
    return found


def _contact_sheet(folder: Path) -> str:
    """The middle crop of tracks, evenly over all, as JPEG in base 64."""
    files = [pq.ParquetFile(path) for path in sorted(folder.glob("*.parquet"))]
    groups = [(file, number) for file in files for number in range(file.num_row_groups)]
    tracks: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for place, (file, number) in enumerate(groups):
        names = file.read_row_group(number, columns=["video", "track"])
        for row, key in enumerate(zip(names["video"].to_pylist(), names["track"].to_pylist(), strict=True)):
            tracks.setdefault(key, []).append((place, row))
    middles = [rows[len(rows) // 2] for rows in tracks.values()]
    chosen = np.linspace(0, len(middles) - 1, min(TRACKS, len(middles))).round().astype(int)
    images = []
    # By row groups: the pictures of a whole shard need not be in memory.
    for place, wanted in groupby(sorted(middles[index] for index in chosen), key=lambda middle: middle[0]):
        file, number = groups[place]
        pictures = file.read_row_group(number, columns=["image"])["image"]
        for _, row in wanted:
            data = np.frombuffer(pictures[row].as_py(), np.uint8)
            images.append(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))
    for file in files:
        file.close()
    small = [cv2.resize(image, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA) for image in images]
    small += [np.full_like(small[0], 255)] * (-len(small) % SHEET)
    rows_of = [np.concatenate(small[start : start + SHEET], axis=1) for start in range(0, len(small), SHEET)]
    flags = (cv2.IMWRITE_JPEG_QUALITY, 85)
    return base64.b64encode(cv2.imencode(".jpg", np.concatenate(rows_of), flags)[1].tobytes()).decode()
