"""From values of pairs to the numbers of a report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from facegan.evaluation.pair_metrics import MEASURES
from facegan.metrics import bootstrap_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def summarize(
    values: dict[str, Floats], found: NDArray[np.bool_] | None, identity: NDArray[np.str_]
) -> dict[str, dict[str, Any]]:
    """Mean of each measure, its interval, and the mean without misses.

    Args:
        values: measure to a value a pair; not a number where it cannot be measured.
        found: which results show a face; None if nobody looked.
        identity: whose source it is, of each pair: identities are drawn for the interval.

    Returns:
        Measure to ``mean``, ``low``, ``high`` (95 %), ``found`` (the mean of results with a face, for
        measures that need one), and ``pairs``; None where there is no number.
    """
    summary = {}
    for name, numbers in values.items():
        if name == "psnr":
            continue
        entry = _mean_of_people(numbers, identity)
        known = np.isfinite(numbers)
        if MEASURES[name].miss is not None and found is not None:
            entry["found"] = _mean(numbers[known & found])
        summary[name] = entry
    if "mse" in summary:
        summary["psnr"] = _psnr(summary["mse"])
    return {name: summary[name] for name in MEASURES if name in summary}


def difference(
    values: dict[str, Floats], reference: dict[str, Floats], identity: NDArray[np.str_]
) -> dict[str, dict[str, Any]]:
    """How a method differs from another one, pair by pair, which tells more than two intervals do.

    Returns:
        Measure to ``mean``, ``low`` and ``high`` (95 %) of value minus reference, and ``pairs``.
    """
    return {
        name: _mean_of_people(numbers - reference[name], identity)
        for name, numbers in values.items()
        if name != "psnr"
    }


def _mean_of_people(numbers: Floats, identity: NDArray[np.str_]) -> dict[str, Any]:
    known = np.isfinite(numbers)
    low, high = map(_number, bootstrap_interval(np.where(known, numbers, np.nan), identity))
    return {"mean": _mean(numbers[known]), "pairs": int(known.sum()), "low": low, "high": high}


def _psnr(mse: dict[str, Any]) -> dict[str, Any]:
    """In dB, of pixels in 0..1."""
    turned = {"mean": mse["mean"], "low": mse["high"], "high": mse["low"]}
    decibels = {key: None if not value else -10 * math.log10(value) for key, value in turned.items()}
    return {**decibels, "pairs": mse["pairs"]}


def _mean(numbers: Floats) -> float | None:
    return float(numbers.mean()) if len(numbers) else None


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
