"""Experiment 2: grids of images with pairs as rows and methods as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facegan.evaluation.methods import DRIVING_COPIED, GROUND_TRUTH, SOURCE_COPIED
from facegan.evaluation.protocols import PROTOCOLS
from facegan.io.images import tensor_to_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.evaluation.evaluation_run import EvaluationRun

    Columns = dict[str, NDArray[np.uint8]]

ROWS = 6


def qualitative_grids(run: EvaluationRun) -> dict[str, Columns]:
    """Collect the images of some pairs: source, driving, results of all methods, ground truth.

    A single model's intermediate outputs stand before its result: landmarks, face, mask.

    Returns:
        Protocol to column title to ROWS×S×S×3.
    """
    return {name: qualitative_grid(run, name) for name in run.pairs if PROTOCOLS[name].has_image_grid}


def qualitative_grid(run: EvaluationRun, protocol: str) -> Columns:
    """Collect the images of some pairs of a protocol, evenly over all; column title to ROWS×S×S×3."""
    count = len(run.pairs[protocol].source)
    numbers = np.linspace(0, count - 1, min(ROWS, count)).round().astype(int).tolist()
    names = [method.name for method in run.methods]
    columns = {"source": SOURCE_COPIED, "driving": DRIVING_COPIED} | {name: name for name in names}
    if run.has_ground_truth(protocol):
        columns[GROUND_TRUTH] = GROUND_TRUTH
    grid: Columns = {}
    for title, method in columns.items():
        if len(names) == 1 and method in run.models:
            grid |= _intermediate_outputs(run, protocol, method, numbers)
        images = run.images(protocol, method)
        grid[title] = np.stack([images.read(pair) for pair in numbers])
    return grid


def _intermediate_outputs(run: EvaluationRun, protocol: str, model: str, numbers: list[int]) -> Columns:
    _, output = run.predictor(protocol, model).reenact(numbers)
    return {
        "landmarks": tensor_to_images(output.heatmap.clamp(0, 1) * 2 - 1),
        "face": tensor_to_images(output.face),
        "mask": tensor_to_images(output.mask * 2 - 1),
    }
