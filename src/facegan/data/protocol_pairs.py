"""Which crops the evaluation protocols pair (paper, section 5).

As in the paper's test, an identity has one source image, its first crop; in self reenactment a track has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch.utils.data import Dataset

from facegan.data.evaluation_pairs import EvaluationPairs
from facegan.data.face_pair import FacePair, read_pair
from facegan.data.pair_datasets import ValidationPairs
from facegan.data.pair_selection import cross_pairs, nearest_motion

if TYPE_CHECKING:
    from facegan.data.face_crops import FaceCrops

RUN_LENGTH = 16
"""Successive frames over which flicker is measured."""


def select_self_pairs(crops: FaceCrops, count: int, seed: int) -> EvaluationPairs:
    """Pair the first crop of each track with others of it, evenly over all tracks, whatever the seed."""
    source, driving = ValidationPairs(crops, count).indices.T
    return EvaluationPairs(source, driving, driving)


def select_cross_pairs(crops: FaceCrops, count: int, seed: int) -> EvaluationPairs:
    """Pair random driving crops with random other identities; no crop drives twice."""
    source, driving = cross_pairs(crops, count, seed).T
    return EvaluationPairs(source, driving, driving)


def select_lsim_pairs(crops: FaceCrops, count: int, seed: int) -> EvaluationPairs:
    """Pair random second images of an identity with the crop of another identity of nearest motion.

    Nearest in all motion parameters: the paper's AU vector holds the head pose, and with another pose no
    landmark could agree.
    """
    random = np.random.default_rng(seed)
    _, first, identity = np.unique(crops.identity, return_index=True, return_inverse=True)
    others = np.flatnonzero(first[identity] != np.arange(len(crops)))
    if len(first) < 2 or not len(others):
        return _no_pairs()
    target = random.permutation(others)[:count]
    driving = nearest_motion(crops, crops.motion[target], crops.identity[target])
    return EvaluationPairs(first[identity[target]], driving, target)


def select_successive_frames(crops: FaceCrops, count: int, seed: int) -> EvaluationPairs:
    """Pair the first crop of a track with :data:`RUN_LENGTH` successive crops from its middle.

    As many whole runs as fit into the count, one a track, tracks at random.
    """
    random = np.random.default_rng(seed)
    tracks = [np.flatnonzero(crops.track == track) for track in range(crops.track.max(initial=-1) + 1)]
    tracks = [members[np.argsort(crops.frame[members])] for members in tracks if len(members) > RUN_LENGTH]
    chosen = random.permutation(len(tracks))[: max(count // RUN_LENGTH, 1)]
    if not len(chosen):
        return _no_pairs()
    runs = []
    for members in (tracks[one] for one in chosen):
        begin = min((len(members) - RUN_LENGTH) // 2 + 1, len(members) - RUN_LENGTH)
        runs.append(members[begin : begin + RUN_LENGTH])
    driving = np.concatenate(runs)
    source = np.repeat([tracks[one][0] for one in chosen], RUN_LENGTH)
    return EvaluationPairs(source, driving, driving)


PROTOCOL_PAIRS = {
    "self": select_self_pairs,
    "cross": select_cross_pairs,
    "lsim": select_lsim_pairs,
    "video": select_successive_frames,
}
"""Protocol to the function that selects its pairs: of crops, number of pairs and seed, fewer if there are no
more."""


class NumberedPair(NamedTuple):
    """A pair of a protocol, or a batch of N."""

    number: int
    """In the protocol, 0, 1, …"""
    pair: FacePair


class ProtocolPairs(Dataset[NumberedPair]):
    """The pairs of a protocol.

    Args:
        crops: the data.
        pairs: indices of the crops.
        align_background: False leaves backgrounds where they are in the source's crop.
    """

    def __init__(self, crops: FaceCrops, pairs: EvaluationPairs, *, align_background: bool = True) -> None:
        self.crops = crops
        self.pairs = pairs
        self.align_background = align_background

    def __len__(self) -> int:
        return len(self.pairs.source)

    def __getitem__(self, number: int) -> NumberedPair:
        source, driving = int(self.pairs.source[number]), int(self.pairs.driving[number])
        return NumberedPair(
            number, read_pair(self.crops, source, driving, align_background=self.align_background)
        )


def _no_pairs() -> EvaluationPairs:
    return EvaluationPairs(*(np.empty(0, np.int64) for _ in range(3)))
