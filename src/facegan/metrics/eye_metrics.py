"""Accuracy of gaze and blinks; not in the paper, whose landmarks hold neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegan.metrics.pairwise_mean import PairwiseMeanMetric, validate_pair

if TYPE_CHECKING:
    from torch import Tensor

CLOSED_EYE_THRESHOLD = 0.5
"""Intensity of AU45, 0..1, from which an eye counts as closed."""


class GazeError(PairwiseMeanMetric):
    r"""Compute the mean distance between the irises of result and driving frame; lower is better.

    .. math::
        \frac{1}{2N} \sum_n \sum_{e} \|d_{ne} - r_{ne}\|

    An iris position is that of its center relative to the middle between the eye's corners, right along the
    line through them and down, in widths of the eye. With closed eyes in the driving frame there is no gaze:
    leave such pairs out. A result without a face counts as 1, an eye's width.

    Example:
        >>> import torch
        >>> from facegan.metrics import GazeError
        >>> preds, target = torch.tensor([[[0.3, 0.4], [0.0, 0.0]]]), torch.zeros(1, 2, 2)
        >>> GazeError()(preds, target)
        tensor(0.2500)
    """

    is_differentiable = True
    higher_is_better = False
    plot_lower_bound = 0.0
    missing_value = 1.0

    def update(self, preds: Tensor, target: Tensor, detected: Tensor | None = None) -> None:
        """Update the state with a batch.

        Args:
            preds: iris positions in the right and left eye of the results, N×2×2.
            target: the same of the driving frames, N×2×2.
            detected: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self._add(gaze_error(preds, target), detected)


class BlinkAgreement(PairwiseMeanMetric):
    """Compute the share of pairs whose eyes are both open or both closed; higher is better.

    Closed is an AU45 of at least :data:`CLOSED_EYE_THRESHOLD`. A result without a face counts as 0.

    Example:
        >>> import torch
        >>> from facegan.metrics import BlinkAgreement
        >>> BlinkAgreement()(torch.tensor([0.8, 0.6]), torch.tensor([0.9, 0.1]))
        tensor(0.5000)
    """

    is_differentiable = False
    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    missing_value = 0.0

    def update(self, preds: Tensor, target: Tensor, detected: Tensor | None = None) -> None:
        """Update the state with a batch.

        Args:
            preds: AU45 of the results, N in 0..1.
            target: AU45 of the driving frames, N in 0..1.
            detected: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self._add(blink_agreement(preds, target), detected)


def gaze_error(preds: Tensor, target: Tensor) -> Tensor:
    """Compute the mean distance of each pair's two irises, N; arguments as for :meth:`GazeError.update`."""
    preds, target = validate_pair(preds, target, 2, 2)
    distances: Tensor = (preds - target).norm(dim=2).mean(dim=1)
    return distances


def blink_agreement(preds: Tensor, target: Tensor) -> Tensor:
    """Compare each pair: 1 if both agree, else 0; arguments as for :meth:`BlinkAgreement.update`."""
    preds, target = validate_pair(preds, target)
    return ((preds >= CLOSED_EYE_THRESHOLD) == (target >= CLOSED_EYE_THRESHOLD)).float()
