"""The networks for other programs than PyTorch: what stands behind ``facegan export``."""

from __future__ import annotations

import json
import logging
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from rich.console import Console
from torch import Tensor, nn

from facegan import __version__
from facegan.errors import InputError
from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.geometry.motion import NUM_MOTION_PARAMS
from facegan.inference.engines import Exported, OnnxEngine, OpenVINOEngine, TorchEngine
from facegan.inference.engines.exported import FILES, INPUTS, OUTPUTS, RECORD, digests, fingerprint
from facegan.inference.export_check import BATCHES, Agreement, compare, own_trial, synthetic_inputs
from facegan.io.atomic import atomic_folder
from facegan.networks import FaceGAN
from facegan.networks.facegan import CONFIG

if TYPE_CHECKING:
    from collections.abc import Iterator

Format = Literal["openvino", "onnx"]
PICTURE_BOUND = 0.5
"""Largest difference from PyTorch in any pixel, of 255 levels: once rounded, at most one level."""
LANDMARK_BOUND = 0.05
"""The same for landmarks, in pixels."""
PACKAGES = {"openvino": ("openvino", "onnx", "onnxscript"), "onnx": ("onnxruntime", "onnx", "onnxscript")}
"""What each format is written with."""


@dataclass(frozen=True)
class Summary:
    """What was written.

    Attributes:
        out: the folder in the model folder.
        megabytes: its size.
        agreement: how well its networks agree with PyTorch.
        on: what they were tried on.
    """

    out: Path
    megabytes: float
    agreement: Agreement
    on: str

    def describe(self) -> str:
        """The same in words."""
        return f"{self.out}: {self.megabytes:.1f} MB; {self.agreement.describe()} ({self.on})"


def export(
    model: Path,
    kind: Format,
    *,
    frames: Path | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Summary:
    """Writes a model's networks as one graph, tries them, and puts them into the model folder.

    The graph leads from source, landmarks, motion and background to result, landmarks and mask, for
    batches of any size; what lies between the networks is part of it. It is tried on drawn heads or on the
    user's own face and only kept if its frames are PyTorch's.

    Args:
        model: model folder; the networks come to lie in its folder ``openvino`` or ``onnx``.
        kind: what they are for.
        frames: picture or video of a face to try them on.
        overwrite: replace an earlier export.
        progress: say what is being done.

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
    _require(kind)
    if (model / kind / RECORD).is_file() and not overwrite:
        msg = f"{model} is exported for {kind} already: say --overwrite to do it anew"
        raise InputError(msg)
    with (
        atomic_folder(model / kind, marker=RECORD, overwrite=overwrite) as folder,
        Console(stderr=True, quiet=not progress).status("reading the model") as status,
    ):
        networks = FaceGAN.from_pretrained(model)
        reference = TorchEngine(networks)
        trial = own_trial(model, frames) if frames else synthetic_inputs(reference.size)
        status.update(f"writing for {kind}")
        (_write_openvino if kind == "openvino" else _write_onnx)(networks, folder / FILES[kind])
        status.update("comparing with PyTorch")
        exported = Exported(folder / FILES[kind], reference.size)
        engine = OpenVINOEngine(exported) if kind == "openvino" else OnnxEngine(exported)
        agreement = compare(engine, reference, trial)
        del engine  # it holds the files that are about to be moved
        _require_agreement(agreement, kind)
        on = "your own frames" if frames else "drawn heads"
        record = {
            "format": kind,
            "size": reference.size,
            "model": fingerprint(model),
            "files": digests(folder),
            "agreement": {"on": on, "batches": BATCHES, **asdict(agreement)},
            "bounds": {"picture_max": PICTURE_BOUND, "landmarks_max": LANDMARK_BOUND},
            "made_with": {
                "facegan": __version__,
                **{name: version(name) for name in ("torch", *PACKAGES[kind])},
            },
        }
        (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n")
        megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    return Summary(model / kind, megabytes, agreement, on)


class _Graph(nn.Module):
    """The model with an engine's inputs and outputs."""

    def __init__(self, model: FaceGAN) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, source: Tensor, landmarks: Tensor, motion: Tensor, background: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        made = self.model(source, landmarks, motion, background)
        return made.result, made.landmarks, made.mask


def _write_onnx(model: FaceGAN, path: Path) -> None:
    size = model.config.size
    # Two of each: one would be taken for a constant.
    picture = torch.zeros(2, 3, size, size)
    example = (picture, torch.zeros(2, NUM_LANDMARKS, 2), torch.zeros(2, NUM_MOTION_PARAMS), picture.clone())
    with _quiet():
        program = torch.onnx.export(
            _Graph(model).eval(),
            example,
            dynamo=True,
            dynamic_shapes={name: {0: "batch"} for name in INPUTS},
            input_names=INPUTS,
            output_names=OUTPUTS,
            verbose=False,
        )
    assert program is not None  # it is None for the older exporter alone
    _forget_origin(program.model)
    program.save(path)


def _write_openvino(model: FaceGAN, path: Path) -> None:
    """By way of ONNX: taken from PyTorch directly, instance norms become many small, slow steps."""
    import openvino

    onnx = path.with_name(FILES["onnx"])
    _write_onnx(model, onnx)
    networks = openvino.convert_model(onnx)
    try:
        openvino.save_model(networks, path, compress_to_fp16=False)
    except RuntimeError as error:
        msg = f"OpenVINO cannot write into {path.parents[1]}: is the disk full? ({error})"
        raise OSError(msg) from error
    for file in path.parent.glob(f"{onnx.name}*"):
        file.unlink()


def _forget_origin(model: Any) -> None:
    """Takes the exporter's notes out, which name source files where they lie on this machine."""
    for part in (model, model.graph, *model.graph.all_nodes()):
        part.metadata_props.clear()
    for node in model.graph.all_nodes():
        for value in node.outputs:
            value.metadata_props.clear()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter tells its developers."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _require(kind: Format) -> None:
    if kind not in PACKAGES:
        msg = f"no format {kind!r}: choose from {', '.join(PACKAGES)}"
        raise InputError(msg)
    for name in PACKAGES[kind]:
        try:
            import_module(name)
        except ImportError as error:
            msg = f"the format {kind} cannot be written ({error}): pip install 'facegan[{kind}]'"
            raise InputError(msg) from error


def _require_agreement(found: Agreement, kind: Format) -> None:
    # So that no number at all is not within the bounds either.
    if not (found.picture_max <= PICTURE_BOUND and found.landmarks_max <= LANDMARK_BOUND):
        msg = (
            f"not exported for {kind}: {found.describe()}; up to {PICTURE_BOUND} levels and "
            f"{LANDMARK_BOUND} pixels are allowed, so use this model with PyTorch"
        )
        raise InputError(msg)
