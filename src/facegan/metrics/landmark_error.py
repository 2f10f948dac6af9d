"""Landmark error, the usual metric of face alignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.metrics.pairwise_mean import PairwiseMeanMetric, validate_pair

if TYPE_CHECKING:
    from torch import Tensor


class LandmarkError(PairwiseMeanMetric):
    r"""Compute the mean distance between landmarks of result and ground truth; lower is better.

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
    missing_value = 1.0

    def update(self, preds: Tensor, target: Tensor, detected: Tensor | None = None) -> None:
        """Update the state with a batch.

        Args:
            preds: landmarks of the results, N×68×2 in -1..1.
            target: ground-truth landmarks, N×68×2 in -1..1.
            detected: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self._add(landmark_error(preds, target), detected)


def landmark_error(preds: Tensor, target: Tensor) -> Tensor:
    """Compute the mean distance of each pair, N; arguments as for :meth:`LandmarkError.update`."""
    preds, target = validate_pair(preds, target, NUM_LANDMARKS, 2)
    distances: Tensor = (preds - target).norm(dim=2).mean(dim=1)
    return distances
