"""Assign identities to tracks by clustering their face embeddings."""

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

MAX_DISTANCE = 0.05
"""Mean cosine distance of the embeddings of two clusters up to which they are one identity."""


class TrackEmbedder:
    """Average the face embeddings of some crops of each track."""

    def __init__(self) -> None:
        self._embed = _load_embedder()
        self._embeddings: dict[int, list[NDArray[np.float32]]] = {}

    @torch.inference_mode()
    def add(self, track: int, image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> None:
        """Add a crop of a track: S×S×3 image, and 68×2 landmarks in -1..1, flat."""
        points = torch.from_numpy(landmarks).reshape(1, NUM_LANDMARKS, 2)
        embedding = self._embed(image_to_tensor(image)[None], points)[0]
        self._embeddings.setdefault(track, []).append(embedding.numpy())

    def mean_embedding(self, track: int) -> list[float]:
        """Return the mean embedding of a track, and forget the track."""
        mean: list[float] = np.mean(self._embeddings.pop(track), axis=0).tolist()
        return mean


@lru_cache(maxsize=1)
def _load_embedder() -> IdentityEmbedder:
    return IdentityEmbedder()


def cluster_identities(
    embeddings: Mapping[str, Sequence[float]], max_distance: float = MAX_DISTANCE
) -> dict[str, str]:
    """Cluster tracks by average linkage of the cosine distances of their embeddings.

    Args:
        embeddings: name of each track to its D-dimensional embedding; N² distances are held in memory.
        max_distance: mean cosine distance up to which two clusters are merged.

    Returns:
        Track to ``person_00000``, numbered in the order of the tracks.
    """
    # Half a second to import, and needed only here.
    from scipy.cluster.hierarchy import fcluster, linkage

    names = list(embeddings)
    if len(names) < 2:
        return dict.fromkeys(names, "person_00000")
    points = np.array([embeddings[name] for name in names], np.float64)
    clusters = fcluster(linkage(points, "average", metric="cosine"), max_distance, "distance").tolist()
    numbers: dict[int, int] = {}
    for cluster in clusters:
        numbers.setdefault(cluster, len(numbers))
    return {name: f"person_{numbers[cluster]:05d}" for name, cluster in zip(names, clusters, strict=True)}
