"""How fast is each engine, how large are its files, and how far is it from PyTorch in 32 bit?

``python benchmarks/export/speed.py --model MODEL`` measures a model folder; what is not exported yet is
exported. ``--random`` makes a model of the paper's size there first.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from rich.console import Console
from rich.table import Table

from facegan.inference.engines import ExportedModel, OnnxEngine, OpenVINOEngine, TorchEngine
from facegan.inference.engines.exported import RECORD
from facegan.inference.export_check import compare_engines, synthetic_inputs
from facegan.inference.model_export import export_model
from facegan.networks import FaceGAN, FaceGANConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from facegan.inference.engines import Engine, Frames

BATCHES = (1, 8)


class HalfTorch:
    """PyTorch in bf16 where it thinks that this is safe."""

    def __init__(self, engine: TorchEngine) -> None:
        self.engine, self.size, self.device = engine, engine.size, engine.device

    def __call__(self, *given: torch.Tensor) -> Frames:
        """As the engine."""
        with torch.autocast("cpu", torch.bfloat16):
            made = self.engine(*given)
        return type(made)(*(part.float() for part in made))


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--random", action="store_true", help="make it, of the paper's size, untrained")
    parser.add_argument("--rounds", type=int, default=15, help="times that each engine computes each batch")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.random and not given.model.exists():
        torch.manual_seed(0)
        FaceGAN(FaceGANConfig()).save_pretrained(given.model)
    for kind in ("openvino", "onnx"):
        if not (given.model / kind / RECORD).is_file():
            export_model(given.model, kind)

    engines, loading = load(given.model)
    reference = engines["torch, f32"]
    trial = synthetic_inputs(reference.size)
    taken = measure(engines, trial, given.rounds)
    places = {"torch": ("model.safetensors",), "openvino": ("openvino",), "onnx": ("onnx",)}
    table = Table(title=f"{given.model.name}, {reference.size} pixels, {given.threads} threads")
    for title in ("engine", *(f"ms a frame, batch {size} (as fast as torch)" for size in BATCHES)):
        table.add_column(title)
    for title in ("s to load", "MB on disk", "levels of 255: largest, mean", "landmarks, pixels: largest"):
        table.add_column(title)
    for name, engine in engines.items():
        speeds = [
            f"{taken[name, size]:.1f} ({taken['torch, f32', size] / taken[name, size]:.2f}×)"
            for size in BATCHES
        ]
        found = compare_engines(engine, reference, trial)
        files = (given.model / place for place in places[name.partition(",")[0]])
        table.add_row(
            name,
            *speeds,
            f"{loading[name]:.1f}",
            f"{sum(megabytes(path) for path in files):.1f}",
            f"{found.image_max:.2g}, {found.image_mean:.2g}",
            f"{found.landmarks_max:.2g}",
        )
    Console(width=200).print(table)


def load(model: Path) -> tuple[dict[str, Engine], dict[str, float]]:
    """All engines, and how many seconds each took, checking its files included."""
    makers: dict[str, Callable[[], Engine]] = {
        "torch, f32": lambda: TorchEngine(FaceGAN.from_pretrained(model)),
        "openvino, f32": lambda: OpenVINOEngine(ExportedModel.find(model, "openvino")),
        "openvino, bf16": lambda: OpenVINOEngine(ExportedModel.find(model, "openvino"), "bf16"),
        "onnx, f32": lambda: OnnxEngine(ExportedModel.find(model, "onnx")),
    }
    engines, seconds = {}, {}
    for name, make in makers.items():
        began = time.perf_counter()
        engines[name] = make()
        seconds[name] = time.perf_counter() - began
    engines["torch, bf16"] = HalfTorch(engines["torch, f32"])
    seconds["torch, bf16"] = seconds["torch, f32"]
    return engines, seconds


def measure(
    engines: dict[str, Engine], trial: tuple[torch.Tensor, ...], rounds: int
) -> dict[tuple[str, int], float]:
    """Medians of milliseconds a frame.

    The engines take turns, so that other programs on the machine disturb all of them alike.
    """
    taken: dict[tuple[str, int], list[float]] = {(name, size): [] for size in BATCHES for name in engines}
    batches = {size: [part[torch.arange(size) % len(part)] for part in trial] for size in BATCHES}
    for turn in range(rounds + 1):
        for name, size in taken:
            began = time.perf_counter()
            engines[name](*batches[size])
            if turn:  # the first time everything is prepared
                taken[name, size].append((time.perf_counter() - began) / size * 1000)
    return {key: statistics.median(values) for key, values in taken.items()}


def megabytes(path: Path) -> float:
    """Of a file or of all in a folder."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files) / 1e6


if __name__ == "__main__":
    main()
