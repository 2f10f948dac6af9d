"""Ordered sets of images that worker processes can read: crops of a data set, or image files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Protocol, Self

import cv2
import numpy as np
import torch
from PIL import Image

from facegan.data import FaceCrops
from facegan.errors import InputError
from facegan.io.images import read_image
from facegan.metrics.face_measurements import FaceMeasurements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from facegan.parallel.workers import Workers
    from facegan.perception.face_measurer import MetricBackends

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
JOB_SIZE = 64
"""Images of a worker's job. A job loads its networks anew, which takes as long as measuring five images."""
BATCH_SIZE = 8
"""Images of a network's batch. Fixed, so that the last bits of a metric depend on nothing else."""


class ImageSet(Protocol):
    """Images that can be sent to another process and read there."""

    @property
    def names(self) -> Sequence[str]:
        """Names without suffix, such as ``model/self/000012``, one an image."""
        ...

    def read(self, index: int) -> NDArray[np.uint8]:
        """Read an image, S×S×3, RGB."""
        ...

    def subset(self, indices: range) -> Self:
        """Return some of the images as a set of their own."""
        ...


class CropImages:
    """Crops of a data set; another process opens the data set by its root.

    Args:
        crops: the data set, at the evaluation's size.
        split: the split that ``crops`` was opened with.
        indices: which crops.
        names: one an image.
    """

    def __init__(
        self, crops: FaceCrops, split: str | None, indices: Sequence[int], names: Sequence[str]
    ) -> None:
        self.crops, self.split, self.indices, self.names = crops, split, indices, names

    def read(self, index: int) -> NDArray[np.uint8]:
        """Read an image, S×S×3, RGB."""
        return self.crops.image(self.indices[index])

    def subset(self, indices: range) -> CropImages:
        """Return some of the images as a set of their own."""
        chosen = [self.indices[index] for index in indices]
        return CropImages(self.crops, self.split, chosen, [self.names[index] for index in indices])

    def __reduce__(self) -> tuple[Any, ...]:
        return _open_crops, (self.crops.root, self.split, self.crops.size, self.indices, self.names)


@dataclass(frozen=True)
class FileImages:
    """Image files, resized to S×S."""

    paths: Sequence[Path]
    names: Sequence[str]
    size: int

    def read(self, index: int) -> NDArray[np.uint8]:
        """Read an image, S×S×3, RGB.

        Raises:
            InputError: if the file is no image.
        """
        image = read_image(self.paths[index])
        if image.shape[0] != self.size:
            interpolation = cv2.INTER_AREA if image.shape[0] > self.size else cv2.INTER_CUBIC
            image = np.asarray(cv2.resize(image, (self.size, self.size), interpolation=interpolation))
        return image

    def subset(self, indices: range) -> FileImages:
        """Return some of the images as a set of their own."""
        paths = [self.paths[index] for index in indices]
        return FileImages(paths, [self.names[index] for index in indices], self.size)


def find_predictions(folder: Path, protocol: str, count: int) -> list[Path]:
    """Find the files ``PROTOCOL/000000.png`` and so on of a folder.

    Raises:
        InputError: if any is missing, there are more, or one is no square image.
    """
    if not folder.is_dir():
        msg = f"no folder of predictions: {folder}"
        raise InputError(msg)
    files = {
        int(path.stem): path
        for path in sorted((folder / protocol).glob("*"))
        if path.suffix.lower() in SUFFIXES and path.stem.isdecimal()
    }
    missing = [pair for pair in range(count) if pair not in files]
    if missing:
        first = f"{protocol}/{missing[0]:06d}.png"
        msg = f"{folder} lacks {len(missing)} of {count} images of {protocol}, the first being {first}"
        raise InputError(msg)
    if len(files) > count:
        msg = (
            f"{folder} has {len(files)} images of {protocol}, but there are {count} pairs: evaluate it on "
            "the pairs that it was made for (--pairs FILE)"
        )
        raise InputError(msg)
    for path in files.values():
        _require_square(path)
    return [files[pair] for pair in range(count)]


def map_images(
    function: Callable[..., dict[str, NDArray[Any]]], sets: Sequence[ImageSet], workers: Workers, title: str
) -> dict[str, NDArray[Any]]:
    """Apply a function to chunks of image sets of one length, over several processes.

    Args:
        function: importable; takes a chunk of each set, returns arrays with one row an image.
        sets: one or more image sets.
        workers: the processes.
        title: what the progress bar says.

    Returns:
        The rows of all chunks in order.
    """
    count = len(sets[0].names)
    chunks = [range(start, min(start + JOB_SIZE, count)) for start in range(0, count, JOB_SIZE)]
    jobs = [[images.subset(chunk) for images in sets] for chunk in chunks]
    parts = workers.run(partial(_run_job, function), jobs, title)
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def read_batches(images: ImageSet, size: int = BATCH_SIZE) -> Iterator[NDArray[np.uint8]]:
    """Read a set in batches, N×S×S×3."""
    count = len(images.names)
    for start in range(0, count, size):
        yield np.stack([images.read(index) for index in range(start, min(start + size, count))])


def _open_crops(
    root: str, split: str | None, size: int, indices: Sequence[int], names: Sequence[str]
) -> CropImages:
    return CropImages(FaceCrops(root, split, size), split, indices, names)


def _run_job(function: Callable[..., dict[str, NDArray[Any]]], sets: list[ImageSet]) -> dict[str, Any]:
    """Use one thread: the last bits must not depend on the number of processes."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        return function(*sets)
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def _require_square(path: Path) -> None:
    """Read the header alone: thousands of files are checked before anything is measured."""
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (OSError, Image.DecompressionBombError) as error:
        msg = f"cannot read the image {path}: {error}"
        raise InputError(msg) from error
    if width != height:
        msg = f"{path} has {width}×{height} pixels: predictions are square, as the crops"
        raise InputError(msg)


def measure_faces(
    images: ImageSet, backends: MetricBackends, workers: Workers, title: str
) -> FaceMeasurements:
    """Measure the faces of a set of images over several processes."""
    return FaceMeasurements(**map_images(partial(_measure, backends), [images], workers, title))


def _measure(backends: MetricBackends, images: ImageSet) -> dict[str, NDArray[np.float32]]:
    names = iter(images.names)
    with backends.open() as measurer:
        parts = [measurer.analyze(batch, list(islice(names, len(batch)))) for batch in read_batches(images)]
    return FaceMeasurements.concatenate(parts)._asdict()
