"""Inference engines: PyTorch, and OpenVINO and ONNX Runtime with networks written by ``facegan export``."""

from facegan.inference.engines.engine import Engine, Frames
from facegan.inference.engines.exported import ExportedModel
from facegan.inference.engines.load import ENGINES, EngineName, load_engine
from facegan.inference.engines.onnx_engine import OnnxEngine
from facegan.inference.engines.openvino_engine import OpenVINOEngine
from facegan.inference.engines.torch_engine import TorchEngine, check_device

__all__ = [
    "ENGINES",
    "Engine",
    "EngineName",
    "ExportedModel",
    "Frames",
    "OnnxEngine",
    "OpenVINOEngine",
    "TorchEngine",
    "check_device",
    "load_engine",
]
