"""Which crops meet: self reenactment, cross reenactment, LSIM (paper, section 5), and runs of frames.

As in the paper's test, an identity has one source picture, its first crop; in self reenactment a track.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from facegan.data import ValidationPairs, cross_pairs, nearest_motion
from facegan.evaluation.evaluation_pairs import EvaluationPairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from facegan.data import FaceCrops

RUN = 16
"""Successive frames of which flicker is measured."""


class Protocol(NamedTuple):
    """An experiment.

    Attributes:
        title: for the report.
        about: what is done, in one sentence.
        measures: keys of :data:`facegan.evaluation.pair_metrics.MEASURES`.
        choose: crops, number of trials and seed to the trials, fewer if there are no more, or none.
        pictured: whether the report shows pictures of it.
    """

    title: str
    about: str
    measures: tuple[str, ...]
    choose: Callable[[FaceCrops, int, int], EvaluationPairs]
    pictured: bool


def self_reenactment(crops: FaceCrops, count: int, seed: int) -> EvaluationPairs:
    """The first crop of a track, moved as another one of it; drivers evenly over all, whatever the seed."""
    source, driver = ValidationPairs(crops, count).indices.T
    return EvaluationPairs(source, driver, driver)


def cross_reenactment(crops: FaceCrops, count: int, seed: int) -> EvaluationPairs:
    """Random drivers, each for a random other identity; no crop drives twice."""
    source, driver = cross_pairs(crops, count, seed).T
    return EvaluationPairs(source, driver, driver)


def shape_and_expression(crops: FaceCrops, count: int, seed: int) -> EvaluationPairs:
    """LSIM: random second pictures of an identity, each with the other identity's crop that moves most alike.

    Alike is the smallest distance of all 20 numbers of the motion vector: the paper's AU vector holds the
    pose, and with another pose no landmark could agree.
    """
    random = np.random.default_rng(seed)
    _, first, identity = np.unique(crops.identity, return_index=True, return_inverse=True)
    seconds = np.flatnonzero(first[identity] != np.arange(len(crops)))
    if len(first) < 2 or not len(seconds):
        return _none()
    second = random.permutation(seconds)[:count]
    driver = nearest_motion(crops, crops.motion[second], crops.identity[second])
    return EvaluationPairs(first[identity[second]], driver, second)


def successive_frames(crops: FaceCrops, count: int, seed: int) -> EvaluationPairs:
    """The first crop of a track, moved as RUN successive crops from its middle; so many whole runs as fit."""
    random = np.random.default_rng(seed)
    tracks = [np.flatnonzero(crops.track == track) for track in range(crops.track.max(initial=-1) + 1)]
    tracks = [members[np.argsort(crops.frame[members])] for members in tracks if len(members) > RUN]
    chosen = random.permutation(len(tracks))[: max(count // RUN, 1)]
    if not len(chosen):
        return _none()
    runs = []
    for members in (tracks[one] for one in chosen):
        begin = (len(members) - RUN) // 2 + 1
        runs.append(members[min(begin, len(members) - RUN) :][:RUN])
    driver = np.concatenate(runs)
    source = np.repeat([tracks[one][0] for one in chosen], RUN)
    return EvaluationPairs(source, driver, driver)


PROTOCOLS = {
    "self": Protocol(
        "Self reenactment",
        "The first picture of a track, moved as another picture of it shows: that picture is the truth.",
        (
            *("mse", "psnr", "ssim", "perceptual", "fid"),
            *("csim", "psim", "ed", "ed_euclidean", "landmarks", "gaze", "blink"),
        ),
        self_reenactment,
        pictured=True,
    ),
    "cross": Protocol(
        "Cross reenactment",
        "A picture of one person, moved as a picture of somebody else shows.",
        ("csim", "psim", "ed", "ed_euclidean", "gaze", "blink", "fid"),
        cross_reenactment,
        pictured=True,
    ),
    "lsim": Protocol(
        "Shape and expression",
        "Of two pictures of one person the first is moved as somebody else whose action units and pose are "
        "nearest to the second's: the result should look like the second.",
        ("lsim",),
        shape_and_expression,
        pictured=False,
    ),
    "video": Protocol(
        "Successive frames",
        f"The first picture of a track, moved as {RUN} successive pictures of it.",
        ("flicker",),
        successive_frames,
        pictured=False,
    ),
}


def _none() -> EvaluationPairs:
    nothing = np.empty(0, np.int64)
    return EvaluationPairs(nothing, nothing, nothing)
