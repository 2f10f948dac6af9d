"""What can compute a model: PyTorch, or other programs with networks that ``facegan export`` wrote."""

from facegan.inference.engines.engine import Engine, Frames
from facegan.inference.engines.exported import Exported
from facegan.inference.engines.load import ENGINES, load_engine
from facegan.inference.engines.onnx_engine import OnnxEngine
from facegan.inference.engines.openvino_engine import OpenVINOEngine
from facegan.inference.engines.torch_engine import TorchEngine, check_device

__all__ = [
    "ENGINES",
    "Engine",
    "Exported",
    "Frames",
    "OnnxEngine",
    "OpenVINOEngine",
    "TorchEngine",
    "check_device",
    "load_engine",
]
