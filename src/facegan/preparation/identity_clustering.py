"""Who is who, where no folder and no list tells it: tracks of alike faces are one person."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.io.images import image_to_tensor
from facegan.perception import IdentityEmbedder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

DISTANCE = 0.05
"""1 minus the cosine of two tracks' embeddings, on average of two groups, up to which they are one person."""


class FaceEmbedder:
    """Embeds some faces of each track, a few at a time."""

    def __init__(self) -> None:
        self._embed = _embedder()
        self._found: dict[int, list[NDArray[np.float32]]] = {}

    @torch.inference_mode()
    def add(self, track: int, picture: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> None:
        """Takes a face: S×S×3 crop, and 68×2 landmarks in -1..1, flat."""
        image = image_to_tensor(picture)[None]
        points = torch.from_numpy(landmarks).reshape(1, NUM_LANDMARKS, 2)
        self._found.setdefault(track, []).append(self._embed(image, points)[0].numpy())

    def embedding(self, track: int) -> list[float]:
        """Mean of a track's embeddings; forgets it."""
        mean: list[float] = np.mean(self._found.pop(track), axis=0).tolist()
        return mean


@lru_cache(maxsize=1)
def _embedder() -> IdentityEmbedder:
    return IdentityEmbedder()


def cluster_identities(
    embeddings: Mapping[str, Sequence[float]], distance: float = DISTANCE
) -> dict[str, str]:
    """Groups tracks by average linkage of their embeddings.

    Args:
        embeddings: track's name to D numbers; N² distances are held in memory.
        distance: up to which two groups are joined, 1 minus cosine.

    Returns:
        Track to ``person_00000``, numbered in the order of the tracks.
    """
    # Half a second to import, and needed only here.
    from scipy.cluster.hierarchy import fcluster, linkage

    names = list(embeddings)
    if len(names) < 2:
        return dict.fromkeys(names, "person_00000")
    points = np.array([embeddings[name] for name in names], np.float64)
    groups = fcluster(linkage(points, "average", metric="cosine"), distance, "distance")
    numbers: dict[int, int] = {}
    for group in groups.tolist():
        numbers.setdefault(group, len(numbers))
    return {name: f"person_{numbers[group]:05d}" for name, group in zip(names, groups.tolist(), strict=True)}
