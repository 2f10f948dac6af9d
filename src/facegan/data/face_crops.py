"""Read a prepared data set: numbers in memory, images decoded on access."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from pyarrow import ArrowInvalid
from torch import Tensor

from facegan.data.storage import (
    DISK_FULL_ERRNOS,
    as_list,
    compute_fingerprint,
    is_remote,
    list_shards,
    read_file,
    translate_storage_errors,
)
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

PREPARE_AGAIN = "prepare it again with facegan prepare"


class FaceCrops:
    """Crops of one split of a data set of ``facegan prepare``, or of several data sets.

    Args:
        root: folder with ``dataset.json`` and Parquet shards, or its URL (``s3://bucket/data``,
            ``hf://datasets/owner/name``), whose shards are downloaded once; or a list of them, in which a
            data set may occur twice.
        split: ``train``, ``val`` or ``test``; None for all.
        size: height and width to which images are reduced; None for that of the smallest data set.

    Attributes:
        landmarks: N×68×2 in -1..1.
        motion: N×20 motion parameters.
        track: N integers, equal for crops of one track.
        identity: N names.
        split: N names.
        time: N, in seconds from the start of the video.
        video: N names.
        number: N, index of the track in its video.
        frame: N, index of the frame in its video.

    Raises:
        InputError: if there is no data set of this version, ``size`` is larger than its crops, or a store
            cannot be accessed.
    """

    def __init__(
        self,
        root: Path | str | Sequence[Path | str],
        split: str | None = None,
        size: int | None = None,
    ) -> None:
        self._roots = as_list(root)
        self.root = ", ".join(self._roots)
        sizes = {one: dataset_info(one)["size"] for one in self._roots}
        self.size: int = size or min(sizes.values())
        for one, available in sizes.items():
            if self.size > available:
                msg = (
                    f"{one} holds crops of {available} pixels, {self.size} were asked for: prepare it larger"
                )
                raise InputError(msg)
        tables = [_load_table(one) for one in self._roots]
        self._starts = np.cumsum([0, *(len(one) for one in tables[:-1])])
        table = _concatenate(tables).with_format("arrow")
        splits = np.array(table["split"].to_pylist())
        self._rows = np.flatnonzero(splits == split) if split else np.arange(len(table))
        self._images = table.select_columns(["image", "segmentation"])
        self.landmarks = self._read_lists(table, "landmarks").reshape(-1, NUM_LANDMARKS, 2)
        self.motion = self._read_lists(table, "motion").reshape(-1, NUM_MOTION_PARAMS)
        self._crops = self._read_lists(table, "crop")
        self.time = self._read_scalars(table, "time").astype(np.float64)
        self.frame = self._read_scalars(table, "frame").astype(np.int64)
        self.video = self._read_scalars(table, "video")
        self.identity = self._read_scalars(table, "identity")
        self.split = splits[self._rows]
        self.number = self._read_scalars(table, "track").astype(np.int64)
        self._parts = np.searchsorted(self._starts, self._rows, side="right") - 1
        # Two data sets may have videos of the same name.
        keys = [f"{p}\n{v}\n{t}" for p, v, t in zip(self._parts, self.video, self.number, strict=True)]
        self.track = np.unique(np.array(keys, dtype=str), return_inverse=True)[1]

    def __len__(self) -> int:
        return len(self._rows)

    def picture(self, index: int) -> Tensor:
        """Read the image of a crop; 3×size×size in -1..1."""
        return image_to_tensor(self.image(index))

    def segmentation(self, index: int) -> Tensor:
        """Read the segmentation of a crop; size×size of 0 background, 1 face, 2 hair."""
        return torch.from_numpy(self.labels(index))

    def background(self, source: int, driving: int) -> tuple[Tensor, Tensor]:
        """Read image and segmentation of the source and apply :meth:`warp_to_crop`.

        Returns:
            3×size×size in -1..1, and size×size.
        """
        image, labels = self.warp_to_crop(self.image(source), self.labels(source), source, driving)
        return image_to_tensor(image), torch.from_numpy(labels)

    def image(self, index: int) -> Image:
        """Read the image of a crop; size×size×3, RGB."""
        image = self._decode("image", index, cv2.IMREAD_COLOR_RGB)
        if image.shape[0] != self.size:
            image = cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return np.asarray(image, np.uint8)

    def labels(self, index: int) -> Image:
        """Read the segmentation of a crop; size×size of 0 background, 1 face, 2 hair."""
        labels = self._decode("segmentation", index, cv2.IMREAD_GRAYSCALE)
        if labels.shape[0] != self.size:
            labels = reduce_labels(labels, self.size)
        return np.asarray(labels, np.uint8)

    def warp_to_crop(self, image: Image, labels: Image, source: int, driving: int) -> tuple[Image, Image]:
        """Resample image and segmentation of the source in the driving frame's crop window.

        A crop window follows the face, so that a static background moves from crop to crop. Within a track
        this aligns it. Outside the source's crop its border is repeated. Crops of two tracks are not changed.
        """
        if source == driving or self.track[source] != self.track[driving]:
            return image, labels
        (x, y, side), (other_x, other_y, other_side) = self._crops[[source, driving]].astype(np.float64)
        scale = self.size / side
        window = Crop((other_x - x) * scale, (other_y - y) * scale, other_side * scale)
        return window.cut(image, self.size), window.cut_labels(labels, self.size)

    def _decode(self, column: str, index: int, flag: int) -> Any:
        row = int(self._rows[index])
        (cell,) = self._images[row][column]
        image = cv2.imdecode(np.frombuffer(cell.as_buffer(), np.uint8), flag)
        if image is None:
            part = self._parts[index]
            row -= self._starts[part]
            msg = f"the {column} of crop {row} in {self._roots[part]} is damaged: {PREPARE_AGAIN}"
            raise InputError(msg)
        return image

    def _read_lists(self, table: Any, column: str) -> np.ndarray:
        array = table[column].combine_chunks()
        values: np.ndarray = np.asarray(array.flatten(), dtype=np.float32).reshape(len(table), -1)
        return values[self._rows]

    def _read_scalars(self, table: Any, column: str) -> np.ndarray:
        return np.array(table[column].to_pylist())[self._rows]


def dataset_info(root: Path | str) -> dict[str, Any]:
    """Read ``dataset.json``.

    Raises:
        InputError: if there is no data set of this version, or the store cannot be accessed.
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
            f"{PREPARE_AGAIN}"
        )
        raise InputError(msg)
    return info


