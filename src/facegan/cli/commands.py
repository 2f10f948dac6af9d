"""The commands besides training: a function each, whose signature is its command line."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from facegan.cli.app import app
from facegan.cli.console import PARTLY, say
from facegan.cli.parser import parser_of
from facegan.cli.prepare import prepare
from facegan.cli.reenact import edit, reenact
from facegan.errors import InputError


def synthesize(
    *,
    out: Path,
    identities: int = 64,
    clips: int = 2,
    seconds: float = 4.0,
    size: int = 256,
    fps: float = 25.0,
    seed: int = 7,
    workers: int | None = None,
    overwrite: bool = False,
) -> None:
    """Built-in moving heads as videos with sound, and the truth about every frame.

    Example: facegan synthesize --identities 8 --clips 2 --seconds 4 --out runs/heads

    Args:
        out: folder for the videos.
        identities: number of people.
        clips: videos a person.
        seconds: length of a video.
        size: height and width in pixels.
        fps: frames a second; ten are plenty to learn from.
        seed: same seed, same pixels.
        workers: processes; by default one a core.
        overwrite: replace what lies at OUT.
    """
    from facegan.preparation.synthesize import synthesize as write

    write(
        out,
        identities=identities,
        clips=clips,
        seconds=seconds,
        size=size,
        fps=fps,
        seed=seed,
        workers=workers,
        overwrite=overwrite,
    )
    say(f"videos: {out}")


def analyze(file: Path, *, out: Path, max_faces: int = 4, overwrite: bool = False) -> None:
    """Landmarks, pose and action units of every frame, in OpenFace's CSV columns.

    Example: facegan analyze clip.mp4 --out clip.csv

    Args:
        file: a video or a picture.
        out: the CSV file.
        max_faces: at most so many faces a frame.
        overwrite: replace OUT.
    """
    from facegan.inference.analyze import analyze as write

    frames, found = write(file, out, max_faces=max_faces, overwrite=overwrite)
    say(f"{found} of {frames} frames with a face: {out}")


def bundle(checkpoint: Path, *, out: Path, overwrite: bool = False) -> None:
    """A checkpoint of the joint stage as a model folder for use.

    Example: facegan bundle runs/joint/checkpoints/last.ckpt --out runs/model

    Args:
        checkpoint: of the joint stage.
        out: folder for weights and configuration.
        overwrite: replace what lies at OUT.
    """
    from facegan.stages.bundle import bundle as write

    write(checkpoint, out, overwrite=overwrite)
    say(f"model: {out}")


def export(
    *,
    model: Path,
    format: Literal["openvino", "onnx"],
    frames: Path | None = None,
    overwrite: bool = False,
) -> None:
    """A model's networks for OpenVINO or ONNX Runtime, tried against PyTorch.

    Example: facegan export --model runs/model --format openvino

    Args:
        model: model folder; the networks are put into it.
        format: openvino or onnx.
        frames: picture or video of a face to try them on; by default drawn heads.
        overwrite: replace an earlier export.
    """
    from facegan.inference.model_export import export as write

    say(write(model, format, frames=frames, overwrite=overwrite).describe())


def verify(files: list[Path], *, json: bool = False) -> int:
    """Whether pictures and videos are marked as machine made, and by whom.

    Looks for Content Credentials (C2PA) of any program and for the invisible mark of this one.

    Example: facegan verify moved.mp4 portrait.jpg

    Args:
        files: pictures and videos.
        json: print a line of JSON for each.
    """
    from facegan.provenance import verify as look

    faults = 0
    for file in files:
        try:
            findings = look(file)
        except InputError as error:
            if len(files) == 1:
                raise
            faults += 1
            sys.stderr.write(f"facegan: {error}\n")
        else:
            say(findings.to_json() if json else findings.describe())
    return PARTLY if faults else 0


def pairs(
    *,
    data: str,
    out: Path,
    pairs: int = 200,
    protocols: list[str] | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> None:
    """The pairs that facegan evaluate would choose, with their pictures, for programs to be compared.

    Such a program moves PROTOCOL/source/000000.png as PROTOCOL/driver/000000.png shows, and writes
    PROTOCOL/000000.png and so on into a folder for facegan evaluate --predictions.

    Example: facegan pairs --data data/mine/prepared --out runs/pairs

    Args:
        data: folder that facegan prepare wrote; its test split is used.
        out: folder for pairs.parquet and the pictures.
        pairs: pairs of each protocol.
        protocols: some of self, cross, lsim, video; by default all.
        seed: of their choice.
        overwrite: replace what lies at OUT.
    """
    from facegan.evaluation import export_pairs

    counts = export_pairs(data, out, pairs=pairs, protocols=protocols, seed=seed, overwrite=overwrite)
    say(f"{', '.join(f'{count} {protocol}' for protocol, count in counts.items())}: {out}")


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

    Example: facegan evaluate --model runs/model --data data/mine/prepared --out runs/evaluation

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
    say(report.describe())


def assets(*, fetch: bool = False, optional: bool = False) -> None:
    """Model files of others: which there are, under which license, and where they lie.

    Example: facegan assets --fetch

    Args:
        fetch: fetch and verify those that nothing can stand in for.
        optional: with --fetch, the others too (1.1 GB).
    """
    from rich.console import Console
    from rich.table import Table

    from facegan.perception import assets as files

    faults = []
    for name, asset in files.ASSETS.items():
        try:
            if fetch and (optional or not asset.optional):
                files.path(name)
        except files.AssetError as error:
            if not asset.optional:
                raise
            faults.append(f"{error}; {asset.optional}")
    table = Table()
    for title in ("file", "license", "state", "where"):
        table.add_column(title, overflow="fold")
    for row in files.rows():
        table.add_row(*row)
    Console().print(table)
    for fault in faults:
        say(fault)


COMMANDS: dict[str, Callable[..., int | None]] = {
    command.__name__: command
    for command in (
        *(prepare, synthesize, analyze, bundle, reenact, edit, app, verify, export),
        *(pairs, evaluate, assets),
    )
}


TRAINING = {
    "fit": "train a stage",
    "validate": "measure a checkpoint on the validation pairs",
    "test": "measure a checkpoint on the test pairs",
    "predict": "run a checkpoint on the test pairs",
}
"""The commands of :mod:`facegan.cli.training`."""


def run(name: str, arguments: Sequence[str]) -> int:
    """Runs a command.

    Returns:
        0, or PARTLY.

    Raises:
        InputError: if there is no such command, or its arguments are wrong.
    """
    from jsonargparse import ArgumentError

    if name not in COMMANDS:
        msg = f"no command {name!r}: choose from {', '.join((*COMMANDS, *TRAINING))}"
        raise InputError(msg)
    try:
        values = parser_of(name, COMMANDS[name]).parse_args(list(arguments)).as_dict()
    except ArgumentError as error:
        msg = f"{error} (facegan {name} --help)"
        raise InputError(msg) from error
    # Told to end, a command tidies up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return COMMANDS[name](**values) or 0
