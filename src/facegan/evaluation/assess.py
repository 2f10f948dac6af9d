"""Running an experiment: the model and the naive methods beside it, measured by the same eyes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.utils.data import default_collate

from facegan.data import read_pair
from facegan.evaluation.scores import Scores
from facegan.networks import FaceGAN
from facegan.networks.compositing import cut_background

if TYPE_CHECKING:
    from collections.abc import Callable

    from facegan.data import FaceCrops, Pair
    from facegan.evaluation.observer import Observer
    from facegan.evaluation.protocols import Protocol, Trials
    from facegan.networks import Reenactment

BATCH = 8
ROWS = 6
"""Trials that are shown as pictures."""


@dataclass(frozen=True)
class Outcome:
    """What came of an experiment.

    Attributes:
        pairs: number of trials.
        values: measure to method to value; None where no face was found at all. The methods are
            ``model``, ``source`` and ``driver`` for copying these, and ``mean`` for the mean picture.
        misses: method to the number of results without a face.
        columns: title to the pictures of the shown trials, ROWS×3×S×S or ROWS×1×S×S in -1..1.
    """

    pairs: int
    values: dict[str, dict[str, float | None]]
    misses: dict[str, int]
    columns: dict[str, Tensor]

    def as_dict(self) -> dict[str, Any]:
        """The numbers, for JSON."""
        misses = {
            method: {"count": count, "share": count / self.pairs} for method, count in self.misses.items()
        }
        return {"pairs": self.pairs, "measures": self.values, "misses": misses}


@torch.inference_mode()
def assess(
    model: Callable[..., Reenactment],
    crops: FaceCrops,
    trials: Trials,
    protocol: Protocol,
    observer: Observer,
    *,
    mean: Tensor | None = None,
    device: torch.device | str = "cpu",
    progress: bool = False,
) -> Outcome:
    """Measures a model, and beside it copying the source or the driver and showing the mean picture.

    Args:
        model: a :class:`FaceGAN` in evaluation mode, or what has its interface. One without landmark
            transformer gets the driver's landmarks (the paper's Table 1).
        crops: the data.
        trials: which of them meet, at least one.
        protocol: what is measured.
        observer: looks at the results.
        mean: a picture 3×S×S in -1..1.
        device: of the model.
        progress: show a bar.
    """
    scores = {method: Scores(protocol.measures) for method in ("model", "source", "driver")}
    mean_scores = Scores(["mse"])
    count = len(trials.source)
    shown = np.linspace(0, count - 1, min(ROWS, count) if protocol.pictured else 0).round()
    rows: list[dict[str, Tensor]] = []
    starts = range(0, count, BATCH)
    console = Console(stderr=True)
    for start in track(starts, f"{protocol.title:20}", console=console, disable=not progress):
        numbers = np.arange(start, min(start + BATCH, count))
        pair = _read(crops, trials, numbers)
        made = _reenact(model, pair, device)
        results = {
            "model": made.result.float().cpu(),
            "source": pair["source"],
            "driver": pair["driving"],
        }
        identity = observer.embed(pair["source"], pair["source_landmarks"])
        for method, pictures in results.items():
            scores[method].add_pictures(pictures, pair["driving"])
            scores[method].add_seen(observer(pictures), pair, identity)
        if mean is not None:
            mean_scores.add_pictures(mean.expand_as(pair["driving"]), pair["driving"])
        columns = _columns(pair, made)
        rows += [
            {title: pictures[place] for title, pictures in columns.items()}
            for place in np.flatnonzero(np.isin(numbers, shown))
        ]
    values: dict[str, dict[str, float | None]] = {name: {} for name in protocol.measures}
    for method, sums in scores.items():
        for name, value in sums.values().items():
            values[name][method] = value
    if mean is not None and "mse" in values:
        values["mse"]["mean"] = mean_scores.values()["mse"]
    misses = {method: sums.misses for method, sums in scores.items()}
    return Outcome(count, values, misses, default_collate(rows) if rows else {})


def _read(crops: FaceCrops, trials: Trials, numbers: np.ndarray) -> Pair:
    """Some trials as one batch, with the landmarks that the results should have."""
    pairs = [read_pair(crops, int(trials.source[n]), int(trials.driver[n])) for n in numbers]
    batch: Pair = default_collate(pairs)
    return batch | {"expected_landmarks": torch.from_numpy(crops.landmarks[trials.expected[numbers]])}


def _reenact(model: Callable[..., Reenactment], pair: Pair, device: torch.device | str) -> Reenactment:
    background = cut_background(pair["background"], pair["background_segmentation"])
    inputs = [pair["source"], pair["source_landmarks"], pair["driving_motion"], background]
    if isinstance(model, FaceGAN) and model.landmark_transformer is None:
        inputs.append(pair["driving_landmarks"])
    return model(*(tensor.to(device) for tensor in inputs))


def _columns(pair: Pair, made: Reenactment) -> dict[str, Tensor]:
    columns = {
        "source": pair["source"],
        "driver": pair["driving"],
        "landmarks": made.heatmap.clamp(0, 1) * 2 - 1,
        "face": made.face,
        "mask": made.mask * 2 - 1,
        "result": made.result,
    }
    return {title: pictures.float().cpu() for title, pictures in columns.items()}
