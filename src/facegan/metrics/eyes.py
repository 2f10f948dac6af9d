"""Do the eyes follow the driver's? Gaze and blinks; not in the paper, whose landmarks hold neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegan.metrics.pairwise import PairwiseMeanMetric, as_pairs

if TYPE_CHECKING:
    from torch import Tensor

CLOSED = 0.5
"""Intensity of AU45 from which an eye counts as closed."""


class GazeError(PairwiseMeanMetric):
    r"""Mean distance between the irises of driver and result, each in its eye; lower is better.

    .. math::
        \frac{1}{2N} \sum_n \sum_{e} \|d_{ne} - r_{ne}\|

    An iris' place is that of its middle against the middle between the eye's corners, right along the
    line through them and down, in widths of the eye. Where the driver's eyes are closed there is no gaze:
    leave such pairs out. A result without a face counts as 1, an eye's width.

    Example:
        >>> import torch
        >>> from facegan.metrics import GazeError
        >>> driver, result = torch.zeros(1, 2, 2), torch.tensor([[[0.3, 0.4], [0.0, 0.0]]])
        >>> GazeError()(driver, result)
        tensor(0.2500)
    """

    is_differentiable = True
    higher_is_better = False
    plot_lower_bound = 0.0
    miss = 1.0

    def update(self, driver_gaze: Tensor, result_gaze: Tensor, found: Tensor | None = None) -> None:
        """Takes in a batch.

        Args:
            driver_gaze: places of the irises of the right and left eye of the drivers, N×2×2.
            result_gaze: the same of the results, N×2×2.
            found: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self.add(gaze_error(driver_gaze, result_gaze), found)


class BlinkAgreement(PairwiseMeanMetric):
    """Share of pairs whose eyes are both open or both closed; higher is better.

    Closed is an AU45 of at least 0.5. A result without a face counts as 0.

    Example:
        >>> import torch
        >>> from facegan.metrics import BlinkAgreement
        >>> BlinkAgreement()(torch.tensor([0.9, 0.1]), torch.tensor([0.8, 0.6]))
        tensor(0.5000)
    """

    is_differentiable = False
    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    miss = 0.0

    def update(self, driver_blink: Tensor, result_blink: Tensor, found: Tensor | None = None) -> None:
        """Takes in a batch.

        Args:
            driver_blink: AU45 of the drivers, N in 0..1.
            result_blink: AU45 of the results, N in 0..1.
            found: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self.add(blink_agreement(driver_blink, result_blink), found)


def gaze_error(driver_gaze: Tensor, result_gaze: Tensor) -> Tensor:
    """Mean distance of each pair's two irises, N; arguments as for :meth:`GazeError.update`."""
    driver, result = as_pairs(driver_gaze, result_gaze, 2, 2, names=("driver_gaze", "result_gaze"))
    distances: Tensor = (driver - result).norm(dim=2).mean(dim=1)
    return distances


def blink_agreement(driver_blink: Tensor, result_blink: Tensor) -> Tensor:
    """1 for each pair that agrees, else 0; arguments as for :meth:`BlinkAgreement.update`."""
    driver, result = as_pairs(driver_blink, result_blink, names=("driver_blink", "result_blink"))
    return ((driver >= CLOSED) == (result >= CLOSED)).float()
