"""Reading a prepared data set: numbers in memory, pictures decoded when asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from pyarrow import ArrowInvalid
from torch import Tensor

from facegan.data.storage import FULL, each, reachable, read_file, shards
from facegan.errors import InputError
from facegan.geometry.crop import Crop
from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.geometry.motion import NUM_MOTION_PARAMS
from facegan.geometry.segmentation import reduce_labels
from facegan.io.images import image_to_tensor
from facegan.preparation.dataset_format import DESCRIPTION_FILE, FORMAT_VERSION, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Image = NDArray[np.uint8]


class FaceCrops:
    """The crops of one split of a data set that ``facegan prepare`` wrote, or of several as one.

    Args:
        root: folder with ``dataset.json`` and Parquet shards, or the address of one (``s3://bucket/data``,
            ``hf://datasets/owner/name``), whose shards are fetched once; or several of them, and one that
            is named twice is there twice.
        split: ``train``, ``val`` or ``test``; None for all.
        size: pictures are reduced to so many pixels; None leaves them as they are.

    Attributes:
        landmarks: N×68×2 in -1..1.
        motion: N×20.
        track: N integers, the same for crops of one track.
        identity: N names.
        split: N names.
        time: N, in seconds since the video's begin.
        video, number, frame: N names and two times N integers: which crop it is, its track's number being
            that in its video.

    Raises:
        InputError: if the folder holds no data set of this version, or ``size`` is larger than its crops;
            if an address cannot be reached.
    """

    def __init__(
        self,
        root: Path | str | Sequence[Path | str],
        split: str | None = None,
        size: int | None = None,
    ) -> None:
        self._roots = each(root)
        self.root = ", ".join(self._roots)
        sizes = {one: dataset_info(one)["size"] for one in self._roots}
        self.size: int = size or min(sizes.values())
        for one, largest in sizes.items():
            if self.size > largest:
                msg = f"{one} holds crops of {largest} pixels, {self.size} were asked for: prepare it larger"
                raise InputError(msg)
        tables = [_table(one) for one in self._roots]
        self._starts = np.cumsum([0, *(len(one) for one in tables[:-1])])
        table = _joined(tables)
        names = np.array(table.with_format("arrow")["split"].to_pylist())
        self._rows = np.flatnonzero(names == split) if split else np.arange(len(table))
        self._pictures = table.select_columns(["image", "segmentation"])
        self.landmarks = self._numbers(table, "landmarks").reshape(-1, NUM_LANDMARKS, 2)
        self.motion = self._numbers(table, "motion").reshape(-1, NUM_MOTION_PARAMS)
        self._crops = self._numbers(table, "crop")
        self.time = self._strings(table, "time").astype(np.float64)
        self.frame = self._strings(table, "frame").astype(np.int64)
        self.video = self._strings(table, "video")
        self.identity = self._strings(table, "identity")
        self.split = names[self._rows]
        self.number = self._strings(table, "track").astype(np.int64)
        self._parts = np.searchsorted(self._starts, self._rows, side="right") - 1
        # Two data sets may have videos of one name.
        keys = [f"{p}\n{v}\n{t}" for p, v, t in zip(self._parts, self.video, self.number, strict=True)]
        self.track = np.unique(np.array(keys, dtype=str), return_inverse=True)[1]

    def __len__(self) -> int:
        return len(self._rows)

    def picture(self, index: int) -> Tensor:
        """3×size×size in -1..1."""
        return image_to_tensor(self.image(index))

    def segmentation(self, index: int) -> Tensor:
        """size×size of 0 background, 1 face, 2 hair."""
        return torch.from_numpy(self.labels(index))

    def background(self, source: int, driving: int) -> tuple[Tensor, Tensor]:
        """Picture and segmentation of one crop as seen at the place of another.

        A crop follows the face, so what stands still behind it moves from crop to crop. Within a
        track this puts it where it is in the other; crops of two tracks share no place.

        Returns:
            3×size×size in -1..1 and size×size; beyond the crop its border is repeated.
        """
        image, labels = self.moved(self.image(source), self.labels(source), source, driving)
        return image_to_tensor(image), torch.from_numpy(labels)

    def image(self, index: int) -> Image:
        """size×size×3, RGB."""
        image = self._decode("image", index, cv2.IMREAD_COLOR_RGB)
        if image.shape[0] != self.size:
            image = cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return np.asarray(image, np.uint8)

    def labels(self, index: int) -> Image:
        """size×size of 0 background, 1 face, 2 hair."""
        labels = self._decode("segmentation", index, cv2.IMREAD_GRAYSCALE)
        if labels.shape[0] != self.size:
            labels = reduce_labels(labels, self.size)
        return np.asarray(labels, np.uint8)

    def moved(self, image: Image, labels: Image, source: int, driving: int) -> tuple[Image, Image]:
        """What :meth:`background` does with image and labels of the source."""
        if source == driving or self.track[source] != self.track[driving]:
            return image, labels
        (x, y, side), (other_x, other_y, other_side) = self._crops[[source, driving]].astype(np.float64)
        scale = self.size / side
        place = Crop((other_x - x) * scale, (other_y - y) * scale, other_side * scale)
        return place.cut(image, self.size), place.cut_labels(labels, self.size)

    def _decode(self, column: str, index: int, flag: int) -> Any:
        row = int(self._rows[index])
        # The mapped file's own bytes, which the table's formatting would copy.
        (cell,) = self._pictures.data.fast_slice(row, 1)[column]
        image = cv2.imdecode(np.frombuffer(cell.as_buffer(), np.uint8), flag)
        if image is None:
            part = self._parts[index]
            row -= self._starts[part]
            msg = f"the {column} of crop {row} in {self._roots[part]} is damaged: prepare it anew"
            raise InputError(msg)
        return image

    def _numbers(self, table: Any, column: str) -> np.ndarray:
        array = table.with_format("arrow")[column].combine_chunks()
        values: np.ndarray = np.asarray(array.flatten(), dtype=np.float32).reshape(len(table), -1)
        return values[self._rows]

    def _strings(self, table: Any, column: str) -> np.ndarray:
        return np.array(table.with_format("arrow")[column].to_pylist())[self._rows]


def dataset_info(root: Path | str) -> dict[str, Any]:
    """What ``dataset.json`` says.

    Raises:
        InputError: if the folder holds no data set, or one of another version; if an address cannot be
            reached.
    """
    try:
        info: dict[str, Any] = dict(json.loads(read_file(root, DESCRIPTION_FILE).decode()))
    except InputError:
        raise
    except (OSError, ValueError, TypeError) as error:
        msg = f"{root} is not a prepared data set: no readable dataset.json (facegan prepare makes one)"
        raise InputError(msg) from error
    if info.get("version") != FORMAT_VERSION:
        msg = (
            f"{root} has data set format {info.get('version')}, this version reads {FORMAT_VERSION}: "
            "prepare it again with facegan prepare"
        )
        raise InputError(msg)
    return info


def _joined(tables: list[Any]) -> Any:
    """One after the other, as they lie in their files."""
    import datasets

    return datasets.concatenate_datasets(tables) if len(tables) > 1 else tables[0]


def _table(root: str) -> Any:
    import datasets

    files = shards(root)
    if not files:
        msg = f"{root} holds no Parquet shards: prepare it anew"
        raise InputError(msg)
    datasets.disable_progress_bars()
    try:
        with reachable(root):
            table = datasets.Dataset.from_parquet(files)
    except (ArrowInvalid, datasets.exceptions.DatasetGenerationError) as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in FULL:
            raise error.__cause__ from None
        msg = f"{root} holds a damaged Parquet shard: prepare it anew"
        raise InputError(msg) from error
    if missing := [name for name in SCHEMA.names if name not in table.column_names]:
        msg = f"{root} holds Parquet files of another kind, without {missing[0]}: prepare it anew"
        raise InputError(msg)
    return table
