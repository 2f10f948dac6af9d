"""Validation of the metrics by controlled perturbations, and on frames of real videos.

``python benchmarks/metric_validation/validate_metrics.py`` prints the tables of docs/metrics.md for synthetic
identities; with ``--data FOLDER`` those of a prepared data set of real videos.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if __name__ == "__main__":
    # One thread is fastest; numpy's library reads this when it is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import mannwhitneyu

from facegan.data import FaceCrops
from facegan.errors import InputError
from facegan.geometry.motion import ACTION_UNITS
from facegan.metrics import METRICS, FaceMeasurements, PairFaces, compute_pair_metrics
from facegan.perception.face_measurer import FaceMeasurer, MetricBackends
from synthetic_heads import render, sample_identity, sample_motion, sample_scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KEYS = ("csim", "psim", "ed", "lsim")
GROUND_TRUTH = "ground truth"
SENSITIVE_TO = {
    "csim": ("other identity", "driving copied"),
    "psim": ("other pose",),
    "ed": ("other expression",),
    "lsim": ("other pose", "other expression", "other identity", "source copied", "driving copied"),
}
"""Perturbations that each metric must score worse than the ground truth."""
INVARIANT_TO = {
    "csim": ("other expression", "other lighting and background"),
    "psim": ("other identity", "other expression", "other lighting and background"),
    "ed": ("other identity", "other lighting and background"),
    "lsim": ("other lighting and background",),
}
"""Perturbations that each metric must score about as the ground truth."""
CROPS_PER_TRACK = 4
FRAME = 25
"""Frame of a motion of 2 seconds that is rendered."""


class PerturbationResults(NamedTuple):
    """Metrics of the ground truth and of perturbed results, of N identities."""

    values: dict[str, dict[str, Floats]]
    """Metric to result to N values; the unperturbed result is :data:`GROUND_TRUTH`."""

    def detection_rate(self, key: str, perturbation: str) -> float:
        """Compute the fraction of identities whose ground truth scores better than the perturbed result."""
        truth, perturbed = self.values[key][GROUND_TRUTH], self.values[key][perturbation]
        better = truth > perturbed if METRICS[key].higher_is_better else truth < perturbed
        return float(better.mean())

    def relative_change(self, key: str, perturbation: str) -> float:
        """Compute the change of the mean relative to that by the first perturbation it is sensitive to."""
        truth = self.values[key][GROUND_TRUTH].mean()
        scale = self.values[key][SENSITIVE_TO[key][0]].mean() - truth
        return float((self.values[key][perturbation].mean() - truth) / scale)


def perturb_reenactments(
    identities: int, measurer: FaceMeasurer, *, size: int = 256, progress: bool = False
) -> PerturbationResults:
    """Measure ground-truth reenactments and results that differ from them in one respect each.

    Args:
        identities: number of identities, 3 or more.
        measurer: measures faces.
        size: side of the images.
        progress: show a bar.

    Raises:
        InputError: for fewer identities.
    """
    if identities < 3:
        msg = f"cannot choose a source, a driving and another identity among {identities}: take 3 or more"
        raise InputError(msg)
    measured: dict[str, list[FaceMeasurements]] = {}
    console = Console(stderr=True)
    for seed in track(range(identities), "identities", console=console, disable=not progress):
        for name, image in _render_results(seed, identities, size).items():
            measured.setdefault(name, []).append(measurer.analyze([image]))
    faces = {name: FaceMeasurements.concatenate(parts) for name, parts in measured.items()}
    source, driving, target = faces["source copied"], faces["driving copied"], faces.pop("target")
    values = {
        name: compute_pair_metrics(PairFaces(source, driving, target), result)
        for name, result in faces.items()
    }
    return PerturbationResults({key: {name: values[name][key] for name in values} for key in KEYS})


def _render_results(seed: int, identities: int, size: int) -> dict[str, NDArray[np.uint8]]:
    """Render source, driving and target image, the ground truth, and perturbed results."""
    source, driver, third = ((seed + step) % identities for step in (0, 1, 2))
    scene, other_scene = (
        sample_scene(source),
        replace(sample_scene(third), camera=sample_scene(source).camera),
    )
    before, driving, wrong = (sample_motion(3 * seed + step, 2 * FRAME, FRAME) for step in range(3))
    motion, gaze = driving.motion[FRAME], driving.gaze[FRAME]
    count = len(ACTION_UNITS)
    pose = np.concatenate((motion[:count], wrong.motion[FRAME][count:]))
    expression = np.concatenate((wrong.motion[FRAME][:count], motion[count:]))
    images = {
        "source copied": (source, before.motion[FRAME], before.gaze[FRAME], scene),
        "driving copied": (driver, motion, gaze, sample_scene(driver)),
        "target": (source, motion, gaze, scene),
        GROUND_TRUTH: (source, motion, gaze, scene),
        "other identity": (third, motion, gaze, scene),
        "other pose": (source, pose, gaze, scene),
        "other expression": (source, expression, gaze, scene),
        "other lighting and background": (source, motion, gaze, other_scene),
    }
    return {
        name: render(sample_identity(identity), vector, size, gaze=eyes, scene=place, noise_seed=number).image
        for number, (name, (identity, vector, eyes, place)) in enumerate(images.items())
    }


class FrameResults(NamedTuple):
    """Metrics between frames of real videos."""

    auc: float
    """Area under the ROC curve of CSIM: two videos of one person against videos of two."""
    same: int
    """Pairs of one person, from two videos."""
    different: int
    """Pairs of two people."""
    means: dict[str, dict[str, float]]
    """Frame that is compared with one: metric to its mean."""


def compare_frames(
    crops: FaceCrops, measurer: FaceMeasurer, *, seed: int = 0, progress: bool = False
) -> FrameResults:
    """Compute the metrics between frames of real videos.

    Args:
        crops: of at least two people, one of them with two videos.
        measurer: measures faces.
        seed: of the choice of frames.
        progress: show a bar.

    Raises:
        InputError: for other crops.
    """
    frames = _choose_frames(crops, np.random.default_rng(seed))
    used = np.unique(np.concatenate(list(frames.values())))
    bar = track(used, "crops", console=Console(stderr=True), disable=not progress)
    faces = FaceMeasurements.concatenate(measurer.analyze([crops.image(int(index))]) for index in bar)
    compared = {name: faces.take(np.searchsorted(used, indices)) for name, indices in frames.items()}
    first = compared["itself"]
    values = {
        name: compute_pair_metrics(PairFaces(first, first, first), other) for name, other in compared.items()
    }
    one = frames["itself"]
    person, video = (np.equal.outer(names[one], names[one]) for names in (crops.identity, crops.video))
    unit = first.identity / np.linalg.norm(first.identity, axis=1, keepdims=True)
    cosine = unit @ unit.T
    known = np.triu(np.isfinite(cosine), 1)
    same, different = cosine[known & person & ~video], cosine[known & ~person]
    return FrameResults(
        auc=float(mannwhitneyu(same, different).statistic / (len(same) * len(different))),
        same=len(same),
        different=len(different),
        means={name: {key: float(np.nanmean(found[key])) for key in KEYS} for name, found in values.items()},
    )


def _choose_frames(crops: FaceCrops, random: np.random.Generator) -> dict[str, NDArray[np.int64]]:
    """Choose some frames of every track, and for each one another frame, nearer or further."""
    tracks = [np.flatnonzero(crops.track == number) for number in range(crops.track.max(initial=-1) + 1)]
    tracks = [members[np.argsort(crops.frame[members])] for members in tracks if len(members) > 1]
    clips = {(str(crops.identity[members[0]]), str(crops.video[members[0]])) for members in tracks}
    people = {person for person, _ in clips}
    if len(people) < 2 or len(clips) == len(people):
        msg = f"{crops.root} must hold two people, and two videos of one of them"
        raise InputError(msg)
    places = [random.permutation(len(members) - 1)[:CROPS_PER_TRACK] for members in tracks]
    chosen = list(zip(tracks, places, strict=True))
    one = np.concatenate([members[place] for members, place in chosen])
    strangers = (random.choice(one[crops.identity[one] != crops.identity[index]]) for index in one)
    return {
        "itself": one,
        "next frame": np.concatenate([members[place + 1] for members, place in chosen]),
        "same track": np.concatenate([random.choice(members, len(place)) for members, place in chosen]),
        "other person": np.array(list(strangers)),
    }


def _perturbation_tables(results: PerturbationResults) -> list[Table]:
    means = Table("result", *map(_heading, KEYS), box=box.MARKDOWN)
    for name in results.values["csim"]:
        means.add_row(name, *(f"{results.values[key][name].mean():#.3g}" for key in KEYS))
    sensitivity = Table("metric", "perturbation", "detected", box=box.MARKDOWN)
    invariance = Table("metric", "perturbation", "relative change", box=box.MARKDOWN)
    for key in KEYS:
        for name in SENSITIVE_TO[key]:
            sensitivity.add_row(METRICS[key].label, name, f"{100 * results.detection_rate(key, name):.0f} %")
        for name in INVARIANT_TO[key]:
            invariance.add_row(METRICS[key].label, name, f"{100 * results.relative_change(key, name):.0f} %")
    return [means, sensitivity, invariance]


def _frame_table(results: FrameResults) -> Table:
    table = Table("a frame against", *map(_heading, KEYS), box=box.MARKDOWN)
    for name, values in results.means.items():
        table.add_row(name, *(f"{values[key]:#.3g}" for key in KEYS))
    table.caption = (
        f"CSIM, area under the ROC curve: {results.auc:.3f} ({results.same} pairs of one person in two "
        f"videos, {results.different} of two people)"
    )
    return table


def _heading(key: str) -> str:
    return f"{METRICS[key].label} {METRICS[key].arrow}"


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--identities", type=int, default=64, help="number of synthetic identities, 3 or more"
    )
    parser.add_argument("--data", type=Path, help="prepared data set of real videos instead")
    options = parser.parse_args()
    console = Console()
    try:
        with MetricBackends().open() as measurer:
            if options.data is not None:
                console.print(_frame_table(compare_frames(FaceCrops(options.data), measurer, progress=True)))
            else:
                for table in _perturbation_tables(
                    perturb_reenactments(options.identities, measurer, progress=True)
                ):
                    console.print(table)
    except InputError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
