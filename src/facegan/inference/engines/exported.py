"""Exported networks in a model folder: their files, and whether they belong to the model and are whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from facegan.errors import InputError
from facegan.networks.facegan import CONFIG, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

MODEL_FILES = {"openvino": "model.xml", "onnx": "model.onnx"}
"""File to open for each format, in the subfolder with the name of the format."""
RECORD = "export.json"
"""Name of the record of an export: fingerprints and the comparison with PyTorch."""
INPUTS = ("source", "segmentation", "landmarks", "source_motion", "motion", "background")
OUTPUTS = ("result", "target_landmarks", "mask")
"""Names in the graph; outputs in the order of :class:`~facegan.inference.engines.Frames`."""


@dataclass(frozen=True)
class ExportedModel:
    """Exported networks that belong to their model and are whole.

    Attributes:
        path: the file to open.
        size: side of the images in pixels.
    """

    path: Path
    size: int

    @classmethod
    def load(cls, model: Path | str, format_: str) -> ExportedModel:
        """Verify the networks in a model folder.

        Args:
            model: the folder.
            format_: ``openvino`` or ``onnx``.

        Raises:
            InputError: if there are none, or they are damaged, or the model was changed after the export.
        """
        folder = Path(model)
        if not (folder / CONFIG).is_file() or not (folder / WEIGHTS).is_file():
            msg = f"{folder} is not a model folder on this disk, which the engine {format_} needs"
            raise InputError(msg)
        out = folder / format_
        again = f"facegan export --model {folder} --format {format_}"
        if not (out / RECORD).is_file():
            msg = f"{folder} is not exported for {format_}: {again} makes it"
            raise InputError(msg)
        try:
            record = json.loads((out / RECORD).read_text())
            is_current = record["model"] == fingerprint(folder)
            is_whole = record["files"] == hash_files(out)
            size = int(record["size"])
        except (ValueError, KeyError, TypeError) as error:
            msg = f"{out / RECORD} is damaged: {again} --overwrite makes it anew"
            raise InputError(msg) from error
        if not is_current:
            msg = f"{out} was exported from another state of the model: {again} --overwrite makes it anew"
            raise InputError(msg)
        if not is_whole:
            msg = f"{out} is damaged, its files have changed: {again} --overwrite makes it anew"
            raise InputError(msg)
        return cls(out / MODEL_FILES[format_], size)


def fingerprint(model: Path) -> dict[str, Any]:
    """Return what the networks of a model folder depend on: its configuration and the weights' SHA-256."""
    return {"config": json.loads((model / CONFIG).read_text()), "weights": _sha256(model / WEIGHTS)}


def hash_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of all files but the record."""
    return {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.name != RECORD}


def to_arrays(tensors: Sequence[Tensor]) -> dict[str, NDArray[Any]]:
    """Convert tensors in the order of INPUTS to named arrays: float32, the segmentation uint8."""
    return {
        name: tensor.detach()
        .cpu()
        .to(torch.uint8 if name == "segmentation" else torch.float32)
        .contiguous()
        .numpy()
        for name, tensor in zip(INPUTS, tensors, strict=True)
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
