"""Export of a model's networks to OpenVINO or ONNX Runtime."""

from __future__ import annotations

import json
import logging
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import torch
from rich.console import Console
from torch import Tensor, nn

from facegan import __version__
from facegan.errors import InputError
from facegan.geometry.head_alignment import SourceFace
from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.geometry.motion import NUM_MOTION_PARAMS
from facegan.inference.engines import ExportedModel, OnnxEngine, OpenVINOEngine, TorchEngine
from facegan.inference.engines.exported import INPUTS, MODEL_FILES, OUTPUTS, RECORD, fingerprint, hash_files
from facegan.inference.export_check import (
    BATCHES,
    EngineDifference,
    compare_engines,
    inputs_from_file,
    synthetic_inputs,
)
from facegan.io.atomic import atomic_folder
from facegan.networks import FaceGAN
from facegan.networks.facegan import CONFIG

if TYPE_CHECKING:
    from collections.abc import Iterator

ExportFormat: TypeAlias = Literal["openvino", "onnx"]
IMAGE_TOLERANCE = 0.5
"""Largest allowed difference from PyTorch in a pixel, of 255 levels: at most one level after rounding."""
LANDMARK_TOLERANCE = 0.05
"""Largest allowed difference of a landmark in pixels."""
PACKAGES = {"openvino": ("openvino", "onnx", "onnxscript"), "onnx": ("onnxruntime", "onnx", "onnxscript")}
"""Packages that an export to each format needs."""


@dataclass(frozen=True)
class ExportSummary:
    """Summary of an export.

    Attributes:
        out: folder of the networks, in the model folder.
        megabytes: its size.
        difference: difference from PyTorch.
        inputs: inputs of the comparison.
    """

    out: Path
    megabytes: float
    difference: EngineDifference
    inputs: str

    def describe(self) -> str:
        """Describe the export in one line."""
        return f"{self.out}: {self.megabytes:.1f} MB; {self.difference.describe()} ({self.inputs})"


