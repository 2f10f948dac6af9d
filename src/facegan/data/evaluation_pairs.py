"""Evaluation pairs, and their file format, so that every method is evaluated on the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from facegan.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.data.face_crops import FaceCrops

ROLES = ("source", "driving", "target")
SCHEMA = pa.schema(
    [("protocol", pa.string()), ("pair", pa.int32())]
    + [
        (f"{role}_{column}", kind)
        for role in ROLES
        for column, kind in (
            ("video", pa.string()),
            ("track", pa.int32()),
            ("frame", pa.int32()),
            ("identity", pa.string()),
        )
    ]
)
"""Columns: ``pair`` is the number in its protocol; video, track and frame identify a crop of the data set."""


class EvaluationPairs(NamedTuple):
    """Indices of crops, K of each."""

    source: NDArray[np.int64]
    driving: NDArray[np.int64]
    target: NDArray[np.int64]
    """Crops whose landmarks the results should have."""


def write_pairs(path: Path, crops: FaceCrops, pairs: dict[str, EvaluationPairs]) -> None:
    """Write the pairs of several protocols as a Parquet file."""
    tables = []
    for protocol, chosen in pairs.items():
        count = len(chosen.source)
        columns: list[object] = [[protocol] * count, np.arange(count)]
        for indices in chosen:
            columns += [
                column[indices] for column in (crops.video, crops.number, crops.frame, crops.identity)
            ]
        arrays = [pa.array(c, kind) for c, kind in zip(columns, SCHEMA.types, strict=True)]
        tables.append(pa.Table.from_arrays(arrays, schema=SCHEMA))
    pq.write_table(pa.concat_tables(tables), path)


def read_pairs(path: Path, crops: FaceCrops) -> dict[str, EvaluationPairs]:
    """Read a file of pairs and find its crops in a data set.

    Raises:
        InputError: if it is no file of pairs, or names crops that the data set does not hold.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        msg = f"cannot read the pairs {path}: {error}"
        raise InputError(msg) from error
    try:
        table = table.select(SCHEMA.names).cast(SCHEMA)
    except (KeyError, pa.ArrowException) as error:
        msg = f"{path} holds no pairs: it has the columns {', '.join(table.column_names)} ({error})"
        raise InputError(msg) from error
    keys = zip(crops.video.tolist(), crops.number.tolist(), crops.frame.tolist(), strict=True)
    known = {key: index for index, key in enumerate(keys)}
    protocols = np.array(table["protocol"].to_pylist())
    pairs: dict[str, EvaluationPairs] = {}
    for protocol in dict.fromkeys(protocols.tolist()):
        rows = table.take(np.flatnonzero(protocols == protocol)).sort_by("pair")
        if rows["pair"].to_pylist() != list(range(len(rows))):
            msg = f"the pairs of {protocol} in {path} are not numbered 0, 1, …, as the images are"
            raise InputError(msg)
        pairs[protocol] = EvaluationPairs(*(_find_crops(rows, role, known, path, crops) for role in ROLES))
    return pairs


def _find_crops(
    rows: pa.Table, role: str, known: dict[tuple[str, int, int], int], path: Path, crops: FaceCrops
) -> NDArray[np.int64]:
    columns = (rows[f"{role}_{column}"].to_pylist() for column in ("video", "track", "frame"))
    keys = list(zip(*columns, strict=True))
    missing = [key for key in keys if key not in known]
    if missing:
        video, track, frame = missing[0]
        msg = (
            f"{crops.root} lacks {len(missing)} crops that {path} names, the first being frame {frame} of "
            f"track {track} of {video}: use the data set that the pairs were chosen from"
        )
        raise InputError(msg)
    return np.array([known[key] for key in keys], np.int64)