def _concatenate(tables: list[Any]) -> Any:
    import datasets

    return datasets.concatenate_datasets(tables) if len(tables) > 1 else tables[0]


def _load_table(root: str) -> Any:
    """Open the shards of a data set, memory-mapped."""
    import datasets

    shards = list_shards(root)
    if not shards:
        msg = f"{root} holds no Parquet shards: {PREPARE_AGAIN}"
        raise InputError(msg)
    datasets.disable_progress_bars()
    # Downloads are cached by their addresses alone: a data set that was replaced needs another cache.
    cache = f"{datasets.config.HF_DATASETS_CACHE}/{compute_fingerprint(root)}" if is_remote(root) else None
    try:
        with translate_storage_errors(root):
            table = datasets.Dataset.from_parquet(shards, cache_dir=cache)
    except (ArrowInvalid, datasets.exceptions.DatasetGenerationError) as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in DISK_FULL_ERRNOS:
            raise error.__cause__ from None
        msg = f"{root} holds a damaged Parquet shard: {PREPARE_AGAIN}"
        raise InputError(msg) from error
    if missing := [name for name in SCHEMA.names if name not in table.column_names]:
        msg = f"{root} holds Parquet files of another kind, without {missing[0]}: {PREPARE_AGAIN}"
        raise InputError(msg)
    return table
