"""How many training pairs a second are read, and where the time of a pair goes.

``python benchmarks/data/loader.py --data data/synthetic/prepared``
"""

from __future__ import annotations

import argparse
import logging
import os
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from rich.console import Console
from rich.table import Table
from torch.utils.data import default_collate

from facegan.data import Augmentation, normalize_images, read_pair
from facegan.data.augmentation import mirrored
from facegan.stages import LandmarkTransformStage, ReenactData

if TYPE_CHECKING:
    from collections.abc import Callable

    from facegan.data import TrainingPairs

BATCH = 8
AUGMENTED = {"flip": 0.5, "color": 0.1}
PLAIN = {"flip": 0.0, "color": 0.0}
PHOTOGRAPH = {**AUGMENTED, "blur": 1.0, "jpeg": 40, "affine": 0.05}
LOADS: dict[str, dict[str, Any]] = {
    "without augmentation": PLAIN,
    "flip 0.5, color 0.1": AUGMENTED,
    "and blur 1, JPEG 40, affine 0.05": PHOTOGRAPH,
}


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="prepared data set, a folder or an address")
    parser.add_argument("--size", type=int, help="of the pictures; by default the data set's")
    parser.add_argument("--seconds", type=float, default=6.0, help="of a measurement")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    # As a worker has it; the networks are not run here.
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    size = ReenactData(given.data, given.size).size
    cores = len(os.sched_getaffinity(0))
    console = Console(width=110)
    load = f"load {os.getloadavg()[0]:.1f} before"
    console.print(f"{size} pixels, batches of {BATCH}, {cores} cores, {load}, OpenCV {cv2.__version__}")
    rates = Table("pairs a second", *(f"{workers} workers" for workers in (0, 1, 2)))
    for name, settings in LOADS.items():
        row = [rate(given.data, size, workers, settings, given.seconds) for workers in (0, 1, 2)]
        rates.add_row(name, *(f"{value:.0f}" for value in row))
    console.print(rates)
    data = ReenactData(given.data, size, **AUGMENTED)
    data.setup("fit")
    parts = Table("of a pair, in one process", "ms", "share")
    spent = portions(data.train)
    for name, seconds in spent.items():
        parts.add_row(name, f"{1000 * seconds:.2f}", f"{seconds / sum(spent.values()):.0%}")
    parts.add_row("together", f"{1000 * sum(spent.values()):.2f}", "")
    console.print(parts)


def rate(root: str, size: int, workers: int, settings: dict[str, Any], seconds: float) -> float:
    """Pairs a second of the training's loader, after a warm-up."""
    data = ReenactData(root, size, batch_size=BATCH, workers=workers, **settings)
    data.setup("fit")
    data.trainer = pl.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=Path(os.devnull),
    )
    data.trainer.strategy.connect(LandmarkTransformStage())
    count, began, warm = 0, 0.0, False
    start = time.perf_counter()
    while True:
        for _ in data.train_dataloader():
            now = time.perf_counter()
            if not warm:
                # Workers have started, the mapped file is in memory, queues are full.
                warm = now - start > seconds / 2
                began = now
                continue
            count += BATCH
            if now - began > seconds:
                return count / (now - began)


def portions(pairs: TrainingPairs, times: int = 400) -> dict[str, float]:
    """Seconds of each part of a pair, in the order in which they come."""
    crops = pairs.crops
    driver = np.random.default_rng(0).integers(0, len(crops), times)
    source = [pairs.source_of(int(one), torch.Generator().manual_seed(int(one))) for one in driver]
    both = [(s, int(d)) for s, d in zip(source, driver, strict=True)]
    images, labels = crops.image(0), crops.labels(0)
    stored = read_pair(crops, *both[0], normalize=False)
    color, none = (Augmentation(**(AUGMENTED | {"flip": 0.0, **more})) for more in ({}, {"color": 0.0}))
    generator = torch.Generator().manual_seed(0)
    batch = default_collate([stored] * BATCH)
    seconds = {
        "two pictures (JPEG)": spent(lambda i: [crops.image(one) for one in both[i]], times),
        "two segmentations (PNG)": spent(lambda i: [crops.labels(one) for one in both[i]], times),
        "background at the driver's place": spent(lambda i: crops.moved(images, labels, *both[i]), times),
    }
    whole = spent(lambda i: read_pair(crops, *both[i], normalize=False), times)
    seconds["numbers, tensors"] = max(whole - sum(seconds.values()), 0)
    # Half of the pairs are mirrored.
    seconds["mirror"] = AUGMENTED["flip"] * spent(lambda i: mirrored(stored), times)
    seconds["color"] = spent(lambda i: color(stored, generator), times)
    seconds["color"] -= spent(lambda i: none(stored, generator), times)
    seconds["batch"] = spent(lambda i: default_collate([stored] * BATCH), times // BATCH) / BATCH
    seconds["floats, on the device that trains"] = (
        spent(lambda i: normalize_images(batch), times // BATCH) / BATCH
    )
    return seconds


def spent(work: Callable[[int], object], times: int) -> float:
    """Median seconds of a call, the first tenth left out."""
    seconds = []
    for index in range(times):
        start = time.perf_counter()
        work(index)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[times // 10 :]))


if __name__ == "__main__":
    main()
