"""The networks in OpenVINO, on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from facegan.errors import InputError
from facegan.inference.engines.engine import Frames
from facegan.inference.engines.exported import OUTPUTS, arrays

if TYPE_CHECKING:
    from torch import Tensor

    from facegan.inference.engines.exported import Exported


class OpenVINOEngine:
    """Computes with OpenVINO, with as many threads as PyTorch has.

    In ``f32`` a frame is PyTorch's to a small part of a gray level, on every machine, which is what
    ``facegan export`` has tried. OpenVINO's own choice would be ``bf16`` where the processor has it: about
    twice as fast, but in places ten levels off (``benchmarks/export``).

    Args:
        exported: what ``facegan export --format openvino`` wrote.
        precision: of the arithmetic.

    Attributes:
        size: side S of the pictures in pixels.
        device: the CPU.

    Raises:
        InputError: if OpenVINO is not installed, or cannot read the networks.
    """

    device = torch.device("cpu")

    def __init__(self, exported: Exported, precision: Literal["f32", "bf16"] = "f32") -> None:
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
            self._networks = openvino.Core().compile_model(exported.path, "CPU", settings)
        except RuntimeError as error:
            msg = f"OpenVINO {openvino.__version__} cannot read {exported.path}: {_last_line(error)}"
            raise InputError(msg) from error

    def __call__(self, source: Tensor, landmarks: Tensor, motion: Tensor, background: Tensor) -> Frames:
        """As in :class:`~facegan.inference.engines.Engine`; may be called by several threads."""
        # A request of its own costs nothing, and the one that calling the networks shares serves one thread.
        made = self._networks.create_infer_request().infer(arrays((source, landmarks, motion, background)))
        return Frames(*(torch.from_numpy(made[name]) for name in OUTPUTS))


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
