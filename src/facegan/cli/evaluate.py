"""``facegan evaluate``."""

from __future__ import annotations

from pathlib import Path

from facegan.cli.console import echo


def evaluate(
    *,
    data: str,
    out: Path,
    model: list[str] | None = None,
    predictions: list[str] | None = None,
    pairs: int | Path = 200,
    protocols: list[str] | None = None,
    truth: Path | None = None,
    identity: str = "dlib",
    motion: str = "mediapipe",
    seed: int = 0,
    device: str = "cpu",
    workers: int | None = None,
    overwrite: bool = False,
) -> None:
    """The paper's experiments with models and other programs' pictures: numbers, tables, report.html.

    Example:
        facegan evaluate --model runs/model --data data/mine/prepared --out runs/evaluation

    Args:
        data: folder that facegan prepare wrote; its test split is used.
        out: folder for the results.
        model: model folders, or owner/name on the hub; several as NAME=FOLDER NAME=FOLDER.
        predictions: folders with pictures that other programs made for the same pairs, as NAME=FOLDER.
        pairs: pairs of each protocol, or a file pairs.parquet.
        protocols: some of self, cross, lsim, video; by default all.
        truth: what facegan synthesize wrote, if the data set is of it: the true answers join in.
        identity: who recognizes faces: dlib or facenet.
        motion: who sees action units and pose: mediapipe, pyfeat, or openface=FOLDER of CSV files.
        seed: of the choice of pairs.
        device: where to compute: cpu, cuda, mps.
        workers: processes that look at pictures; by default one a core.
        overwrite: replace what lies at OUT.
    """
    from facegan.evaluation import MetricBackends
    from facegan.evaluation import evaluate as write

    report = write(
        model or [],
        data,
        out,
        predictions=predictions or [],
        pairs=pairs,
        protocols=protocols,
        truth=truth,
        seed=seed,
        eyes=MetricBackends(identity, motion, device),
        workers=workers,
        overwrite=overwrite,
    )
    echo(report.describe())
