"""Summary of a protocol's scores: means, confidence intervals, paired differences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from facegan.metrics import bootstrap_interval
from facegan.metrics.pair_metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from facegan.evaluation.evaluation_run import MethodScores

    Floats = NDArray[np.float64]


def summarize_protocol(
    scores: dict[str, MethodScores], metrics: Collection[str], identity: NDArray[np.str_]
) -> dict[str, Any]:
    """Summarize the scores of all methods in a protocol of K pairs, as in ``metrics.json``.

    Args:
        scores: method to scores; the first method is the reference of the differences.
        metrics: names of the protocol's metrics.
        identity: of each pair's source, K: identities are resampled for the intervals.

    Returns:
        ``pairs``; ``metrics``: metric and method to ``mean``, ``ci_low``, ``ci_high`` (95 %), ``pairs`` and,
        for metrics of faces, ``mean_detected`` (of results with a detected face); ``undetected``: method to
        ``count`` and ``fraction`` of results without; ``differences``: metric and method to the mean paired
        difference to ``reference`` with its interval, which tells methods apart better than two intervals do.
    """
    reference, *others = scores
    summaries = {method: _summarize(scored, metrics, identity) for method, scored in scores.items()}
    differences: dict[str, dict[str, Any]] = {}
    for method in others:
        for name, values in scores[method].values.items():
            difference = values - scores[reference].values[name]
            differences.setdefault(name, {})[method] = _mean_with_interval(difference, identity)
    return {
        "pairs": len(identity),
        "metrics": {
            name: {method: summary[name] for method, summary in summaries.items() if name in summary}
            for name in METRICS
            if any(name in summary for summary in summaries.values())
        },
        "undetected": {
            method: {"count": int((~scored.detected).sum()), "fraction": float((~scored.detected).mean())}
            for method, scored in scores.items()
        },
        "differences": {"reference": reference, "metrics": differences},
    }


def _summarize(
    scores: MethodScores, metrics: Collection[str], identity: NDArray[np.str_]
) -> dict[str, dict[str, Any]]:
    summary = {}
    for name, values in scores.values.items():
        summary[name] = _mean_with_interval(values, identity)
        if METRICS[name].faces is not None:
            summary[name]["mean_detected"] = _mean(values[np.isfinite(values) & scores.detected])
    if "psnr" in metrics:
        summary["psnr"] = _psnr(summary["mse"])
    if scores.fid is not None:
        summary["fid"] = {"mean": scores.fid, "ci_low": None, "ci_high": None, "pairs": len(identity)}
    return summary


def _mean_with_interval(values: Floats, identity: NDArray[np.str_]) -> dict[str, Any]:
    valid = np.isfinite(values)
    low, high = bootstrap_interval(np.where(valid, values, np.nan), identity)
    return {
        "mean": _mean(values[valid]),
        "ci_low": low if math.isfinite(low) else None,
        "ci_high": high if math.isfinite(high) else None,
        "pairs": int(valid.sum()),
    }


def _psnr(mse: dict[str, Any]) -> dict[str, Any]:
    """Convert a mean of pixels in 0..1 to dB; the ends of the interval change places."""
    swapped = {"mean": mse["mean"], "ci_low": mse["ci_high"], "ci_high": mse["ci_low"]}
    decibels = {key: None if not value else -10 * math.log10(value) for key, value in swapped.items()}
    return {**decibels, "pairs": mse["pairs"]}


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None
