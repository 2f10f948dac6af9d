"""The paper's measures of methods on a data set, behind ``facegan evaluate``."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from facegan.data import FaceCrops
from facegan.data.face_crops import dataset_info
from facegan.data.storage import absolute, fingerprint
from facegan.errors import InputError
from facegan.evaluation.action_unit_grid import draw_edits
from facegan.evaluation.evaluation_pairs import read_pairs, write_pairs
from facegan.evaluation.evaluation_report import NUMBERS, Report
from facegan.evaluation.evaluation_run import PREDICTIONS, Run
from facegan.evaluation.face_measurements import MetricBackends, close_shared, shared
from facegan.evaluation.ground_truth import GroundTruthReenactments
from facegan.evaluation.image_sets import find_predictions
from facegan.evaluation.methods import parse_methods
from facegan.evaluation.protocols import PROTOCOLS
from facegan.evaluation.qualitative_grid import shown
from facegan.evaluation.scoring import Scorer
from facegan.evaluation.tables import PAPER
from facegan.inference.engines import check_device
from facegan.io.atomic import check_output_is_free
from facegan.io.resumable import RESULT_FOLDER, resumable_output
from facegan.networks import FaceGAN
from facegan.parallel.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facegan.evaluation.action_unit_grid import Edits
    from facegan.evaluation.evaluation_pairs import EvaluationPairs
    from facegan.evaluation.methods import Method

EYES = MetricBackends()
PAIRS, SCORES = "pairs.parquet", "scores.parquet"


def evaluate(
    models: Sequence[str],
    data: Path | str,
    out: Path,
    *,
    predictions: Sequence[str] = (),
    pairs: int | Path = 200,
    protocols: Sequence[str] | None = None,
    truth: Path | None = None,
    seed: int = 0,
    eyes: MetricBackends = EYES,
    workers: int | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Report:
    """Runs the protocols over all methods, and writes numbers, tables, pictures and a report.

    ``out`` appears at once when all is done. A run that was stopped goes on where it was when the same is
    asked for again. The people of the test split are used; without one those of val, then of train.

    Args:
        models: model folders, or ``owner/name`` on the hub, each possibly as ``name=folder``.
        data: folder that ``facegan prepare`` wrote, or the address of one.
        out: folder for the results.
        predictions: folders of pictures that other programs made for the same pairs, named alike.
        pairs: pairs of each protocol, fewer if the data has no more; or a file of pairs.
        protocols: some of :data:`PROTOCOLS`; by default all.
        truth: the videos of drawn people that the data was prepared from: the true answers are drawn too.
        seed: of the choice of pairs.
        eyes: who looks at the pictures, and the device of all networks.
        workers: processes that look; by default one a core.
        overwrite: replace an earlier evaluation at ``out``.
        progress: show progress bars.

    Raises:
        InputError: if models, predictions, data, pairs, protocols or device are not to be used, or ``out``
            is in use.
    """
    if isinstance(pairs, Path) and not pairs.is_file():
        msg = f"cannot read the pairs {pairs}: no such file, nor a number"
        raise InputError(msg)
    methods = parse_methods(models, predictions)
    check_device(eyes.device)
    out, data = Path(out).resolve(), absolute(data)
    check_output_is_free(out, marker=NUMBERS, overwrite=overwrite)
    networks = {m.name: FaceGAN.from_pretrained(m.path).to(eyes.device) for m in methods if m.kind == "model"}
    size = min([model.config.size for model in networks.values()] or [int(dataset_info(data)["size"])])
    split, crops = people(data, size, pairs)
    trials, left_out = choose_trials(crops, pairs, seed, split, protocols)
    for method in methods:
        if method.kind == "predictions":
            for name, chosen in trials.items():
                find_predictions(Path(method.path), name, len(chosen.source))
    answers = None if truth is None else GroundTruthReenactments(truth, crops)
    software = _software()
    job = {
        "methods": [asdict(method) for method in methods],
        "weights": {name: _fingerprint(model) for name, model in networks.items()},
        "files": {data: fingerprint(data)} | {str(f): _state(f) for f in _inputs(methods, eyes)},
        "trials": {name: [part.tolist() for part in chosen] for name, chosen in trials.items()},
        "size": size,
        "eyes": eyes._asdict(),
        "truth": str(truth),
        "software": software,
    }
    try:
        observer = shared(eyes)
        # What is wrong with one picture is mended and the rest not done again.
        with (
            resumable_output(out, job, keep_after=(InputError,)) as folder,
            Workers(workers, progress=progress) as started,
        ):
            scorer = Scorer(folder, eyes, started)
            run = Run(methods, networks, crops, split, trials, answers, scorer, folder, progress)
            found = run.protocols()
            edits = _edits(run, observer)
            used = np.unique(np.concatenate([indices for chosen in trials.values() for indices in chosen]))
            splits = np.unique(crops.split[used])
            there = np.isin(crops.split, splits)
            metrics = {
                "methods": {method.name: {"kind": method.kind, "path": method.path} for method in methods},
                "size": size,
                "data": {
                    "name": str(data),
                    "splits": splits.tolist(),
                    "crops": int(there.sum()),
                    "identities": len(np.unique(crops.identity[there])),
                },
                "settings": {
                    "pairs": pairs if isinstance(pairs, int) else str(pairs),
                    "seed": seed,
                    "truth": truth and str(truth),
                }
                | eyes._asdict(),
                "protocols": found,
                "edits": edits and edits.as_dict(),
                "left_out": left_out | run.left_out,
                "paper": PAPER,
                "back_ends": observer.back_ends,
                "software": software,
            }
            report = Report(out, metrics, shown(run), edits)
            result = folder / RESULT_FOLDER
            write_pairs(result / PAIRS, crops, trials)
            pq.write_table(pa.Table.from_pylist(_aligned(run.scores)), result / SCORES)
            report.write(result)
            if (folder / PREDICTIONS).exists():
                (folder / PREDICTIONS).rename(result / PREDICTIONS)
    finally:
        close_shared()
    return report


def people(data: Path | str, size: int | None, pairs: int | Path) -> tuple[str | None, FaceCrops]:
    """The first split that has crops, those first that no model was trained on; all for a file of pairs."""
    for split in (None,) if isinstance(pairs, Path) else ("test", "val", "train"):
        crops = FaceCrops(data, split, size)
        if len(crops):
            return split, crops
    msg = f"{data} holds no crops: prepare it anew"
    raise InputError(msg)


def choose_trials(
    crops: FaceCrops, pairs: int | Path, seed: int, split: str | None, protocols: Sequence[str] | None = None
) -> tuple[dict[str, EvaluationPairs], dict[str, str]]:
    """Protocol to pairs; and to why it has none.

    Raises:
        InputError: for an unknown protocol, less than one pair, a negative seed, or if there are no pairs.
    """
    wanted = tuple(PROTOCOLS) if protocols is None else tuple(protocols)
    if unknown := [name for name in wanted if name not in PROTOCOLS]:
        msg = f"unknown protocol {unknown[0]!r}: choose of {', '.join(PROTOCOLS)}"
        raise InputError(msg)
    if isinstance(pairs, Path):
        trials = {name: chosen for name, chosen in read_pairs(pairs, crops).items() if name in wanted}
        if not trials:
            msg = f"{pairs} has no pairs of {', '.join(wanted)}"
            raise InputError(msg)
        unknown = sorted(trials.keys() - PROTOCOLS.keys())
        if unknown:
            msg = f"{pairs} has pairs of unknown protocols: {', '.join(unknown)}"
            raise InputError(msg)
        return trials, {}
    if seed < 0 or pairs < 1:
        msg = f"cannot choose {pairs} pairs with seed {seed}: at least 1 pair, and a seed of 0 or more"
        raise InputError(msg)
    people = len(np.unique(crops.identity))
    chosen = {name: PROTOCOLS[name].choose(crops, pairs, seed) for name in PROTOCOLS if name in wanted}
    reasons = {
        "self": f"no track of the {split} split has two crops",
        "video": f"no track of the {split} split is long enough",
    }
    people_lack = f"the {split} split has one person only"
    for name in ("cross", "lsim"):
        reasons[name] = people_lack if people < 2 else f"no person of the {split} split has two crops"
    left_out = {name: reasons[name] for name, trials in chosen.items() if not len(trials.source)}
    if len(left_out) == len(chosen):
        msg = f"{crops.root} has nothing to measure: {'; '.join(left_out.values())}; prepare more videos"
        raise InputError(msg)
    return {name: trials for name, trials in chosen.items() if len(trials.source)}, left_out


def _edits(run: Run, observer: Any) -> Edits | None:
    """Of the first model that can be told how to move, with the most neutral picture of a pair."""
    for name, model in run.networks.items():
        if model.landmark_transformer is not None:
            crops = FaceCrops(run.crops.root, run.split, model.config.size)
            used = np.unique(np.concatenate([role for chosen in run.trials.values() for role in chosen]))
            source = int(used[np.square(crops.motion[used]).sum(axis=1).argmin()])
            return draw_edits(name, model, crops, source, observer)
    return None


def _inputs(methods: Sequence[Method], eyes: MetricBackends) -> list[Path]:
    """Folders that are read beside the data."""
    kind, _, folder = eyes.motion.partition("=")
    read = [Path(folder)] if kind == "openface" else []
    return [*(Path(method.path) for method in methods if method.kind == "predictions"), *read]


def _state(folder: Path) -> str:
    """Changes with any file in it."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        stat = path.stat()
        digest.update(f"{path.relative_to(folder)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _aligned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All with the same columns; what a protocol does not measure is empty."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return [{column: row.get(column) for column in columns} for row in rows]


def _fingerprint(model: FaceGAN) -> str:
    """Changes with any weight."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def _software() -> dict[str, str]:
    packages = ("facegan", "torch", "torchmetrics", "mediapipe", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
