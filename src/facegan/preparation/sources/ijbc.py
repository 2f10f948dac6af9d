"""Find the video frames of IJB-C (Maze et al., ICB 2018)."""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from facegan.errors import InputError
from facegan.preparation.sources.data_source import DataSource, LabeledImage, VideoClip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METADATA = (
    *("protocols/ijbc_metadata_with_age.csv", "protocols/ijbc_metadata.csv"),
    "protocols/archive/ijbc_metadata.csv",
)
"""Files of older and newer distributions; the first one found is read."""
COLUMNS = ("SUBJECT_ID", "FILENAME", "FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT")


def find_ijbc(root: Path) -> DataSource:
    """Find the sequences of frames of one sighting of one subject; photographs are left out.

    The metadata hold the subject and the box of the face of each file, ``frames/NAME.png`` or
    ``img/NAME.jpg`` in ``images``. The sighting is in the column ``SIGHTING_ID``, or, in distributions
    without it, in the frame's name before the last ``_``.

    Args:
        root: folder that holds ``images`` and ``protocols``.

    Raises:
        InputError: for another folder, or metadata that cannot be read.
    """
    path = next((root / name for name in METADATA if (root / name).is_file()), None)
    if path is None:
        msg = f"no {METADATA[1]} in {root}: name IJB-C's root, which holds images and protocols"
        raise InputError(msg)
    images = root / "images" if (root / "images").is_dir() else root
    sequences: dict[tuple[str, str], list[tuple[str, LabeledImage]]] = defaultdict(list)
    photographs = 0
    skipped: dict[str, str] = {}
    for subject, name, sighting, box in _read_rows(path):
        if not name.startswith("frames/"):
            photographs += 1
        elif not subject:
            skipped[name] = "no subject in the metadata"
        elif not (images / name).is_file():
            skipped[name] = "in the metadata, but not in the folder"
        else:
            sequences[subject, sighting].append((name, LabeledImage(images / name, box)))
    clips = []
    for (subject, sighting), frames in sequences.items():
        ordered = tuple(image for _, image in sorted(frames, key=lambda entry: _natural_order(entry[0])))
        clips.append(VideoClip(images, f"{subject}/{sighting}", subject, images=ordered))
    if not clips:
        msg = f"{images} holds no frames that {path} names"
        raise InputError(msg)
    clips.sort(key=lambda clip: clip.video)
    return DataSource("ijbc", str(root), tuple(clips), photographs, skipped)


def _read_rows(path: Path) -> Iterator[tuple[str, str, str, tuple[float, float, float, float]]]:
    """Read subject, file, sighting and box of each row with a face; an unknown subject is empty."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                msg = f"{path} lacks the columns {', '.join(missing)}"
                raise InputError(msg)
            for number, row in enumerate(reader, start=2):
                try:
                    subject, *box = (float(row[column] or "nan") for column in (COLUMNS[0], *COLUMNS[2:]))
                except (TypeError, ValueError) as error:
                    msg = f"{path}, line {number}: {error}"
                    raise InputError(msg) from error
                if all(map(math.isfinite, box)):
                    name = row["FILENAME"]
                    sighting = row.get("SIGHTING_ID") or name.rpartition("/")[2].rpartition("_")[0]
                    yield (
                        _format_subject(subject),
                        name,
                        _strip_fraction(sighting or name),
                        (box[0], box[1], box[2], box[3]),
                    )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"cannot read {path} as CSV: {error}"
        raise InputError(msg) from error


def _natural_order(name: str) -> list[tuple[int, str]]:
    """Sort frame 10 after frame 9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _format_subject(value: float) -> str:
    return str(int(value)) if math.isfinite(value) else ""


def _strip_fraction(sighting: str) -> str:
    """Remove the fraction of an integer in a column of floats."""
    return sighting.removesuffix(".0")
