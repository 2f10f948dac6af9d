"""Pairs of crops of one track: random ones for training, fixed ones for validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import Dataset

from facegan.data.face_pair import ROLES, FacePair, read_pair
from facegan.geometry.motion import rotation_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facegan.data.augmentation import Augmentation
    from facegan.data.face_crops import FaceCrops
    from facegan.data.face_pair import SampleKey


class TrainingPairs(Dataset[FacePair]):
    """Every crop as driving frame, with a random other crop of its track as source.

    An item is indexed by a driving frame and the seed of all random choices about its pair; an index alone is
    its own seed.

    Args:
        crops: the data.
        roles: whose images and segmentations are read, the others are None; see :data:`ROLES`.
        align_background: False leaves backgrounds where they are in the source's crop.
        augmentation: applied to every pair.
        min_time_gap_s: smallest time between source and driving frame in seconds.
        min_pose_change_deg: smallest rotation of the head between them in degrees. If no crop of the track
            fulfills both, the source is the one furthest away in time.
        normalize: False gives uint8 images, for :func:`facegan.data.normalize_images` on the device.
    """

    def __init__(
        self,
        crops: FaceCrops,
        *,
        roles: Sequence[str] = ROLES,
        align_background: bool = True,
        augmentation: Augmentation | None = None,
        min_time_gap_s: float = 0.0,
        min_pose_change_deg: float = 0.0,
        normalize: bool = True,
    ) -> None:
        self.crops = crops
        self.roles = roles
        self.align_background = align_background
        self.augmentation = augmentation
        self.min_time_gap_s = min_time_gap_s
        self.min_pose_change_deg = min_pose_change_deg
        self.normalize = normalize
        order = np.argsort(crops.track, kind="stable")
        starts = np.searchsorted(crops.track[order], np.arange(crops.track.max(initial=-1) + 1))
        self._members = np.split(order, starts[1:]) if len(order) else []

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, key: SampleKey | int) -> FacePair:
        index, seed = key if isinstance(key, tuple) else (key, key)
        generator = torch.Generator().manual_seed(seed)
        candidates = self._find_sources(index)
        source = int(candidates[int(torch.randint(len(candidates), (), generator=generator).item())])
        pair = read_pair(
            self.crops,
            source,
            index,
            roles=self.roles,
            align_background=self.align_background,
            normalize=self.normalize,
        )
        return self.augmentation(pair, generator) if self.augmentation else pair

    def _find_sources(self, index: int) -> NDArray[np.intp]:
        """Find the crops that may be the source of a driving frame."""
        members: NDArray[np.intp] = self._members[self.crops.track[index]]
        others: NDArray[np.intp] = members[members != index]
        if not len(others):
            return members
        gaps = np.abs(self.crops.time[others] - self.crops.time[index])
        allowed = np.ones(len(others), dtype=bool)
        if self.min_time_gap_s:
            allowed &= gaps >= self.min_time_gap_s
        if self.min_pose_change_deg:
            angles = rotation_angle_deg(self.crops.motion[others], self.crops.motion[index])
            allowed &= angles >= self.min_pose_change_deg
        if not allowed.any():
            allowed[gaps.argmax()] = True
        return np.asarray(others[allowed])


def rotation_angle_deg(motion: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the angle of the head rotation between motions N×20 and another one; N degrees."""
    rotations, target = (rotation_matrix(torch.from_numpy(some).double()) for some in (motion, other))
    # By the sine of the half angle, which is exact for small angles: |R - S|² = 8 sin²(angle / 2).
    sine = torch.linalg.matrix_norm(rotations - target) / 8**0.5
    degrees: NDArray[np.float64] = (2 * sine.clamp(max=1).asin()).rad2deg().numpy()
    return degrees


class ValidationPairs(Dataset[FacePair]):
    """Fixed pairs: driving frames evenly spaced over the data, sources the first crops of their tracks.

    Args:
        crops: the data.
        count: number of pairs; fewer if there are fewer crops.
        roles: whose images and segmentations are read, the others are None; see :data:`ROLES`.
        align_background: False leaves backgrounds where they are in the source's crop.
    """

    def __init__(
        self, crops: FaceCrops, count: int, *, roles: Sequence[str] = ROLES, align_background: bool = True
    ) -> None:
        self.crops = crops
        self.roles = roles
        self.align_background = align_background
        _, first = np.unique(crops.track, return_index=True)
        source = first[crops.track]
        # A crop is no test of itself.
        driving = np.flatnonzero(source != np.arange(len(crops)))
        chosen = driving[np.linspace(0, len(driving) - 1, min(count, len(driving))).round().astype(int)]
        self.indices = np.stack((source[chosen], chosen), axis=1)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> FacePair:
        source, driving = self.indices[index]
        return read_pair(
            self.crops,
            int(source),
            int(driving),
            roles=self.roles,
            align_background=self.align_background,
        )
