"""A model folder's exported networks on disk: where they lie, and whether they are still the model's."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facegan.errors import InputError
from facegan.networks.facegan import CONFIG, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

FILES = {"openvino": "model.xml", "onnx": "model.onnx"}
"""For each format the file to open; the folder in the model folder has the format's name."""
RECORD = "export.json"
"""What was exported, and how well it agrees with PyTorch."""
INPUTS = ("source", "landmarks", "motion", "background")
OUTPUTS = ("result", "moved_landmarks", "mask")
"""Names in the graph; of the outputs in the order of :class:`~facegan.inference.engines.Frames`."""


@dataclass(frozen=True)
class Exported:
    """Exported networks that belong to their model and are whole.

    Attributes:
        path: the file to open.
        size: side of the pictures in pixels.
    """

    path: Path
    size: int

    @classmethod
    def find(cls, model: Path | str, kind: str) -> Exported:
        """The networks in a model folder.

        Args:
            model: the folder.
            kind: ``openvino`` or ``onnx``.

        Raises:
            InputError: if there are none, or they are damaged, or the model has changed since.
        """
        folder = Path(model)
        if not (folder / CONFIG).is_file() or not (folder / WEIGHTS).is_file():
            msg = f"{folder} is not a model folder on this disk, which the engine {kind} needs"
            raise InputError(msg)
        out = folder / kind
        again = f"facegan export --model {folder} --format {kind}"
        if not (out / RECORD).is_file():
            msg = f"{folder} is not exported for {kind}: {again} makes it"
            raise InputError(msg)
        try:
            record = json.loads((out / RECORD).read_text())
            same = record["model"] == fingerprint(folder)
            whole = record["files"] == digests(out)
            size = int(record["size"])
        except (ValueError, KeyError, TypeError) as error:
            msg = f"{out / RECORD} is damaged: {again} --overwrite makes it anew"
            raise InputError(msg) from error
        if not same:
            msg = f"{out} was exported from another state of the model: {again} --overwrite makes it anew"
            raise InputError(msg)
        if not whole:
            msg = f"{out} is damaged, its files have changed: {again} --overwrite makes it anew"
            raise InputError(msg)
        return cls(out / FILES[kind], size)


def fingerprint(model: Path) -> dict[str, Any]:
    """What the networks of a model folder depend on: its configuration, and the weights' SHA-256."""
    return {"config": json.loads((model / CONFIG).read_text()), "weights": _sha256(model / WEIGHTS)}


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of all files but the record."""
    return {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.name != RECORD}


def arrays(tensors: Sequence[Tensor]) -> dict[str, NDArray[np.float32]]:
    """Tensors in the order of INPUTS as an engine outside PyTorch takes them."""
    return {
        name: tensor.detach().cpu().float().contiguous().numpy()
        for name, tensor in zip(INPUTS, tensors, strict=True)
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
