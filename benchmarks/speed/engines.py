"""Speed, load time and size of the inference engines, and their difference from PyTorch in 32 bit.

``python benchmarks/speed/engines.py --model MODEL`` exports the model if that is missing; with ``--random``
it first creates one in the sizes of the paper.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from facegan.inference.engines import ENGINES, load_engine
from facegan.inference.export_check import compare_engines, synthetic_inputs
from facegan.inference.model_export import export_model
from facegan.networks import FaceGAN, FaceGANConfig

if TYPE_CHECKING:
    from facegan.geometry.head_alignment import SourceFace
    from facegan.inference.engines import Engine, Frames
    from facegan.inference.export_check import ExampleInputs

BATCHES = (1, 8)
FILES = {"torch": "model.safetensors", "openvino": "openvino", "openvino-bf16": "openvino", "onnx": "onnx"}
"""Engine to its file or folder in the model folder."""


class AutocastEngine:
    """PyTorch with autocast to bf16."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.size, self.device = engine, engine.size, engine.device

    def __call__(self, source: SourceFace, motion: torch.Tensor, background: torch.Tensor) -> Frames:
        """Reenact a batch as :class:`facegan.inference.engines.Engine` does."""
        with torch.autocast("cpu", torch.bfloat16):
            frames = self.engine(source, motion, background)
        return type(frames)(*(part.float() for part in frames))


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--random", action="store_true", help="create it, untrained, in the paper's sizes")
    parser.add_argument("--rounds", type=int, default=15, help="timed batches of each engine and size")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.random and not options.model.exists():
        torch.manual_seed(0)
        FaceGAN(FaceGANConfig()).save_pretrained(options.model)
    for format_ in ("openvino", "onnx"):
        if not (options.model / format_).is_dir():
            export_model(options.model, format_)
    engines: dict[str, Engine] = {}
    load_seconds = {}
    for name in ENGINES:
        start = time.perf_counter()
        engines[name] = load_engine(options.model, name)
        load_seconds[name] = time.perf_counter() - start
    reference = engines["torch"]
    inputs = synthetic_inputs(reference.size)
    engines["torch, bf16"] = AutocastEngine(reference)
    milliseconds = measure_engines(engines, inputs, options.rounds)
    titles = ("engine", *(f"ms per frame, batch {size}" for size in BATCHES), "load time, s", "MB on disk")
    print(f"| {' | '.join(titles)} | difference: largest, mean | landmarks: largest |\n{'|---' * 7}|")
    for name, engine in engines.items():
        speeds = [
            f"{milliseconds[name, size]:.1f} ({milliseconds['torch', size] / milliseconds[name, size]:.2f}×)"
            for size in BATCHES
        ]
        loaded = name.partition(",")[0]
        difference = compare_engines(engine, reference, inputs)
        cells = (
            *(
                name,
                *speeds,
                f"{load_seconds[loaded]:.1f}",
                f"{megabytes(options.model / FILES[loaded]):.1f}",
            ),
            f"{difference.image_max:.2g}, {difference.image_mean:.2g}",
            f"{difference.landmarks_max:.2g}",
        )
        print(f"| {' | '.join(cells)} |")


def measure_engines(
    engines: dict[str, Engine], inputs: ExampleInputs, rounds: int
) -> dict[tuple[str, int], float]:
    """Measure the median milliseconds per frame of each engine and batch size.

    The engines take turns, so that other programs on the machine disturb all alike.
    """
    times: dict[tuple[str, int], list[float]] = {(name, size): [] for size in BATCHES for name in engines}
    batches = {size: inputs.select(torch.arange(size) % len(inputs.motion)) for size in BATCHES}
    for turn in range(rounds + 1):
        for name, size in times:
            start = time.perf_counter()
            engines[name](*batches[size])
            if turn:  # the first one is the warm-up
                times[name, size].append((time.perf_counter() - start) / size * 1000)
    return {key: statistics.median(values) for key, values in times.items()}


def megabytes(path: Path) -> float:
    """Return the size of a file or of all files of a folder."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files) / 1e6


if __name__ == "__main__":
    main()
