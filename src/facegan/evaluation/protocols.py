"""The evaluation protocols and their metrics (paper, section 5)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from facegan.data import FaceCrops
from facegan.data.evaluation_pairs import EvaluationPairs, read_pairs
from facegan.data.protocol_pairs import PROTOCOL_PAIRS, RUN_LENGTH
from facegan.errors import InputError
from facegan.preparation.splits import list_substitutes

if TYPE_CHECKING:
    from collections.abc import Sequence


class Protocol(NamedTuple):
    """An experiment.

    Attributes:
        title: for the report.
        description: what is done, in one sentence.
        metrics: keys of :data:`facegan.metrics.pair_metrics.METRICS`.
        ground_truth_metrics: metrics that need the ground-truth reenactment.
        has_image_grid: whether the report shows images of it.
    """

    title: str
    description: str
    metrics: tuple[str, ...]
    ground_truth_metrics: tuple[str, ...] = ()
    has_image_grid: bool = False


REENACTMENT_METRICS = ("csim", "psim", "ed", "ed_l2", "gaze_error", "blink_agreement")

PROTOCOLS = {
    "self": Protocol(
        "Self reenactment",
        "The first image of a track, driven by another image of the same track, which is the target.",
        ("mse", "psnr", "ssim", "perceptual", "fid", *REENACTMENT_METRICS, "landmark_error"),
        has_image_grid=True,
    ),
    "cross": Protocol(
        "Cross reenactment",
        "An image of one identity, driven by an image of another identity.",
        (*REENACTMENT_METRICS, "fid"),
        ground_truth_metrics=("mse", "perceptual", "landmark_error"),
        has_image_grid=True,
    ),
    "lsim": Protocol(
        "Shape and expression",
        "The first of two images of one identity, driven by the image of another identity whose action units "
        "and head pose are nearest to those of the second, which is the target.",
        ("lsim",),
    ),
    "video": Protocol(
        "Successive frames",
        f"The first image of a track, driven by {RUN_LENGTH} successive images of the same track.",
        ("flicker",),
    ),
}


def select_split(data: Path | str, size: int | None, pairs: int | Path) -> tuple[str | None, FaceCrops]:
    """Open the test split of a data set, or val or train where it is empty; all splits for a file of pairs.

    Raises:
        InputError: if the data set is unusable or empty.
    """
    for split in (None,) if isinstance(pairs, Path) else list_substitutes("test"):
        crops = FaceCrops(data, split, size)
        if len(crops):
            return split, crops
    msg = f"{data} holds no crops: prepare it anew"
    raise InputError(msg)


def select_pairs(
    crops: FaceCrops, pairs: int | Path, seed: int, split: str | None, protocols: Sequence[str] | None = None
) -> tuple[dict[str, EvaluationPairs], dict[str, str]]:
    """Select the pairs of each protocol, or read them from a file.

    Args:
        crops: the data.
        pairs: number of pairs of each protocol; or a file of pairs.
        seed: of the selection.
        split: of the data, for messages.
        protocols: names; None for all.

    Returns:
        Protocol to its pairs; and protocol to the reason why it has none.

    Raises:
        InputError: for an unknown protocol, less than one pair, a negative seed, or if there are no pairs.
    """
    wanted = tuple(PROTOCOLS) if protocols is None else tuple(protocols)
    if unknown := [name for name in wanted if name not in PROTOCOLS]:
        msg = f"unknown protocol {unknown[0]!r}: choose from {', '.join(PROTOCOLS)}"
        raise InputError(msg)
    if isinstance(pairs, Path):
        return _read_pairs(crops, pairs, wanted), {}
    if seed < 0 or pairs < 1:
        msg = f"cannot select {pairs} pairs with seed {seed}: at least 1 pair, and a seed of 0 or more"
        raise InputError(msg)
    selected = {name: PROTOCOL_PAIRS[name](crops, pairs, seed) for name in PROTOCOLS if name in wanted}
    two_crops, identities = "has two crops", len(np.unique(crops.identity))
    lacking = f"no identity of the {split} split {two_crops}"
    if identities < 2:
        lacking = f"the {split} split has one identity only"
    reasons = {
        "self": f"no track of the {split} split {two_crops}",
        "cross": lacking,
        "lsim": lacking,
        "video": f"no track of the {split} split is long enough",
    }
    skipped = {name: reasons[name] for name, chosen in selected.items() if not len(chosen.source)}
    if len(skipped) == len(selected):
        msg = f"{crops.root} has nothing to evaluate: {'; '.join(skipped.values())}; prepare more videos"
        raise InputError(msg)
    return {name: chosen for name, chosen in selected.items() if name not in skipped}, skipped


def _read_pairs(crops: FaceCrops, path: Path, wanted: tuple[str, ...]) -> dict[str, EvaluationPairs]:
    stored = read_pairs(path, crops)
    if unknown := sorted(stored.keys() - PROTOCOLS.keys()):
        msg = f"{path} has pairs of unknown protocols: {', '.join(unknown)}"
        raise InputError(msg)
    selected = {name: chosen for name, chosen in stored.items() if name in wanted}
    if not selected:
        msg = f"{path} has no pairs of {', '.join(wanted)}"
        raise InputError(msg)
    return selected
