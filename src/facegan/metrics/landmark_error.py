"""How far landmarks lie from where they should; the usual measure of face alignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.metrics.pairwise import PairwiseMeanMetric, as_pairs

if TYPE_CHECKING:
    from torch import Tensor


class LandmarkError(PairwiseMeanMetric):
    r"""Mean distance between the landmarks of result and truth; lower is better.

    .. math::
        \frac{1}{68 N} \sum_n \sum_k \|r_{nk} - t_{nk}\|

    The unit is half the crop. A result without a face counts as 1.

    Example:
        >>> import torch
        >>> from facegan.metrics import LandmarkError
        >>> LandmarkError()(torch.zeros(1, 68, 2), torch.tensor([0.3, 0.4]).expand(1, 68, 2))
        tensor(0.5000)
    """

    is_differentiable = True
    higher_is_better = False
    plot_lower_bound = 0.0
    miss = 1.0

    def update(self, result_landmarks: Tensor, true_landmarks: Tensor, found: Tensor | None = None) -> None:
        """Takes in a batch.

        Args:
            result_landmarks: of the results, N×68×2 in -1..1.
            true_landmarks: of the truth, N×68×2 in -1..1.
            found: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self.add(landmark_error(result_landmarks, true_landmarks), found)


def landmark_error(result_landmarks: Tensor, true_landmarks: Tensor) -> Tensor:
    """Mean distance of each pair, N; arguments as for :meth:`LandmarkError.update`."""
    names = ("result_landmarks", "true_landmarks")
    result, truth = as_pairs(result_landmarks, true_landmarks, NUM_LANDMARKS, 2, names=names)
    distances: Tensor = (result - truth).norm(dim=2).mean(dim=1)
    return distances
