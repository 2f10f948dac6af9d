"""Write the files of a data set: Parquet shards and ``dataset.json``."""

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
from facegan.io.atomic import check_output_is_free
from facegan.preparation.dataset_format import DESCRIPTION_FILE, FORMAT_VERSION, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARD_BYTES = 256 * 2**20
GROUP_ROWS = 512
"""Rows of a row group; so many are in memory at once."""


class ShardWriter:
    """Write rows into ``shard-00000.parquet``, ``shard-00001.parquet``, … of similar size.

    The boundaries of the shards depend on the rows alone, not on the pieces in which they arrive.

    Args:
        folder: existing folder of the shards.
        shard_bytes: size at which the next shard begins.
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
        """Append rows with the columns of :data:`facegan.preparation.dataset_format.SCHEMA`."""
        self._pending.append(rows.cast(SCHEMA))
        self._rows += len(rows)
        while self._rows >= self.group_rows:
            self._write_group(self.group_rows)

    def close(self) -> None:
        """Write the remaining rows."""
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


class RowWriter:
    """Write rows one by one into a Parquet file.

    Args:
        path: the file.
        schema: its columns.
    """

    BATCH = 64

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._file = pq.ParquetWriter(path, schema)
        self._pending: list[dict[str, Any]] = []

    def write(self, row: dict[str, Any]) -> None:
        """Append a row: a value for each column, lists flat."""
        self._pending.append(row)
        if len(self._pending) == self.BATCH:
            self._flush()

    def close(self) -> None:
        """Write the remaining rows and close the file."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._pending:
            columns = {name: [row[name] for row in self._pending] for name in self._schema.names}
            self._file.write_table(pa.table(columns, self._schema))
            self._pending = []


def read_track(path: Path, identity: str, split: str) -> Iterator[pa.Table]:
    """Read the rows of a track's file in pieces, and add their identity and split."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(GROUP_ROWS):
            table = pa.Table.from_batches([batch])
            # In the order of the schema, so that the index of each column exists.
            for name, value in (("identity", identity), ("split", split)):
                column = pa.repeat(pa.scalar(value), len(table))
                table = table.add_column(SCHEMA.get_field_index(name), name, column)
            yield table


def write_description(folder: Path, size: int, source: dict[str, str], **entries: Any) -> None:
    """Write ``dataset.json``.

    Args:
        folder: folder of the shards.
        size: height and width of the crops in pixels.
        source: ``kind`` and ``input``.
        entries: further entries: counts, rejections, settings.
    """
    software = {
        "python": platform.python_version(),
        "facegan": __version__,
        "opencv": cv2.__version__,
        **{name: version(name) for name in ("mediapipe", "av", "numpy", "pyarrow")},
    }
    description = {"version": FORMAT_VERSION, "size": size, "source": source, **entries, "software": software}
    text = json.dumps(description, indent=2, ensure_ascii=False)
    (folder / DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8")


def check_output(out: Path, source: Path, *, overwrite: bool) -> None:
    """Check that writing to ``out`` destroys nothing.

    Args:
        out: folder of the data set.
        source: folder of the input.
        overwrite: whether a data set in ``out`` may be replaced; nothing else may.

    Raises:
        InputError: if ``out`` is in use.
    """
    out = out.resolve()
    if overwrite and out.exists() and source.resolve().is_relative_to(out):
        msg = f"{out} holds the input: choose another folder"
        raise InputError(msg)
    check_output_is_free(out, marker=DESCRIPTION_FILE, overwrite=overwrite)
