"""The ground truth beside the drawn videos: its columns, and reading it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthetic_heads.conventions import NUM_LANDMARKS, NUM_MESH_POINTS, NUM_MOTION_PARAMS
from synthetic_heads.identity import sample_identity
from synthetic_heads.render import Frame, render
from synthetic_heads.scene import sample_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUND_TRUTH_FILE = "ground_truth.parquet"
GROUND_TRUTH_SCHEMA = pa.schema(
    [
        ("video", pa.string()),
        ("identity", pa.string()),
        ("clip", pa.int32()),
        ("frame", pa.int32()),
        ("time", pa.float64()),
        ("fps", pa.float64()),
        ("size", pa.int32()),
        ("landmarks", pa.list_(pa.float32(), 2 * NUM_LANDMARKS)),
        ("mesh", pa.list_(pa.float32(), 3 * NUM_MESH_POINTS)),
        ("motion", pa.list_(pa.float32(), NUM_MOTION_PARAMS)),
        ("gaze", pa.list_(pa.float32(), 2)),
        ("segmentation", pa.binary()),
        ("camera", pa.list_(pa.float64(), 4)),
        ("identity_seed", pa.int64()),
        ("scene_seed", pa.int64()),
        ("noise_seed", pa.int64()),
    ]
)
"""The columns, one row a frame. video: path in the folder; clip: number among the identity's; landmarks and
mesh: pixels of the frame, point by point; gaze: right and down in radians; segmentation: PNG of 0 background,
1 face, 2 hair; camera: distance in centimeters, focal length, center x and y as in :class:`Camera`."""


class GroundTruth:
    """What is known of the frames of rendered videos.

    Frames are numbered as the rows of the table, clip after clip.

    Args:
        folder: of the videos.

    Attributes:
        videos: each video's path in the folder to the rows of its frames, in order.

    Raises:
        ValueError: if the folder holds no ground truth of this kind.
    """

    def __init__(self, folder: Path | str) -> None:
        self.path = Path(folder) / GROUND_TRUTH_FILE
        if not self.path.is_file():
            msg = f"{folder} holds no {GROUND_TRUTH_FILE}"
            raise ValueError(msg)
        try:
            self._file = pq.ParquetFile(self.path)
            known = self._file.schema_arrow.equals(GROUND_TRUTH_SCHEMA)
        except (pa.ArrowException, OSError) as error:
            msg = f"cannot read {self.path}: {error}"
            raise ValueError(msg) from error
        if not known:
            msg = f"{self.path} has other columns than this version writes"
            raise ValueError(msg)
        names = self._file.read(columns=["video"])["video"].to_numpy()
        found, first, counts = np.unique(names, return_index=True, return_counts=True)
        self.videos: dict[str, range] = {
            str(name): range(begin, begin + count)
            for name, begin, count in zip(found, first.tolist(), counts.tolist(), strict=True)
        }

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    def row(self, index: int) -> dict[str, Any]:
        """All columns of a frame; lists as arrays."""
        return next(self.rows(range(index, index + 1)))

    def rows(self, indices: range) -> Iterator[dict[str, Any]]:
        """The same for successive frames; one row group is in memory at a time.

        Raises:
            IndexError: for rows that there are not.
        """
        if indices.start < 0 or indices.stop > len(self):
            msg = f"{self.path} has {len(self)} rows, {indices.start} to {indices.stop} were asked for"
            raise IndexError(msg)
        begin = 0
        for group in range(self._file.num_row_groups):
            count = self._file.metadata.row_group(group).num_rows
            first, last = max(indices.start - begin, 0), min(indices.stop - begin, count)
            if first < last:
                yield from map(_as_arrays, self._file.read_row_group(group)[first:last].to_pylist())
            begin += count

    def answer(self, source: int, driving: int, size: int | None = None) -> Frame:
        """The true answer of a reenactment, drawn without noise.

        Args:
            source: row of who is seen, and where.
            driving: row of how they move and look.
            size: side of the image in pixels; by default that of the source.

        Returns:
            The source's person in the source's scene with the driver's motion and gaze.
        """
        person, driver = self.row(source), self.row(driving)
        return render(
            sample_identity(person["identity_seed"]),
            driver["motion"],
            size or person["size"],
            gaze=driver["gaze"],
            scene=sample_scene(person["scene_seed"]),
        )


def _as_arrays(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: np.array(value, GROUND_TRUTH_SCHEMA.field(name).type.value_type.to_pandas_dtype())
        if isinstance(value, list)
        else value
        for name, value in row.items()
    }
