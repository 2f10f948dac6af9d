"""The data set on disk: Parquet shards, one row a crop, and ``dataset.json``.

Lists have fixed lengths and are stored flat (landmarks 136, mesh 1434): that loads fastest, and a
reader reshapes them without copying. Positions are -1..1 over the crop; the mesh's depth has the same
unit. ``crop`` is x, y and side as in :class:`facegan.preparation.Crop`.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import cv2
import pyarrow as pa
import pyarrow.parquet as pq

from facegan import __version__
from facegan.errors import InputError
from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.geometry.motion import NUM_MOTION_PARAMS
from facegan.io.atomic import check_output_is_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 1
"""Of the format; readers refuse others."""
DESCRIPTION = "dataset.json"

MESH_POINTS = 478
BLENDSHAPES = 52

SCHEMA = pa.schema(
    [
        ("video", pa.string()),
        ("track", pa.int32()),
        ("identity", pa.string()),
        ("split", pa.string()),
        ("frame", pa.int32()),
        ("time", pa.float64()),
        ("fps", pa.float32()),
        ("image", pa.binary()),
        ("segmentation", pa.binary()),
        ("landmarks", pa.list_(pa.float32(), 2 * NUM_LANDMARKS)),
        ("mesh", pa.list_(pa.float32(), 3 * MESH_POINTS)),
        ("motion", pa.list_(pa.float32(), NUM_MOTION_PARAMS)),
        ("blendshapes", pa.list_(pa.float32(), BLENDSHAPES)),
        ("confidence", pa.float32()),
        ("crop", pa.list_(pa.float32(), 3)),
    ]
)
"""The columns. image: JPEG; segmentation: PNG of 0 background, 1 face, 2 hair; time in seconds;
blendshapes: NaN where nobody looked for them."""
PART_SCHEMA = pa.schema([field for field in SCHEMA if field.name not in ("identity", "split")])
"""The columns that are known before all people are."""

SHARD_BYTES = 256 * 2**20
"""At which the next shard begins."""
GROUP_ROWS = 512
"""Rows that are in memory together."""


class ShardWriter:
    """Writes rows into ``shard-00000.parquet``, ``shard-00001.parquet``, … of about one size each.

    Where one ends is a function of the rows alone, not of how they come.

    Args:
        folder: where; it must exist.
        shard_bytes: a shard ends when it is so large.
        group_rows: rows of a row group; so many are held in memory.
    """

    def __init__(self, folder: Path, shard_bytes: int = SHARD_BYTES, group_rows: int = GROUP_ROWS) -> None:
        self.folder = folder
        self.shard_bytes = shard_bytes
        self.group_rows = group_rows
        self._shards = 0
        self._file: pq.ParquetWriter | None = None
        self._pending: list[pa.Table] = []
        self._rows = 0

    def write(self, rows: pa.Table) -> None:
        """Appends rows (columns as :data:`SCHEMA`)."""
        self._pending.append(rows.cast(SCHEMA))
        self._rows += len(rows)
        while self._rows >= self.group_rows:
            self._write_group(self.group_rows)

    def close(self) -> None:
        """Writes what is left."""
        if self._rows:
            self._write_group(self._rows)
        self._end_shard()

    def _write_group(self, count: int) -> None:
        table = pa.concat_tables(self._pending)
        path = self.folder / f"shard-{self._shards:05d}.parquet"
        if not self._file:
            self._file = pq.ParquetWriter(path, SCHEMA)
        self._file.write_table(table[:count].combine_chunks(), row_group_size=count)
        self._pending = [table[count:]]
        self._rows -= count
        if path.stat().st_size >= self.shard_bytes:
            self._end_shard()

    def _end_shard(self) -> None:
        if self._file:
            self._file.close()
            self._file = None
            self._shards += 1


class PartWriter:
    """Writes rows, as they come, into a file from which the result is put together.

    Args:
        path: the file.
        schema: its columns; by default a data set's, for a :class:`ShardWriter`.
    """

    BATCH = 64

    def __init__(self, path: Path, schema: pa.Schema = PART_SCHEMA) -> None:
        self._schema = schema
        self._file = pq.ParquetWriter(path, schema)
        self._pending: list[dict[str, Any]] = []

    def write(self, row: dict[str, Any]) -> None:
        """Appends a row: a value for each column, lists flat."""
        self._pending.append(row)
        if len(self._pending) == self.BATCH:
            self._flush()

    def close(self) -> None:
        """Writes what is left and ends the file."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._pending:
            columns = {name: [row[name] for row in self._pending] for name in self._schema.names}
            self._file.write_table(pa.table(columns, self._schema))
            self._pending = []


def read_part(path: Path, identity: str, split: str) -> Iterator[pa.Table]:
    """The rows of a part in pieces, with their identity and split."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(GROUP_ROWS):
            table = pa.Table.from_batches([batch])
            # In the schema's order, so that none comes before its place is there.
            for name, value in (("identity", identity), ("split", split)):
                column = pa.repeat(pa.scalar(value), len(table))
                table = table.add_column(SCHEMA.get_field_index(name), name, column)
            yield table


def write_description(folder: Path, size: int, source: dict[str, str], **entries: Any) -> None:
    """Writes ``dataset.json``.

    Args:
        folder: of the shards.
        size: side of the crops in pixels.
        source: ``kind`` and ``input``.
        entries: what else is told: counts, rejections, settings.
    """
    software = {
        "python": platform.python_version(),
        "facegan": __version__,
        "opencv": cv2.__version__,
        **{name: version(name) for name in ("mediapipe", "av", "numpy", "pyarrow")},
    }
    description = {"version": VERSION, "size": size, "source": source, **entries, "software": software}
    text = json.dumps(description, indent=2, ensure_ascii=False)
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def check_free(out: Path, source: Path, *, overwrite: bool) -> None:
    """Makes sure that writing to ``out`` destroys nothing.

    Args:
        out: the final place.
        source: where the input lies.
        overwrite: a data set at ``out`` may be replaced; nothing else may.

    Raises:
        InputError: if ``out`` is in use.
    """
    out = out.resolve()
    if overwrite and out.exists() and source.resolve().is_relative_to(out):
        msg = f"{out} holds the input: choose another place"
        raise InputError(msg)
    check_output_is_free(out, marker=DESCRIPTION, overwrite=overwrite)
