"""ED: expression accuracy (paper, section 5)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

from facegan.geometry.motion import ACTION_UNITS
from facegan.metrics.pairwise_mean import PairwiseMeanMetric, check_option, validate_pair

if TYPE_CHECKING:
    from torch import Tensor

Distance = Literal["mse", "l2"]


class ED(PairwiseMeanMetric):
    r"""Compute the mean distance between action units; lower is better.

    .. math::
        \mathrm{ED} = \frac{1}{N} \sum_n \frac{1}{17} \|d_n - r_n\|^2
        \quad\text{or}\quad \frac{1}{N} \sum_n \|d_n - r_n\|

    The paper calls it the Euclidean distance, but its values, about 0.012, are those of the mean squared
    error. A result without a face counts as 1, or √17: all units wrong.

    Args:
        distance: ``mse`` (the first formula) or ``l2`` (the second).
        kwargs: of :class:`PairwiseMeanMetric`.

    Raises:
        ValueError: for another distance.

    Example:
        >>> import torch
        >>> from facegan.metrics import ED
        >>> preds, target = torch.full((1, 17), 0.2), torch.zeros(1, 17)
        >>> ED()(preds, target)
        tensor(0.0400)
        >>> ED("l2")(preds, target)
        tensor(0.8246)
    """

    is_differentiable = True
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, distance: Distance = "mse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_option("distance", distance, get_args(Distance))
        self.distance: Distance = distance
        self.missing_value = 1.0 if distance == "mse" else math.sqrt(len(ACTION_UNITS))

    def update(self, preds: Tensor, target: Tensor, detected: Tensor | None = None) -> None:
        """Update the state with a batch.

        Args:
            preds: action units of the results, N×17, as a fifth of OpenFace's intensity: 0..1.
            target: the same of the driving frames, N×17.
            detected: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self._add(ed(preds, target, self.distance), detected)


def ed(preds: Tensor, target: Tensor, distance: Distance = "mse") -> Tensor:
    """Compute the distance of each pair, N; arguments as for :class:`ED`."""
    check_option("distance", distance, get_args(Distance))
    preds, target = validate_pair(preds, target, len(ACTION_UNITS))
    difference = preds - target
    return difference.norm(dim=1) if distance == "l2" else difference.square().mean(dim=1)
