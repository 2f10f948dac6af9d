"""PSIM: head-pose accuracy (paper, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from facegan.geometry.motion import POSE_ANGLES
from facegan.metrics.pairwise_mean import PairwiseMeanMetric, validate_pair

if TYPE_CHECKING:
    from torch import Tensor

FRONTAL_EPSILON = 0.01
"""In radians: half a degree, less than a landmark detector can tell from frontal."""


class PSIM(PairwiseMeanMetric):
    r"""Compute the mean cosine similarity of head-pose angles; higher is better.

    .. math::
        \mathrm{PSIM} = \frac{1}{N} \sum_n \frac{d_n \cdot r_n}{\|d_n\| \|r_n\|},
        \qquad d_n, r_n = (\text{pitch}, \text{yaw}, \text{roll})

    The target is the driving frame's pose. Angles are centered at zero for a frontal face, where the cosine
    has no meaning: a pair of two frontal faces, both vectors shorter than ``epsilon``, counts as 1. If only
    one is that short its direction still counts, if it has one; a vector of zeros against a turned head
    counts as 0, and so does a result without a face.

    Args:
        epsilon: length of a pose vector in radians up to which a face is frontal.
        kwargs: of :class:`PairwiseMeanMetric`.

    Example:
        >>> import torch
        >>> from facegan.metrics import PSIM
        >>> preds = torch.tensor([[0.3, 0.3, 0.0], [0.0, 0.0, 0.0]])
        >>> target = torch.tensor([[0.0, 0.3, 0.0], [0.001, 0.0, 0.0]])
        >>> metric = PSIM()
        >>> metric(preds, target)
        tensor(0.8536)
    """

    is_differentiable = True
    higher_is_better = True
    plot_lower_bound = -1.0
    plot_upper_bound = 1.0
    missing_value = 0.0

    def __init__(self, epsilon: float = FRONTAL_EPSILON, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def update(self, preds: Tensor, target: Tensor, detected: Tensor | None = None) -> None:
        """Update the state with a batch.

        Args:
            preds: pitch, yaw and roll of the results in radians, N×3.
            target: the same of the driving frames, N×3.
            detected: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self._add(psim(preds, target, self.epsilon), detected)


def psim(preds: Tensor, target: Tensor, epsilon: float = FRONTAL_EPSILON) -> Tensor:
    """Compute the cosine of each pair, N in -1..1; arguments as for :class:`PSIM`."""
    preds, target = validate_pair(preds, target, len(POSE_ANGLES))
    frontal = (preds.norm(dim=1) < epsilon) & (target.norm(dim=1) < epsilon)
    cosine = F.cosine_similarity(preds, target, dim=1).clamp(-1, 1)
    return torch.where(frontal, torch.ones_like(cosine), cosine)
