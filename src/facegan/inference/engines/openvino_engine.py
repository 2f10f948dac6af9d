"""Inference with OpenVINO on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from facegan.errors import InputError
from facegan.inference.engines.engine import Frames
from facegan.inference.engines.exported import OUTPUTS, to_arrays

if TYPE_CHECKING:
    from torch import Tensor

    from facegan.geometry.head_alignment import SourceFace
    from facegan.inference.engines.exported import ExportedModel


class OpenVINOEngine:
    """Run exported networks with OpenVINO, with as many threads as PyTorch has.

    With ``f32`` frames differ from PyTorch's by a small fraction of a gray level, which ``facegan export``
    verifies. ``bf16``, OpenVINO's default on processors that support it, is about twice as fast but differs
    by up to ten gray levels.

    Args:
        exported: networks written by ``facegan export --format openvino``.
        precision: of the arithmetic.

    Attributes:
        size: side S of the images in pixels.
        device: the CPU.

    Raises:
        InputError: if OpenVINO is not installed, or cannot read the networks.
    """

    device = torch.device("cpu")

    def __init__(self, exported: ExportedModel, precision: Literal["f32", "bf16"] = "f32") -> None:
        try:
            import openvino
        except ImportError as error:
            msg = f"OpenVINO cannot be used ({error}): pip install 'facegan[openvino]'"
            raise InputError(msg) from error
        self.size = exported.size
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        try:
            self._model = openvino.Core().compile_model(exported.path, "CPU", settings)
        except RuntimeError as error:
            msg = f"OpenVINO {openvino.__version__} cannot read {exported.path}: {_last_line(error)}"
            raise InputError(msg) from error

    def __call__(self, source: SourceFace, motion: Tensor, background: Tensor) -> Frames:
        """Run the networks, see :class:`~facegan.inference.engines.Engine`; thread-safe."""
        # The model's shared request is not thread-safe, and a new one costs nothing.
        outputs = self._model.create_infer_request().infer(to_arrays((*source, motion, background)))
        return Frames(*(torch.from_numpy(outputs[name]) for name in OUTPUTS))


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
