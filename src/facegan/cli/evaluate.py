"""``facegan evaluate``."""

from __future__ import annotations

from pathlib import Path

from facegan.cli.console import echo
from facegan.evaluation import EvaluationConfig
from facegan.evaluation import evaluate as run


def evaluate(
    *,
    data: str,
    out: Path,
    model: list[str] | None = None,
    predictions: list[str] | None = None,
    overwrite: bool = False,
    config: EvaluationConfig,
) -> None:
    """Evaluate models and other programs' images with the paper's metrics.

    Runs the paper's experiments and writes metrics, tables, images and report.html.

    Example:
        facegan evaluate --model runs/model --data data/mine/prepared --out runs/evaluation

    Args:
        data: folder that facegan prepare wrote; its test split is used.
        out: folder for the results.
        model: model folders, or owner/name on the hub; several as NAME=FOLDER NAME=FOLDER.
        predictions: folders with images that other programs made for the same pairs, as NAME=FOLDER.
        overwrite: replace OUT.
        config: settings.
    """
    report = run(model or [], data, out, predictions=predictions or [], config=config, overwrite=overwrite)
    echo(report.describe())
