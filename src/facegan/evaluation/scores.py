"""The measures of one method in one experiment."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from torchmetrics import MeanMetric, MeanSquaredError, Metric

from facegan.metrics import CSIM, ED, LSIM, PSIM
from facegan.motion import ACTION_UNITS, to_openface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from facegan.data import Pair
    from facegan.evaluation.observer import Seen


class Measure(NamedTuple):
    """A measure as the report names it."""

    label: str
    better: str
    """An arrow."""
    about: str
    new: Callable[[], Metric]


MEASURES = {
    "mse": Measure("MSE", "↓", "mean square error of the pixels, 0..1, to the truth", MeanSquaredError),
    "csim": Measure("CSIM", "↑", "cosine of the identity embeddings of source and result", CSIM),
    "psim": Measure(
        "PSIM", "↑", "cosine of the head-pose angles of driver and result; two frontal faces count as 1", PSIM
    ),
    "ed": Measure("ED", "↓", "mean square difference of the action units (0..1) of driver and result", ED),
    "ed_euclidean": Measure(
        "ED, Euclidean", "↓", "the same as a distance, as the paper words it", partial(ED, "euclidean")
    ),
    "landmarks": Measure(
        "Landmarks", "↓", "mean distance from the landmarks of the truth; half the picture is 1", MeanMetric
    ),
    "lsim": Measure(
        "LSIM",
        "↓",
        "mean square error of the landmarks to those of the second picture; half the picture is 1",
        LSIM,
    ),
}
"""In the report's order."""


class Scores:
    """Sums up what one method's results show.

    Args:
        measures: keys of :data:`MEASURES`.

    Attributes:
        misses: number of results in which no face was found; they count in ``mse`` only.
    """

    def __init__(self, measures: Iterable[str]) -> None:
        self._metrics = {name: MEASURES[name].new() for name in measures}
        self.misses = 0

    def add_pictures(self, results: Tensor, truth: Tensor) -> None:
        """Compares pixels, if that is asked for: two times N×3×S×S in -1..1."""
        if metric := self._metrics.get("mse"):
            metric.update((results.flatten() + 1) / 2, (truth.flatten() + 1) / 2)

    def add_seen(self, seen: Seen, pair: Pair, identity: Tensor) -> None:
        """Compares what the results show with what they should.

        Args:
            seen: in N results.
            pair: N sources and drivers, and ``expected_landmarks`` N×68×2.
            identity: embeddings of the sources, N×128.
        """
        found = seen.found
        self.misses += int((~found).sum())
        driving = pair["driving_motion"][found]
        angles = to_openface(driving)[1], to_openface(seen.motion)[1]
        count = len(ACTION_UNITS)
        units = driving[:, :count], seen.motion[:, :count]
        expected = pair["expected_landmarks"][found]
        compared = {
            "csim": (identity[found], seen.identity),
            "psim": angles,
            "ed": units,
            "ed_euclidean": units,
            "landmarks": ((seen.landmarks - expected).norm(dim=-1),),
            "lsim": (seen.landmarks, expected),
        }
        for name in self._metrics.keys() & compared.keys():
            self._metrics[name].update(*compared[name])

    def values(self) -> dict[str, float | None]:
        """Measure to value; None where there is none, because no face was found in any result."""
        values = {name: float(metric.compute()) for name, metric in self._metrics.items()}
        return {name: value if math.isfinite(value) else None for name, value in values.items()}
