"""Inference with ONNX Runtime on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from facegan.errors import InputError
from facegan.inference.engines.engine import Frames
from facegan.inference.engines.exported import OUTPUTS, to_arrays

if TYPE_CHECKING:
    from torch import Tensor

    from facegan.geometry.head_alignment import SourceFace
    from facegan.inference.engines.exported import ExportedModel

ERRORS_ONLY = 3


class OnnxEngine:
    """Run exported networks with ONNX Runtime, with as many threads as PyTorch has.

    Args:
        exported: networks written by ``facegan export --format onnx``.

    Attributes:
        size: side S of the images in pixels.
        device: the CPU.

    Raises:
        InputError: if ONNX Runtime is not installed, or cannot read the networks.
    """

    device = torch.device("cpu")

    def __init__(self, exported: ExportedModel) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            msg = f"ONNX Runtime cannot be used ({error}): pip install 'facegan[onnx]'"
            raise InputError(msg) from error
        self.size = exported.size
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = torch.get_num_threads()
        settings.log_severity_level = ERRORS_ONLY
        try:
            self._session = onnxruntime.InferenceSession(
                exported.path, settings, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its own kinds, which have no common base
            reason = str(error).splitlines()[0]
            msg = f"ONNX Runtime {onnxruntime.__version__} cannot read {exported.path}: {reason}"
            raise InputError(msg) from error

    def __call__(self, source: SourceFace, motion: Tensor, background: Tensor) -> Frames:
        """Run the networks, see :class:`~facegan.inference.engines.Engine`; thread-safe."""
        outputs = self._session.run(OUTPUTS, to_arrays((*source, motion, background)))
        return Frames(*(torch.from_numpy(array) for array in outputs))
