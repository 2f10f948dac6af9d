"""Experiment 2: pairs as rows, methods as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facegan.evaluation.methods import ANSWER, DRIVER, SOURCE
from facegan.evaluation.protocols import PROTOCOLS
from facegan.io.images import tensor_to_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.evaluation.evaluation_run import Run

ROWS = 6


def shown(run: Run) -> dict[str, dict[str, NDArray[np.uint8]]]:
    """Protocol to column title to ROWS×S×S×3: source, driver, what the methods made, the true answer.

    Of a lone model the steps on the way stand before its result: landmarks, face, mask.
    """
    sheets = {}
    for protocol, trials in run.trials.items():
        if not PROTOCOLS[protocol].pictured:
            continue
        count = len(trials.source)
        pairs = np.linspace(0, count - 1, min(ROWS, count)).round().astype(np.int64)
        names = [method.name for method in run.methods]
        columns = {"source": SOURCE, "driver": DRIVER} | {name: name for name in names}
        if protocol == "cross" and run.answers is not None:
            columns[ANSWER] = ANSWER
        sheet: dict[str, NDArray[np.uint8]] = {}
        for title, method in columns.items():
            if len(names) == 1 and method in run.networks:
                sheet |= _steps(run, protocol, method, pairs)
            pictures = run.pictures(protocol, method)
            sheet[title] = np.stack([pictures.read(int(pair)) for pair in pairs])
        sheets[protocol] = sheet
    return sheets


def _steps(run: Run, protocol: str, model: str, pairs: NDArray[np.int64]) -> dict[str, NDArray[np.uint8]]:
    _, made = run.reenacting(protocol, model).reenact(pairs)
    steps = {"landmarks": made.heatmap.clamp(0, 1) * 2 - 1, "face": made.face, "mask": made.mask * 2 - 1}
    return {title: tensor_to_images(pictures) for title, pictures in steps.items()}
