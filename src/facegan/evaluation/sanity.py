"""Do the measures measure what they should? On drawn people, whose truth is known, and on real videos.

``python -m facegan.evaluation.sanity`` prints the tables of docs/metrics.md; with ``--data FOLDER`` those of
a prepared data set of real videos.
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
from facegan.evaluation.face_measurements import MetricBackends, Observer, Seen, join
from facegan.evaluation.pair_metrics import MEASURES, observed
from facegan.geometry.motion import ACTION_UNITS
from facegan.io.images import tensor_to_images
from synthetic_heads import render, sample_identity, sample_motion, sample_scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KEYS = ("csim", "psim", "ed", "lsim")
ANSWER = "the true answer"
MUST_TELL = {
    "csim": ("another person", "the driver's picture"),
    "psim": ("another pose",),
    "ed": ("another expression",),
    "lsim": (
        *("another pose", "another expression", "another person"),
        *("the source's picture", "the driver's picture"),
    ),
}
"""What each measure must find worse than the true answer."""
MUST_IGNORE = {
    "csim": ("another expression", "another light and background"),
    "psim": ("another person", "another expression", "another light and background"),
    "ed": ("another person", "another light and background"),
    "lsim": ("another light and background",),
}
"""What each measure must find as good as the true answer, more or less."""
CROPS_OF_A_VIDEO = 4
MOMENT = 25
"""Frame of a movement of 2 seconds that is drawn."""


class Drawn(NamedTuple):
    """What a measure says of each candidate, of N people."""

    values: dict[str, dict[str, Floats]]
    """Measure to candidate to N values; the candidate that is right is :data:`ANSWER`."""

    def told(self, key: str, candidate: str) -> float:
        """Share of the people of whom the true answer is better than the candidate."""
        right, wrong = self.values[key][ANSWER], self.values[key][candidate]
        better = right > wrong if MEASURES[key].higher_is_better else right < wrong
        return float(better.mean())

    def moved(self, key: str, candidate: str) -> float:
        """How far the mean goes from that of the true answer, against the first that must be told."""
        right = self.values[key][ANSWER].mean()
        wrong = self.values[key][MUST_TELL[key][0]].mean()
        return float((self.values[key][candidate].mean() - right) / (wrong - right))


def drawn(people: int, observer: Observer, *, size: int = 256, progress: bool = False) -> Drawn:
    """Shows answers that are right, and answers that are wrong in one way each.

    One person's picture is moved as another one's; the right result is drawn, with noise of its own.

    Args:
        people: number of people, 3 or more.
        observer: who looks.
        size: side of the pictures.
        progress: show a bar.

    Raises:
        InputError: for fewer people.
    """
    if people < 3:
        msg = f"cannot choose a source, a driver and somebody else among {people} people: take 3 or more"
        raise InputError(msg)
    rows: dict[str, list[Seen]] = {}
    console = Console(stderr=True)
    for seed in track(range(people), "drawn people", console=console, transient=True, disable=not progress):
        for name, image in _candidates(seed, people, size).items():
            rows.setdefault(name, []).append(observer([image]))
    seen = {name: join(looks) for name, looks in rows.items()}
    source, driver, second = (seen.pop(name) for name in ("source", "driver", "second"))
    seen |= {"the source's picture": source, "the driver's picture": driver}
    measured = {name: observed(source, driver, second, result) for name, result in seen.items()}
    return Drawn({key: {name: values[key] for name, values in measured.items()} for key in KEYS})


def _candidates(seed: int, people: int, size: int) -> dict[str, NDArray[np.uint8]]:
    """Pictures of a person: the source, who drives, the right result twice, wrong results."""
    who, other, third = ((seed + step) % people for step in (0, 1, 2))
    scene, elsewhere = sample_scene(who), replace(sample_scene(third), camera=sample_scene(who).camera)
    before, driving, wrong = (sample_motion(3 * seed + step, 2 * MOMENT, MOMENT) for step in range(3))
    motion, gaze = driving.motion[MOMENT], driving.gaze[MOMENT]
    count = len(ACTION_UNITS)
    pose = np.concatenate((motion[:count], wrong.motion[MOMENT][count:]))
    expression = np.concatenate((wrong.motion[MOMENT][:count], motion[count:]))
    shown = {
        "source": (who, before.motion[MOMENT], before.gaze[MOMENT], scene),
        "driver": (other, motion, gaze, sample_scene(other)),
        "second": (who, motion, gaze, scene),
        ANSWER: (who, motion, gaze, scene),
        "another person": (third, motion, gaze, scene),
        "another pose": (who, pose, gaze, scene),
        "another expression": (who, expression, gaze, scene),
        "another light and background": (who, motion, gaze, elsewhere),
    }
    return {
        name: render(sample_identity(person), vector, size, gaze=eyes, scene=place, noise_seed=number).image
        for number, (name, (person, vector, eyes, place)) in enumerate(shown.items())
    }


class Filmed(NamedTuple):
    """What the measures say of real videos."""

    auc: float
    """Of CSIM: two videos of one person against videos of two."""
    same: int
    """Pairs of one person, from two videos."""
    different: int
    """Pairs of two people."""
    steps: dict[str, dict[str, float]]
    """Which frame is compared with one: to measure to its mean."""


def filmed(crops: FaceCrops, observer: Observer, *, seed: int = 0, progress: bool = False) -> Filmed:
    """The measures between frames of real videos.

    Args:
        crops: of at least two people, one of them with two videos.
        observer: who looks.
        seed: of the choice of frames.
        progress: show a bar.

    Raises:
        InputError: for other crops.
    """
    sides = _frames(crops, np.random.default_rng(seed))
    one = sides["itself"]
    person, video = (np.equal.outer(names[one], names[one]) for names in (crops.identity, crops.video))
    upper = np.triu(np.ones_like(person), 1)
    same, different = upper & person & ~video, upper & ~person

    used = np.unique(np.concatenate(list(sides.values())))
    console = Console(stderr=True)
    bar = track(used, "crops", console=console, transient=True, disable=not progress)
    looks = join(observer([tensor_to_images(crops.picture(int(index)))]) for index in bar)
    seen = {name: looks.take(np.searchsorted(used, side)) for name, side in sides.items()}
    first = seen["itself"]
    measured = {name: observed(first, first, first, other) for name, other in seen.items()}
    steps = {name: {key: float(np.nanmean(values[key])) for key in KEYS} for name, values in measured.items()}
    unit = first.identity / np.linalg.norm(first.identity, axis=1, keepdims=True)
    likeness = unit @ unit.T
    known = np.isfinite(likeness)
    pairs = [likeness[chosen & known] for chosen in (same, different)]
    area = mannwhitneyu(*pairs).statistic / (len(pairs[0]) * len(pairs[1]))
    return Filmed(float(area), len(pairs[0]), len(pairs[1]), steps)


def _frames(crops: FaceCrops, random: np.random.Generator) -> dict[str, NDArray[np.int64]]:
    """Some frames of every track, and for each one another frame, nearer or further."""
    tracks = [np.flatnonzero(crops.track == number) for number in range(crops.track.max(initial=-1) + 1)]
    tracks = [members[np.argsort(crops.frame[members])] for members in tracks if len(members) > 1]
    clips = {(str(crops.identity[members[0]]), str(crops.video[members[0]])) for members in tracks}
    people = {person for person, _ in clips}
    if len(people) < 2 or len(clips) == len(people):
        msg = f"{crops.root} must hold two people, and two videos of one of them"
        raise InputError(msg)
    places = [random.permutation(len(members) - 1)[:CROPS_OF_A_VIDEO] for members in tracks]
    chosen = list(zip(tracks, places, strict=True))
    one = np.concatenate([members[place] for members, place in chosen])
    strangers = (random.choice(one[crops.identity[one] != crops.identity[index]]) for index in one)
    return {
        "itself": one,
        "the next of its video": np.concatenate([members[place + 1] for members, place in chosen]),
        "any of its video": np.concatenate([random.choice(members, len(place)) for members, place in chosen]),
        "any of somebody else": np.array(list(strangers)),
    }


def _drawn_tables(results: Drawn) -> list[Table]:
    means = Table("result shown", *(_heading(key) for key in KEYS), box=box.MARKDOWN)
    for candidate in results.values["csim"]:
        cells = (f"{results.values[key][candidate].mean():#.3g}" for key in KEYS)
        means.add_row(candidate, *cells)
    told = Table("measure", "must tell", "true answer is better", box=box.MARKDOWN)
    ignored = Table("measure", "must ignore", "moves its mean by", box=box.MARKDOWN)
    for key in KEYS:
        label = MEASURES[key].label
        for candidate in MUST_TELL[key]:
            told.add_row(label, candidate, f"{100 * results.told(key, candidate):.0f} %")
        for candidate in MUST_IGNORE[key]:
            ignored.add_row(label, candidate, f"{100 * results.moved(key, candidate):.0f} %")
    return [means, told, ignored]


def _filmed_table(results: Filmed) -> Table:
    table = Table("a frame against", *(_heading(key) for key in KEYS), box=box.MARKDOWN)
    for name, values in results.steps.items():
        table.add_row(name, *(f"{values[key]:#.3g}" for key in KEYS))
    table.caption = (
        f"CSIM, area under the ROC curve: {results.auc:.3f} ({results.same} pairs of one person in two "
        f"videos, {results.different} of two people)"
    )
    return table


def _heading(key: str) -> str:
    return f"{MEASURES[key].label} {MEASURES[key].better}"


def main() -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m facegan.evaluation.sanity", description=__doc__)
    parser.add_argument("--people", type=int, default=64, help="number of drawn people, 3 or more")
    parser.add_argument("--data", type=Path, help="prepared data set of real videos, instead of drawn people")
    parser.add_argument("--identity", default="dlib", help="who recognizes faces: dlib or facenet")
    parser.add_argument("--motion", default="mediapipe", help="who sees action units and pose")
    given = parser.parse_args()
    console = Console()
    try:
        with MetricBackends(given.identity, given.motion).open() as observer:
            if given.data is not None:
                console.print(_filmed_table(filmed(FaceCrops(given.data, None), observer, progress=True)))
            else:
                for table in _drawn_tables(drawn(given.people, observer, progress=True)):
                    console.print(table)
    except InputError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
