"""What runs the networks: PyTorch."""

from facegan.inference.engines.engine import Engine, Frames
from facegan.inference.engines.torch_engine import TorchEngine, check_device, load_engine

ENGINES = ("torch", "openvino", "onnx")

__all__ = ["ENGINES", "Engine", "Frames", "TorchEngine", "check_device", "load_engine"]
