"""Where pictures are read from: crops of a data set, or files that some program made."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

import cv2
import numpy as np
from PIL import Image

from facegan.data import FaceCrops
from facegan.errors import InputError
from facegan.io.images import tensor_to_images

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


class Pictures(Protocol):
    """Pictures that can be sent to another process and read there."""

    @property
    def names(self) -> Sequence[str]:
        """One a picture."""
        ...

    def read(self, index: int) -> NDArray[np.uint8]:
        """S×S×3, RGB."""
        ...


class CropPictures(NamedTuple):
    """Crops of a data set."""

    root: str
    split: str | None
    size: int
    indices: tuple[int, ...]
    names: tuple[str, ...]

    def read(self, index: int) -> NDArray[np.uint8]:
        """S×S×3, RGB."""
        crops = _open(self.root, self.split, self.size)
        return tensor_to_images(crops.picture(self.indices[index]))


class FilePictures(NamedTuple):
    """Pictures of a method, brought to the size of the evaluation."""

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    size: int

    def read(self, index: int) -> NDArray[np.uint8]:
        """S×S×3, RGB.

        Raises:
            InputError: if the file is no picture.
        """
        path = self.paths[index]
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            msg = f"cannot read the picture {path}"
            raise InputError(msg)
        if image.shape[0] != self.size:
            smaller = image.shape[0] > self.size
            kind = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
            image = cv2.resize(image, (self.size, self.size), interpolation=kind)
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def find_predictions(folder: Path, protocol: str, count: int) -> tuple[Path, ...]:
    """Files ``PROTOCOL/000000.png`` and so on of a folder.

    Raises:
        InputError: if any is missing, there are more, or one is no square picture.
    """
    if not folder.is_dir():
        msg = f"no folder of predictions: {folder}"
        raise InputError(msg)
    found = {}
    for path in sorted((folder / protocol).glob("*")):
        if path.suffix.lower() in SUFFIXES and path.stem.isdecimal():
            found[int(path.stem)] = path
    missing = [pair for pair in range(count) if pair not in found]
    if missing:
        msg = (
            f"{folder} lacks {len(missing)} of {count} pictures of {protocol}, the first being "
            f"{protocol}/{missing[0]:06d}.png"
        )
        raise InputError(msg)
    if len(found) > count:
        msg = (
            f"{folder} has {len(found)} pictures of {protocol}, but there are {count} pairs: evaluate it on "
            "those that it was made for (--pairs FILE)"
        )
        raise InputError(msg)
    for path in found.values():
        _check(path)
    return tuple(found[pair] for pair in range(count))


def _check(path: Path) -> None:
    """By its head alone: thousands are looked at before anything is measured."""
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (OSError, Image.DecompressionBombError) as error:
        msg = f"cannot read the picture {path}: {error}"
        raise InputError(msg) from error
    if width != height:
        msg = f"{path} has {width}×{height} pixels: predictions are square, as the crops"
        raise InputError(msg)


@lru_cache(maxsize=2)
def _open(root: str, split: str | None, size: int) -> FaceCrops:
    """A process reads one data set again and again."""
    return FaceCrops(root, split, size)
