"""Ground-truth reenactments of synthetic identities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facegan.errors import InputError
from facegan.geometry.crop import Crop, landmark_extent
from facegan.geometry.landmarks import normalize_points
from facegan.preparation.synthetic import open_ground_truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.data import FaceCrops
    from facegan.data.evaluation_pairs import EvaluationPairs


class GroundTruthReenactments:
    """Renders the source identity with the source's camera and the driving motion and gaze.

    The frame is cropped as any frame of the source's track: a square of the same side, the eyes at the
    same position.

    Args:
        videos: folder that ``facegan synthesize`` wrote.
        crops: data set prepared from them.
        size: S, the side of the images; the crops' by default.

    Raises:
        InputError: if the folder holds no ground truth, or another data set's.
    """

    def __init__(self, videos: Path, crops: FaceCrops, size: int | None = None) -> None:
        self._truth, self._crops, self._size = open_ground_truth(videos), crops, size or crops.size
        unknown = {name for name in crops.video.tolist() if f"{name}.mp4" not in self._truth.videos}
        if unknown:
            msg = f"{videos} has no ground truth of {min(unknown)}: name what {crops.root} was prepared from"
            raise InputError(msg)

    def render(self, source: int, driving: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Render the reenactment of two crops: image S×S×3 and landmarks 68×2 in -1..1."""
        crops = self._crops
        rows = [
            self._truth.videos[f"{crops.video[index]}.mp4"][crops.frame[index]] for index in (source, driving)
        ]
        frame = self._truth.answer(*rows)
        source_points = self._truth.row(rows[0])["landmarks"].reshape(-1, 2)
        side = 2 * max(landmark_extent(source_points)) / max(landmark_extent(crops.landmarks[source]))
        crop = Crop.around(frame.landmarks, side)
        points = normalize_points(crop.to_crop(frame.landmarks, self._size), self._size)
        return np.asarray(crop.cut(frame.image, self._size)), points

    def predictor(self, pairs: EvaluationPairs) -> Callable[[Sequence[int]], Iterable[NDArray[np.uint8]]]:
        """Return a function from numbers of pairs to their images."""
        return lambda numbers: (
            self.render(int(pairs.source[pair]), int(pairs.driving[pair]))[0] for pair in numbers
        )
