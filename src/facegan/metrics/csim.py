"""CSIM: identity preservation (paper, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

from facegan.metrics.pairwise_mean import PairwiseMeanMetric, validate_pair

if TYPE_CHECKING:
    from torch import Tensor


class CSIM(PairwiseMeanMetric):
    r"""Compute the mean cosine similarity of identity embeddings; higher is better.

    .. math::
        \mathrm{CSIM} = \frac{1}{N} \sum_n \frac{s_n \cdot r_n}{\|s_n\| \|r_n\|}

    The target is the source's embedding. The paper embeds with VGG-Face; values of different networks do
    not compare. With an embedding of zeros the cosine counts as 0, and so does a result without a face.

    Example:
        >>> import torch
        >>> from facegan.metrics import CSIM
        >>> preds = torch.eye(128)[[0, 5]]
        >>> target = torch.eye(128)[:2]
        >>> metric = CSIM()
        >>> metric(preds, target)
        tensor(0.5000)
    """

    is_differentiable = True
    higher_is_better = True
    plot_lower_bound = -1.0
    plot_upper_bound = 1.0
    missing_value = 0.0

    def update(self, preds: Tensor, target: Tensor, detected: Tensor | None = None) -> None:
        """Update the state with a batch.

        Args:
            preds: identity embeddings of the results, N×D.
            target: identity embeddings of the sources, N×D.
            detected: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self._add(csim(preds, target), detected)


def csim(preds: Tensor, target: Tensor) -> Tensor:
    """Compute the cosine of each pair, N in -1..1; arguments as for :meth:`CSIM.update`."""
    preds, target = validate_pair(preds, target, -1)
    return F.cosine_similarity(preds, target, dim=1).clamp(-1, 1)