def export_model(
    model: Path,
    format_: ExportFormat,
    *,
    frames: Path | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> ExportSummary:
    """Export the networks as one graph into the model folder and compare them with PyTorch.

    The graph maps INPUTS to OUTPUTS (:mod:`facegan.inference.engines.exported`), for batches of any size,
    with all operations between the networks. It is compared on synthetic heads or on the user's own face
    and only kept if its frames equal PyTorch's within IMAGE_TOLERANCE and LANDMARK_TOLERANCE.

    Args:
        model: model folder; the networks are written into its subfolder ``openvino`` or ``onnx``.
        format_: the format.
        frames: image or video of a face for the comparison.
        overwrite: replace an earlier export.
        progress: show the current step.

    Raises:
        InputError: if this is no model folder, the model has no landmark transformer, a package is not
            installed, ``frames`` cannot be read or shows no face, there is an earlier export, or the
            exported networks' frames are not PyTorch's; nothing is written then.
        OSError: if the result cannot be written, for example to a full disk; nothing is left of it.
    """
    model = Path(model)
    if not (model / CONFIG).is_file():
        msg = f"{model} is not a model folder on this disk: it lacks {CONFIG} (facegan bundle makes one)"
        raise InputError(msg)
    _require_packages(format_)
    if (model / format_ / RECORD).is_file() and not overwrite:
        msg = f"{model} is exported for {format_} already: say --overwrite to do it anew"
        raise InputError(msg)
    with (
        atomic_folder(model / format_, marker=RECORD, overwrite=overwrite) as folder,
        Console(stderr=True, quiet=not progress).status("reading the model") as status,
    ):
        networks = FaceGAN.from_pretrained(model)
        reference = TorchEngine(networks)
        inputs = inputs_from_file(model, frames) if frames else synthetic_inputs(reference.size)
        status.update(f"writing for {format_}")
        (_write_openvino if format_ == "openvino" else _write_onnx)(networks, folder / MODEL_FILES[format_])
        status.update("comparing with PyTorch")
        exported = ExportedModel(folder / MODEL_FILES[format_], reference.size)
        engine = OpenVINOEngine(exported) if format_ == "openvino" else OnnxEngine(exported)
        difference = compare_engines(engine, reference, inputs)
        del engine  # it holds the files that are about to be moved
        _require_equality(difference, format_)
        inputs_name = "your own frames" if frames else "synthetic heads"
        record = {
            "format": format_,
            "size": reference.size,
            "model": fingerprint(model),
            "files": hash_files(folder),
            "difference": {"inputs": inputs_name, "batches": BATCHES, **asdict(difference)},
            "tolerances": {"image_max": IMAGE_TOLERANCE, "landmarks_max": LANDMARK_TOLERANCE},
            "made_with": {
                "facegan": __version__,
                **{name: version(name) for name in ("torch", *PACKAGES[format_])},
            },
        }
        (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n")
        megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    return ExportSummary(model / format_, megabytes, difference, inputs_name)


class _Graph(nn.Module):
    """The model with the inputs and outputs of an engine."""

    def __init__(self, model: FaceGAN) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        source: Tensor,
        segmentation: Tensor,
        landmarks: Tensor,
        source_motion: Tensor,
        motion: Tensor,
        background: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        output = self.model(SourceFace(source, segmentation, landmarks, source_motion), motion, background)
        return output.result, output.landmarks, output.mask


def _write_onnx(model: FaceGAN, path: Path) -> None:
    size = model.config.size
    # A batch of one would be taken for a constant.
    image = torch.zeros(2, 3, size, size)
    motion = torch.zeros(2, NUM_MOTION_PARAMS)
    labels = torch.zeros(2, size, size, dtype=torch.uint8)
    example = (image, labels, torch.rand(2, NUM_LANDMARKS, 2), motion, motion.clone(), image.clone())
    with _silence_exporter():
        program = torch.onnx.export(
            _Graph(model).eval(),
            example,
            dynamo=True,
            dynamic_shapes={name: {0: "batch"} for name in INPUTS},
            input_names=INPUTS,
            output_names=OUTPUTS,
            verbose=False,
            # Both engines optimize the graph when they load it.
            optimize=False,
        )
    assert program is not None  # it is None for the older exporter alone
    _strip_metadata(program.model)
    program.save(path)


def _write_openvino(model: FaceGAN, path: Path) -> None:
    """Convert by way of ONNX: from PyTorch directly, instance norms become many small, slow operations."""
    import openvino

    onnx = path.with_name(MODEL_FILES["onnx"])
    _write_onnx(model, onnx)
    networks = openvino.convert_model(onnx)
    try:
        openvino.save_model(networks, path, compress_to_fp16=False)
    except RuntimeError as error:
        msg = f"OpenVINO cannot write into {path.parents[1]}: is the disk full? ({error})"
        raise OSError(msg) from error
    for file in path.parent.glob(f"{onnx.name}*"):
        file.unlink()


def _strip_metadata(model: Any) -> None:
    """Remove the exporter's metadata, which hold paths of source files on this machine."""
    for part in (model, model.graph, *model.graph.all_nodes()):
        part.metadata_props.clear()
    for node in model.graph.all_nodes():
        for value in node.outputs:
            value.metadata_props.clear()


@contextmanager
def _silence_exporter() -> Iterator[None]:
    """Suppress warnings of the exporter."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _require_packages(format_: ExportFormat) -> None:
    if format_ not in PACKAGES:
        msg = f"no format {format_!r}: choose from {', '.join(PACKAGES)}"
        raise InputError(msg)
    for name in PACKAGES[format_]:
        try:
            import_module(name)
        except ImportError as error:
            msg = f"the format {format_} cannot be written ({error}): pip install 'facegan[{format_}]'"
            raise InputError(msg) from error


def _require_equality(difference: EngineDifference, format_: ExportFormat) -> None:
    # Written so that NaN fails too.
    if not (difference.image_max <= IMAGE_TOLERANCE and difference.landmarks_max <= LANDMARK_TOLERANCE):
        msg = (
            f"not exported for {format_}: {difference.describe()}; up to {IMAGE_TOLERANCE} levels and "
            f"{LANDMARK_TOLERANCE} pixels are allowed, so use this model with PyTorch"
        )
        raise InputError(msg)
