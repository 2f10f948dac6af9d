"""What is evaluated: models, pictures that other programs made, and naive answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch.utils.data import default_collate

from facegan.data import read_pair
from facegan.errors import InputError
from facegan.evaluation.image_sets import FilePictures, find_predictions
from facegan.io.atomic import atomic_file
from facegan.io.images import tensor_to_images
from facegan.networks import FaceGAN
from facegan.networks.compositing import mask_background

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.data import FaceCrops, FacePair
    from facegan.evaluation.evaluation_pairs import EvaluationPairs
    from facegan.networks import Reenactment

BATCH = 8
SOURCE, DRIVER, ANSWER = "source copied", "driver copied", "true answer"
NAIVE = (SOURCE, DRIVER, ANSWER)
"""What stands beside the methods."""


@dataclass(frozen=True)
class Method:
    """A method under evaluation."""

    name: str
    """Unique; a folder of its name holds its pictures."""
    kind: Literal["model", "predictions"]
    path: str
    """Model folder or hub name; or folder of pictures."""

    @classmethod
    def parse(cls, kind: Literal["model", "predictions"], text: str) -> Method:
        """Reads ``NAME=PATH`` or ``PATH``, whose last part is then the name.

        Raises:
            InputError: if the name cannot be that of a folder, or is that of a naive answer.
        """
        name, equals, path = text.partition("=")
        if not equals:
            name, path = Path(text).resolve().name, text
        if not name or "/" in name or name.startswith(".") or name in NAIVE:
            msg = f"a method cannot be called {name!r}: say NAME={path}"
            raise InputError(msg)
        if kind == "predictions":
            path = str(Path(path).resolve())
        return cls(name, kind, path)


def parse_methods(models: Sequence[str], predictions: Sequence[str]) -> list[Method]:
    """All methods, with different names.

    Raises:
        InputError: if there is none, or two have one name.
    """
    methods = [Method.parse("model", text) for text in models]
    methods += [Method.parse("predictions", text) for text in predictions]
    names = [method.name for method in methods]
    for name in names:
        if names.count(name) > 1:
            msg = f"two methods are called {name!r}: say NAME=… for one of them"
            raise InputError(msg)
    if not methods:
        msg = "nothing to evaluate: name a model, or a folder of predictions"
        raise InputError(msg)
    return methods


def given_pictures(folder: Path, protocol: str, count: int, size: int, name: str) -> FilePictures:
    """The pictures that another program made, ``folder/PROTOCOL/000000.png`` and so on.

    Raises:
        InputError: if any is missing.
    """
    paths = find_predictions(folder, protocol, count)
    return FilePictures(paths, _names(name, protocol, count), size)


def made_pictures(
    paint: Callable[[NDArray[np.int64]], Sequence[NDArray[np.uint8]]],
    folder: Path,
    protocol: str,
    count: int,
    size: int,
    *,
    name: str,
    progress: bool,
) -> FilePictures:
    """Makes what is not there yet of ``folder/PROTOCOL/000000.png`` and so on, each file whole or not at all.

    Args:
        paint: numbers of pairs to pictures S×S×3.
        folder: of the method's pictures.
        protocol: of the pairs.
        count: number of pairs.
        size: S.
        name: of the method.
        progress: show a bar.
    """
    paths = tuple(folder / protocol / f"{pair:06d}.png" for pair in range(count))
    # A batch is painted whole even if some of it is there: in another batch a picture's last bits differ.
    batches = [range(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]
    batches = [pairs for pairs in batches if not all(paths[pair].exists() for pair in pairs)]
    console = Console(stderr=True)
    title = f"{name}, {protocol}: pictures"
    for pairs in track(batches, title, console=console, disable=not (progress and batches)):
        for pair, image in zip(pairs, paint(np.array(pairs)), strict=True):
            if paths[pair].exists():
                continue
            with atomic_file(paths[pair]) as temporary:
                temporary.write_bytes(
                    cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
                )
    return FilePictures(paths, _names(name, protocol, count), size)


class Reenacting:
    """A model over the trials of a protocol.

    Args:
        model: in evaluation mode, or what has its interface. One without landmark transformer gets the
            driver's landmarks (the paper's Table 1).
        crops: the data, at the model's size.
        trials: which of them meet.
        device: of the model.
    """

    def __init__(
        self,
        model: Callable[..., Reenactment],
        crops: FaceCrops,
        trials: EvaluationPairs,
        device: torch.device | str = "cpu",
    ) -> None:
        self._model, self._crops, self._trials, self._device = model, crops, trials, device

    def __call__(self, pairs: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
        """Results of some pairs, S×S×3."""
        return list(tensor_to_images(self.reenact(pairs)[1].result))

    @torch.inference_mode()
    def reenact(self, pairs: NDArray[np.int64]) -> tuple[FacePair, Reenactment]:
        """The pairs as a batch, and everything that the model makes of them."""
        batch: FacePair = default_collate(
            [
                read_pair(self._crops, int(self._trials.source[pair]), int(self._trials.driver[pair]))
                for pair in pairs
            ]
        )
        background = mask_background(batch.background_image, batch.background_segmentation)
        inputs: list[Tensor] = [
            batch.source_image,
            batch.source_landmarks,
            batch.driving_motion,
            background,
        ]
        if isinstance(self._model, FaceGAN) and self._model.landmark_transformer is None:
            inputs.append(batch.driving_landmarks)
        return batch, self._model(*(tensor.to(self._device) for tensor in inputs))


def _names(method: str, protocol: str, count: int) -> tuple[str, ...]:
    return tuple(f"{method}/{protocol}/{pair:06d}" for pair in range(count))
