"""What is evaluated: models, images that other programs made, and baselines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from rich.console import Console
from rich.progress import track
from torch.utils.data import default_collate

from facegan.data import read_pair
from facegan.errors import InputError
from facegan.evaluation.image_sets import FileImages
from facegan.io.images import tensor_to_images, write_image
from facegan.networks.compositing import mask_background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from facegan.data import FaceCrops, FacePair
    from facegan.data.evaluation_pairs import EvaluationPairs
    from facegan.networks import FaceGAN, Reenactment

BATCH_SIZE = 8
SOURCE_COPIED, DRIVING_COPIED, GROUND_TRUTH = "source copied", "driving copied", "ground truth"
BASELINES = (SOURCE_COPIED, DRIVING_COPIED, GROUND_TRUTH)
"""Reference rows beside the methods: the source and the driving image as they are, and the ground-truth
reenactment of synthetic identities."""


@dataclass(frozen=True)
class Method:
    """A method under evaluation."""

    name: str
    """Unique; a folder of this name holds the method's images."""
    kind: Literal["model", "predictions"]
    path: str
    """Model folder or hub name; or folder of images."""

    @classmethod
    def parse(cls, kind: Literal["model", "predictions"], text: str) -> Method:
        """Parse ``NAME=PATH``, or ``PATH``, whose last part is then the name.

        Raises:
            InputError: if the name cannot be that of a folder, or is that of a baseline.
        """
        name, equals, path = text.partition("=")
        if not equals:
            name, path = Path(text).resolve().name, text
        if not name or "/" in name or name.startswith(".") or name in BASELINES:
            msg = f"a method cannot be called {name!r}: say NAME={path}"
            raise InputError(msg)
        if kind == "predictions":
            path = str(Path(path).resolve())
        return cls(name, kind, path)


def parse_methods(models: Sequence[str], predictions: Sequence[str]) -> list[Method]:
    """Parse all methods.

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


def predict_images(
    predict: Callable[[Sequence[int]], Iterable[NDArray[np.uint8]]],
    folder: Path,
    count: int,
    size: int,
    *,
    title: str,
    progress: bool,
) -> FileImages:
    """Predict those of the images ``FOLDER/000000.png`` and so on that do not exist yet.

    Args:
        predict: numbers of pairs to images S×S×3.
        folder: ``METHOD/PROTOCOL``, where the images are stored.
        count: number of pairs.
        size: S.
        title: what the progress bar says.
        progress: show it.
    """
    paths = [folder / f"{pair:06d}.png" for pair in range(count)]
    # A batch is predicted whole even if some of it exists: in another batch an image's last bits differ.
    batches = [range(start, min(start + BATCH_SIZE, count)) for start in range(0, count, BATCH_SIZE)]
    batches = [pairs for pairs in batches if not all(paths[pair].exists() for pair in pairs)]
    console = Console(stderr=True)
    for pairs in track(batches, title, console=console, disable=not (progress and batches)):
        for pair, image in zip(pairs, predict(pairs), strict=True):
            if not paths[pair].exists():
                write_image(paths[pair], image)
    return FileImages(paths, prediction_names(folder.parent.name, folder.name, count), size)


def prediction_names(method: str, protocol: str, count: int) -> list[str]:
    """Return the names ``METHOD/PROTOCOL/000000`` and so on."""
    return [f"{method}/{protocol}/{pair:06d}" for pair in range(count)]


class ModelPredictor:
    """Reenactment of evaluation pairs by a model.

    Args:
        model: in evaluation mode. One without a landmark transformer gets the driving landmarks
            (the paper's Table 1).
        crops: the data, at the model's size.
        pairs: which crops are paired.
    """

    def __init__(self, model: FaceGAN, crops: FaceCrops, pairs: EvaluationPairs) -> None:
        self._model, self._crops, self._pairs = model, crops, pairs
        self._device = next(model.parameters()).device

    def predict(self, numbers: Sequence[int]) -> NDArray[np.uint8]:
        """Predict the results of some pairs, N×S×S×3."""
        return tensor_to_images(self.reenact(numbers)[1].result)

    @torch.inference_mode()
    def reenact(self, numbers: Sequence[int]) -> tuple[FacePair, Reenactment]:
        """Run the model on some pairs; returns the batch and all outputs."""
        source, driving, _ = self._pairs
        batch: FacePair = default_collate(
            [read_pair(self._crops, int(source[n]), int(driving[n])) for n in numbers]
        )
        background = mask_background(batch.background_image, batch.background_segmentation)
        inputs = [batch.driving_motion, background]
        if self._model.landmark_transformer is None:
            inputs.append(batch.driving_landmarks)
        face = batch.source.to(self._device)
        return batch, self._model(face, *(tensor.to(self._device) for tensor in inputs))
