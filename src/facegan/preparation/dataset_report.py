"""Report about a data set as a web page: counts, rejections, identities, poses, action units, crops."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import jinja2
import numpy as np
import pyarrow.dataset
import pyarrow.parquet as pq

from facegan.geometry.motion import ACTION_UNITS, MOTION_NAMES, POSE_ANGLES, POSE_SCALE
from facegan.preparation.dataset_format import REPORT_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.preparation.summary import Summary

THUMBNAIL_SIZE = 72
GRID_COLUMNS, MAX_THUMBNAILS = 12, 144
HISTOGRAM_BINS = 24
MAX_IDENTITY_SHARE = 0.25
"""Share of the crops above which one identity is warned about."""
MIN_ANGLE, MIN_INTENSITY, MIN_SHARE = 10.0, 0.1, 0.01
"""Degrees and intensities that should be exceeded in at least this share of the crops."""


class Histogram(NamedTuple):
    """Histogram of one motion parameter.

    Attributes:
        name: name of the parameter.
        low: lower end of the first bin.
        high: upper end of the last bin.
        bars: heights of the bins, the highest 1.
        median: median of the values.
    """

    name: str
    low: float
    high: float
    bars: list[float]
    median: float


def write_report(folder: Path, title: str, summary: Summary, settings: dict[str, Any]) -> None:
    """Write ``report.html``, which needs no other file.

    Args:
        folder: folder of the shards.
        title: kind and input of the data set.
        summary: summary of the preparation.
        settings: options of the preparation.
    """
    shards = sorted(folder.glob("*.parquet"))
    table = pq.read_table(shards, columns=["identity", "video", "track", "motion"])
    motion = np.asarray(table["motion"].combine_chunks().flatten()).reshape(-1, len(MOTION_NAMES))
    angles = np.degrees(motion[:, len(ACTION_UNITS) :] * POSE_SCALE)
    intensities = motion[:, : len(ACTION_UNITS)]
    identities, crops = np.unique(np.array(table["identity"].to_pylist()), return_counts=True)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("facegan.preparation", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("dataset_report.html").render(
        title=title,
        summary=summary,
        settings=settings,
        identities=[(str(identities[i]), int(crops[i])) for i in np.argsort(-crops, kind="stable")[:20]],
        angles=compute_histograms(angles, POSE_ANGLES, -60, 60),
        intensities=compute_histograms(intensities, ACTION_UNITS, 0, 1),
        warnings=find_imbalances(summary, crops, angles, intensities),
        thumbnails=_encode_thumbnails(shards, _find_middles(table)),
    )
    (folder / REPORT_FILE).write_text(page, encoding="utf-8")


def compute_histograms(
    values: NDArray[np.floating], names: Sequence[str], low: float, high: float
) -> list[Histogram]:
    """Compute a histogram of each column; values beyond the ends count in the outer bins."""
    histograms = []
    for name, column in zip(names, values.T, strict=True):
        counts, _ = np.histogram(column.clip(low, high), HISTOGRAM_BINS, (low, high))
        histograms.append(
            Histogram(name, low, high, (counts / counts.max()).tolist(), float(np.median(column)))
        )
    return histograms


def find_imbalances(
    summary: Summary,
    crops: NDArray[np.integer],
    angles: NDArray[np.floating],
    intensities: NDArray[np.floating],
) -> list[str]:
    """List what makes a data set one-sided.

    Args:
        summary: summary of the preparation.
        crops: number of crops of each identity.
        angles: N×3 degrees.
        intensities: N×17 in 0..1.
    """
    warnings = []
    share = crops.max() / crops.sum()
    if len(crops) > 1 and share > MAX_IDENTITY_SHARE:
        warnings.append(f"One identity has {share:.0%} of the crops.")
    warnings += [
        f"The {name} split has no identity." for name, part in summary.splits.items() if not part.identities
    ]
    large = (np.abs(angles) > MIN_ANGLE).mean(axis=0) < MIN_SHARE
    if large.any():
        names = ", ".join(np.array(POSE_ANGLES)[large])
        warnings.append(
            f"Little head rotation: {names} beyond {MIN_ANGLE:.0f}° in less than 1 % of the crops."
        )
    weak = (intensities > MIN_INTENSITY).mean(axis=0) < MIN_SHARE
    if weak.any():
        names = ", ".join(np.array(ACTION_UNITS)[weak])
        warnings.append(f"Rare action units: {names} in less than 1 % of the crops.")
    rejected = summary.rejected.total()
    if rejected > summary.total.crops:
        warnings.append(f"More faces were rejected ({rejected}) than used ({summary.total.crops}).")
    return warnings


def _find_middles(table: Any) -> NDArray[np.intp]:
    """Find the row of the middle crop of each track; the rows of a track are contiguous."""
    videos, tracks = np.array(table["video"].to_pylist()), np.asarray(table["track"])
    starts = np.flatnonzero(np.r_[True, (videos[1:] != videos[:-1]) | (tracks[1:] != tracks[:-1]), True])
    middles: NDArray[np.intp] = (starts[:-1] + starts[1:]) // 2
    return middles


def _encode_thumbnails(shards: Sequence[Path], middles: NDArray[np.intp]) -> str:
    """Encode a grid of crops, evenly spaced over the tracks, as JPEG in base 64."""
    count = min(MAX_THUMBNAILS, len(middles))
    rows = middles[np.linspace(0, len(middles) - 1, count).round().astype(int)]
    images = pyarrow.dataset.dataset([str(shard) for shard in shards]).take(rows, columns=["image"])["image"]
    grid = np.full(
        (-(-count // GRID_COLUMNS), GRID_COLUMNS, THUMBNAIL_SIZE, THUMBNAIL_SIZE, 3), 255, np.uint8
    )
    for index, data in enumerate(images.to_pylist()):
        image = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
        size = (THUMBNAIL_SIZE, THUMBNAIL_SIZE)
        grid[divmod(index, GRID_COLUMNS)] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    page = grid.swapaxes(1, 2).reshape(-1, GRID_COLUMNS * THUMBNAIL_SIZE, 3)
    return base64.b64encode(cv2.imencode(".jpg", page, (cv2.IMWRITE_JPEG_QUALITY, 85))[1].tobytes()).decode()
