"""LSIM: are shape and expression both kept? (paper, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.metrics.pairwise import PairwiseMeanMetric, as_pairs

if TYPE_CHECKING:
    from torch import Tensor


class LSIM(PairwiseMeanMetric):
    r"""Mean square error between the landmarks of result and second image; lower is better.

    .. math::
        \mathrm{LSIM} = \frac{1}{N} \sum_n \frac{1}{136} \|r_n - t_n\|^2

    The second image shows the source's person with nearly the driver's action units: the result should
    look like it. The paper does not state the landmarks' unit; here it is half the crop.
    A result without a face counts as 1: every coordinate off by half the crop.

    Example:
        >>> import torch
        >>> from facegan.metrics import LSIM
        >>> result, second = torch.zeros(2, 68, 2), torch.full((2, 68, 2), 0.1)
        >>> LSIM()(result, second)
        tensor(0.0100)
    """

    is_differentiable = True
    higher_is_better = False
    plot_lower_bound = 0.0
    miss = 1.0

    def update(self, result_landmarks: Tensor, second_landmarks: Tensor, found: Tensor | None = None) -> None:
        """Takes in a batch.

        Args:
            result_landmarks: of the results, N×68×2 in -1..1.
            second_landmarks: of the second images, N×68×2 in -1..1.
            found: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self.add(lsim(result_landmarks, second_landmarks), found)


def lsim(result_landmarks: Tensor, second_landmarks: Tensor) -> Tensor:
    """Mean square error of each pair, N; arguments as for :meth:`LSIM.update`."""
    names = ("result_landmarks", "second_landmarks")
    result, second = as_pairs(result_landmarks, second_landmarks, NUM_LANDMARKS, 2, names=names)
    return (result - second).square().mean(dim=(1, 2))
