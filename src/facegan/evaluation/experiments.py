"""The paper's experiments with any methods on a data set, behind ``facegan evaluate``."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from facegan.data import FaceCrops
from facegan.data.evaluation_pairs import write_pairs
from facegan.data.face_crops import dataset_info
from facegan.data.storage import compute_fingerprint, make_absolute
from facegan.errors import InputError
from facegan.evaluation.action_unit_grid import edit_action_units
from facegan.evaluation.evaluation_report import METRICS_FILE, EvaluationReport
from facegan.evaluation.evaluation_run import PREDICTIONS, EvaluationRun
from facegan.evaluation.ground_truth import GroundTruthReenactments
from facegan.evaluation.image_sets import find_predictions
from facegan.evaluation.methods import parse_methods
from facegan.evaluation.protocol_summary import summarize_protocol
from facegan.evaluation.protocols import select_pairs, select_split
from facegan.evaluation.qualitative_grid import qualitative_grids
from facegan.evaluation.tables import PAPER
from facegan.inference.engines import check_device
from facegan.io.atomic import check_output_is_free
from facegan.io.resumable import RESULT_FOLDER, resumable_output
from facegan.networks import FaceGAN
from facegan.parallel.workers import Workers
from facegan.perception.face_measurer import MetricBackends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facegan.evaluation.action_unit_grid import ActionUnitEdits
    from facegan.evaluation.evaluation_run import MethodScores
    from facegan.perception.face_measurer import FaceMeasurer

PAIRS_FILE, SCORES_FILE = "pairs.parquet", "scores.parquet"


@dataclass(frozen=True)
class EvaluationConfig:
    """Settings of an evaluation.

    Args:
        pairs: number of pairs of each protocol, fewer if the data has no more; or a file pairs.parquet.
        protocols: some of self, cross, lsim, video; by default all.
        seed: of the selection of pairs.
        truth: videos that facegan synthesize wrote and the data was prepared from: ground-truth
            reenactments are rendered too.
        identity: back end that embeds faces: dlib.
        motion: back end that measures action units and head pose: mediapipe, or openface=FOLDER of CSV files.
        device: of all networks: cpu, cuda or mps.
        workers: processes that measure images; by default one a core.
    """

    pairs: int | Path = 200
    protocols: list[str] | None = None
    seed: int = 0
    truth: Path | None = None
    identity: str = "dlib"
    motion: str = "mediapipe"
    device: str = "cpu"
    workers: int | None = None


def evaluate(
    models: Sequence[str],
    data: Path | str,
    out: Path,
    *,
    predictions: Sequence[str] = (),
    config: EvaluationConfig | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> EvaluationReport:
    """Run all protocols with all methods, and write metrics, tables, images and a report.

    ``out`` appears when all is done. An interrupted evaluation resumes: images that models have predicted
    are kept, and all images are measured again. The test split is used; val or train where it is empty.

    Args:
        models: model folders, or ``owner/name`` on the hub, each possibly as ``name=folder``.
        data: folder that ``facegan prepare`` wrote, or its URI.
        out: folder for the results.
        predictions: folders of images that other programs made for the same pairs, named alike.
        config: all settings; by default those of :class:`EvaluationConfig`.
        overwrite: replace an earlier evaluation in ``out``.
        progress: show progress bars.

    Raises:
        InputError: if models, predictions, data, pairs, protocols or device are unusable, or ``out`` is
            in use.
    """
    config = config or EvaluationConfig()
    if isinstance(config.pairs, Path) and not config.pairs.is_file():
        msg = f"cannot read the pairs {config.pairs}: no such file, and no number"
        raise InputError(msg)
    methods = parse_methods(models, predictions)
    check_device(config.device)
    out, data = Path(out).resolve(), make_absolute(data)
    check_output_is_free(out, marker=METRICS_FILE, overwrite=overwrite)
    networks = {
        m.name: FaceGAN.from_pretrained(m.path).to(config.device) for m in methods if m.kind == "model"
    }
    size = min([model.config.size for model in networks.values()] or [int(dataset_info(data)["size"])])
    split, crops = select_split(data, size, config.pairs)
    pairs, skipped = select_pairs(crops, config.pairs, config.seed, split, config.protocols)
    for method in methods:
        if method.kind == "predictions":
            for protocol, chosen in pairs.items():
                find_predictions(Path(method.path), protocol, len(chosen.source))
    ground_truth = None if config.truth is None else GroundTruthReenactments(config.truth, crops)
    software = _software_versions()
    # All that the predicted images depend on.
    job = {
        "models": {name: _fingerprint(model) for name, model in networks.items()},
        "data": compute_fingerprint(data),
        "pairs": {protocol: [role.tolist() for role in chosen] for protocol, chosen in pairs.items()},
        "size": size,
        "truth": str(config.truth),
        "software": software,
    }
    backends = MetricBackends(config.identity, config.motion, config.device)
    with (
        backends.open() as measurer,
        resumable_output(out, job, keep_after=(InputError,)) as folder,
        Workers(config.workers, progress=progress) as workers,
    ):
        run = EvaluationRun(
            methods, networks, crops, split, pairs, ground_truth, backends, workers, folder, progress
        )
        scores = {protocol: run.score_protocol(protocol) for protocol in pairs}
        edits = _edit_first_model(run, measurer)
        metrics = {
            "methods": {method.name: {"kind": method.kind, "path": method.path} for method in methods},
            "size": size,
            "data": _describe_data(run),
            "settings": _settings(config),
            "protocols": {
                protocol: summarize_protocol(
                    scored, run.metrics(protocol), crops.identity[pairs[protocol].source]
                )
                for protocol, scored in scores.items()
            },
            "action_unit_grid": edits and edits.as_dict(),
            "skipped": skipped | run.skipped,
            "paper": PAPER,
            "backends": measurer.names,
            "software": software,
        }
        report = EvaluationReport(out, metrics, qualitative_grids(run), edits)
        result = folder / RESULT_FOLDER
        write_pairs(result / PAIRS_FILE, crops, pairs)
        pq.write_table(_scores_table(run, scores), result / SCORES_FILE)
        report.write(result)
        if (folder / PREDICTIONS).exists():
            (folder / PREDICTIONS).rename(result / PREDICTIONS)
    return report


def _edit_first_model(run: EvaluationRun, measurer: FaceMeasurer) -> ActionUnitEdits | None:
    """Edit the most neutral crop of all pairs with the first model that has a landmark transformer."""
    for name, model in run.models.items():
        if model.landmark_transformer is not None:
            crops = FaceCrops(run.crops.root, run.split, model.config.size)
            used = _used_crops(run)
            source = int(used[np.square(crops.motion[used]).sum(axis=1).argmin()])
            return edit_action_units(name, model, crops, source, measurer)
    return None


def _used_crops(run: EvaluationRun) -> np.ndarray:
    return np.unique(np.concatenate([indices for chosen in run.pairs.values() for indices in chosen]))


def _describe_data(run: EvaluationRun) -> dict[str, Any]:
    splits = np.unique(run.crops.split[_used_crops(run)])
    members = np.isin(run.crops.split, splits)
    return {
        "name": run.crops.root,
        "splits": splits.tolist(),
        "crops": int(members.sum()),
        "identities": len(np.unique(run.crops.identity[members])),
    }


def _settings(config: EvaluationConfig) -> dict[str, Any]:
    settings = asdict(config)
    del settings["workers"], settings["protocols"]
    return {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}


def _scores_table(run: EvaluationRun, scores: dict[str, dict[str, MethodScores]]) -> pa.Table:
    """Return a row a protocol, method and pair; metrics that a protocol does not have are empty."""
    rows: list[dict[str, Any]] = []
    for protocol, methods in scores.items():
        identity = run.crops.identity[run.pairs[protocol].source]
        for method, scored in methods.items():
            for pair, detected in enumerate(scored.detected.tolist()):
                row = {"protocol": protocol, "method": method, "pair": pair, "identity": str(identity[pair])}
                values = {name: float(column[pair]) for name, column in scored.values.items()}
                rows.append({**row, "detected": detected, **values})
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return pa.Table.from_pylist([{column: row.get(column) for column in columns} for row in rows])


def _fingerprint(model: FaceGAN) -> str:
    """Hash all weights."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def _software_versions() -> dict[str, str]:
    packages = ("facegan", "torch", "torchmetrics", "mediapipe", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
