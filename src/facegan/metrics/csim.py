"""CSIM: is the identity of the source kept? (paper, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

from facegan.metrics.pairwise import PairwiseMeanMetric, as_pairs

if TYPE_CHECKING:
    from torch import Tensor


class CSIM(PairwiseMeanMetric):
    r"""Mean cosine between the identity embeddings of source and result; higher is better.

    .. math::
        \mathrm{CSIM} = \frac{1}{N} \sum_n \frac{s_n \cdot r_n}{\|s_n\| \|r_n\|}

    The paper embeds with VGG-Face; values of different networks do not compare. With an embedding of
    zeros the cosine counts as 0, and so does a result without a face.

    Example:
        >>> import torch
        >>> from facegan.metrics import CSIM
        >>> source = torch.eye(128)[:2]
        >>> result = torch.eye(128)[[0, 5]]
        >>> metric = CSIM()
        >>> metric(source, result)
        tensor(0.5000)
    """

    is_differentiable = True
    higher_is_better = True
    plot_lower_bound = -1.0
    plot_upper_bound = 1.0
    miss = 0.0

    def update(self, source_identity: Tensor, result_identity: Tensor, found: Tensor | None = None) -> None:
        """Takes in a batch.

        Args:
            source_identity: embeddings of the sources, N×D.
            result_identity: embeddings of the results, N×D.
            found: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self.add(csim(source_identity, result_identity), found)


def csim(source_identity: Tensor, result_identity: Tensor) -> Tensor:
    """Cosine of each pair, N in -1..1; arguments as for :meth:`CSIM.update`."""
    names = ("source_identity", "result_identity")
    source, result = as_pairs(source_identity, result_identity, -1, names=names)
    return F.cosine_similarity(source, result, dim=1).clamp(-1, 1)
