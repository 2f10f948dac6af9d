"""LSIM: joint accuracy of face shape and expression (paper, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.metrics.pairwise_mean import PairwiseMeanMetric, validate_pair

if TYPE_CHECKING:
    from torch import Tensor


class LSIM(PairwiseMeanMetric):
    r"""Compute the mean squared error between landmarks of result and target image; lower is better.

    .. math::
        \mathrm{LSIM} = \frac{1}{N} \sum_n \frac{1}{136} \|r_n - t_n\|^2

    The target image shows the source's person with nearly the driving frame's action units: the result
    should look like it. The paper does not state the landmarks' unit; here it is half the crop.
    A result without a face counts as 1: every coordinate off by half the crop.

    Example:
        >>> import torch
        >>> from facegan.metrics import LSIM
        >>> preds, target = torch.zeros(2, 68, 2), torch.full((2, 68, 2), 0.1)
        >>> LSIM()(preds, target)
        tensor(0.0100)
    """

    is_differentiable = True
    higher_is_better = False
    plot_lower_bound = 0.0
    missing_value = 1.0

    def update(self, preds: Tensor, target: Tensor, detected: Tensor | None = None) -> None:
        """Update the state with a batch.

        Args:
            preds: landmarks of the results, N×68×2 in -1..1.
            target: landmarks of the target images, N×68×2 in -1..1.
            detected: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self._add(lsim(preds, target), detected)


def lsim(preds: Tensor, target: Tensor) -> Tensor:
    """Compute the mean squared error of each pair, N; arguments as for :meth:`LSIM.update`."""
    preds, target = validate_pair(preds, target, NUM_LANDMARKS, 2)
    return (preds - target).square().mean(dim=(1, 2))
