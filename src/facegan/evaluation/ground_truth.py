"""The true answer of a reenactment of drawn people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facegan.errors import InputError
from facegan.geometry.crop import Crop, landmark_extent
from facegan.geometry.landmarks import normalize_points
from facegan.preparation.synthetic import open_ground_truth

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.data import FaceCrops
    from facegan.evaluation.evaluation_pairs import EvaluationPairs


class GroundTruthReenactments:
    """The source's person, filmed by the source's camera, with the driver's motion and gaze.

    It is cut as any frame of the source's track: a square of the same side, the eyes at their place.

    Args:
        videos: folder that ``facegan synthesize`` wrote.
        crops: data set prepared from them.
        size: S, the side of the pictures; the crops' by default.

    Raises:
        InputError: if the folder holds no ground truth, or another data set's.
    """

    def __init__(self, videos: Path, crops: FaceCrops, size: int | None = None) -> None:
        self._truth, self._crops, self._size = open_ground_truth(videos), crops, size or crops.size
        unknown = {name for name in crops.video.tolist() if f"{name}.mp4" not in self._truth.videos}
        if unknown:
            msg = f"{videos} has no truth about {min(unknown)}: name what {crops.root} was prepared from"
            raise InputError(msg)

    def picture(self, source: int, driver: int) -> NDArray[np.uint8]:
        """The answer for two crops, S×S×3."""
        return self.answer(source, driver)[0]

    def answer(self, source: int, driver: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Picture S×S×3 and landmarks 68×2 in -1..1."""
        crops = self._crops
        rows = [
            self._truth.videos[f"{crops.video[index]}.mp4"][crops.frame[index]] for index in (source, driver)
        ]
        frame = self._truth.answer(*rows)
        before = self._truth.row(rows[0])["landmarks"].reshape(-1, 2)
        side = 2 * max(landmark_extent(before)) / max(landmark_extent(crops.landmarks[source]))
        crop = Crop.around(frame.landmarks, side)
        points = normalize_points(crop.to_crop(frame.landmarks, self._size), self._size)
        return np.asarray(crop.cut(frame.image, self._size)), points

    def paint(self, trials: EvaluationPairs, pairs: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
        """The answers of some trials."""
        return [self.picture(int(trials.source[pair]), int(trials.driver[pair])) for pair in pairs]
