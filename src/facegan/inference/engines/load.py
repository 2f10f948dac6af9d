"""Loading of an engine by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from facegan.errors import InputError
from facegan.inference.engines.exported import ExportedModel
from facegan.inference.engines.onnx_engine import OnnxEngine
from facegan.inference.engines.openvino_engine import OpenVINOEngine
from facegan.inference.engines.torch_engine import TorchEngine
from facegan.networks import FaceGAN

if TYPE_CHECKING:
    from pathlib import Path

    from facegan.inference.engines.engine import Engine

EngineName: TypeAlias = Literal["torch", "openvino", "openvino-bf16", "onnx"]
ENGINES: tuple[str, ...] = get_args(EngineName)


def load_engine(name: Path | str, engine: str = "torch", device: str = "cpu") -> Engine:
    """Load a model into an engine.

    Args:
        name: model folder, or for ``torch`` also a repository of the Hugging Face hub (``owner/name``).
        engine: one of ENGINES; all but ``torch`` need networks written by ``facegan export``, both
            ``openvino`` the same.
        device: PyTorch device; the other engines use the CPU.

    Raises:
        InputError: if there is no such engine, model or device, the engine's package is not installed,
            or the exported networks are missing, damaged or not this model's.
    """
    if engine not in ENGINES:
        msg = f"no engine {engine!r}: choose from {', '.join(ENGINES)}"
        raise InputError(msg)
    if engine == "torch":
        return TorchEngine(FaceGAN.from_pretrained(name), device)
    if device != "cpu":
        msg = f"the engine {engine} uses the CPU, not {device!r}: leave the device out, or choose torch"
        raise InputError(msg)
    if engine == "onnx":
        return OnnxEngine(ExportedModel.load(name, engine))
    return OpenVINOEngine(
        ExportedModel.load(name, "openvino"), "bf16" if engine == "openvino-bf16" else "f32"
    )
