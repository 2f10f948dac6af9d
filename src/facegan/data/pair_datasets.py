"""Which frames make pairs: any two of one track, in training at random, in validation always the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import Dataset

from facegan.data.face_pair import FacePair, read_pair
from facegan.geometry.motion import rotation_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.data.augmentation import Augmentation
    from facegan.data.face_crops import FaceCrops
    from facegan.data.pair_sampler import SampleKey


class TrainingPairs(Dataset[FacePair]):
    """Every crop once as driver, each time with a random other crop of its track as source.

    An item is asked for by a driver's index and the seed of all that is random about its pair; with the
    index alone the pair is always the same.

    Args:
        crops: the data.
        load_images: False leaves images and segmentations None.
        align_background: False leaves backgrounds where they are in the source's crop.
        augmentation: applied to every pair.
        min_time_gap_s: seconds that source and driver are apart at least.
        min_pose_change_deg: degrees that the head turns between them at least. Where no crop of the track
            is both, the source is the one furthest off in time.
        normalize: False gives uint8 images, for :func:`facegan.data.normalize_images` on the device.
    """

    def __init__(
        self,
        crops: FaceCrops,
        *,
        load_images: bool = True,
        align_background: bool = True,
        augmentation: Augmentation | None = None,
        min_time_gap_s: float = 0.0,
        min_pose_change_deg: float = 0.0,
        normalize: bool = True,
    ) -> None:
        self.crops = crops
        self.load_images = load_images
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

    def __getitem__(self, draw: SampleKey | int) -> FacePair:
        index, seed = draw if isinstance(draw, tuple) else (draw, draw)
        generator = torch.Generator().manual_seed(seed)
        source = self.source_of(index, generator)
        pair = read_pair(
            self.crops,
            source,
            index,
            load_images=self.load_images,
            align_background=self.align_background,
            normalize=self.normalize,
        )
        return self.augmentation(pair, generator) if self.augmentation else pair

    def source_of(self, index: int, generator: torch.Generator) -> int:
        """A random source for a driver."""
        others = self._sources(index)
        return int(others[int(torch.randint(len(others), (), generator=generator).item())])

    def _sources(self, index: int) -> NDArray[np.intp]:
        """Crops that may go with a driver."""
        members: NDArray[np.intp] = self._members[self.crops.track[index]]
        others: NDArray[np.intp] = members[members != index]
        if not len(others):
            return members
        apart = np.ones(len(others), dtype=bool)
        if self.min_time_gap_s:
            apart &= np.abs(self.crops.time[others] - self.crops.time[index]) >= self.min_time_gap_s
        if self.min_pose_change_deg:
            apart &= turns(self.crops.motion[others], self.crops.motion[index]) >= self.min_pose_change_deg
        if not apart.any():
            apart[np.abs(self.crops.time[others] - self.crops.time[index]).argmax()] = True
        return np.asarray(others[apart])


def turns(motion: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """By how many degrees a head turns from motions N×20 to another one, about whatever axis; N."""
    rotations, to = (rotation_matrix(torch.from_numpy(some).double()) for some in (motion, other))
    # By the half angle's sine, which is exact for small turns too: |R - S|² = 8 sin²(angle / 2).
    sine = torch.linalg.matrix_norm(rotations - to) / 8**0.5
    degrees: NDArray[np.float64] = (2 * sine.clamp(max=1).asin()).rad2deg().numpy()
    return degrees


class ValidationPairs(Dataset[FacePair]):
    """The same pairs every time: drivers evenly over the data, source the first crop of the track.

    Args:
        crops: the data.
        count: how many pairs; fewer if there are fewer crops.
        load_images: False leaves images and segmentations None.
        align_background: False leaves backgrounds where they are in the source's crop.
    """

    def __init__(
        self, crops: FaceCrops, count: int, *, load_images: bool = True, align_background: bool = True
    ) -> None:
        self.crops = crops
        self.load_images = load_images
        self.align_background = align_background
        _, first = np.unique(crops.track, return_index=True)
        source = first[crops.track]
        # A crop is no test of itself.
        drivers = np.flatnonzero(source != np.arange(len(crops)))
        chosen = drivers[np.linspace(0, len(drivers) - 1, min(count, len(drivers))).round().astype(int)]
        self.indices = np.stack((source[chosen], chosen), axis=1)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> FacePair:
        source, driver = self.indices[index]
        return read_pair(
            self.crops,
            int(source),
            int(driver),
            load_images=self.load_images,
            align_background=self.align_background,
        )
