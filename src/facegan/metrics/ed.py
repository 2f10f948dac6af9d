"""ED: is the driver's expression followed? (paper, section 5)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

from facegan.geometry.motion import ACTION_UNITS
from facegan.metrics.pairwise import PairwiseMeanMetric, as_pairs, choose

if TYPE_CHECKING:
    from torch import Tensor

Reading = Literal["mean_square", "euclidean"]


class ED(PairwiseMeanMetric):
    r"""Mean difference between the action units of driver and result; lower is better.

    .. math::
        \mathrm{ED} = \frac{1}{N} \sum_n \frac{1}{17} \|d_n - r_n\|^2
        \quad\text{or}\quad \frac{1}{N} \sum_n \|d_n - r_n\|

    The paper calls it the Euclidean distance, but its values, about 0.012, are those of the mean square.
    A result without a face counts as 1, or √17: all units wrong.

    Args:
        reading: ``mean_square`` (the first formula) or ``euclidean`` (the second).
        kwargs: of :class:`PairwiseMeanMetric`.

    Raises:
        ValueError: for another reading.

    Example:
        >>> import torch
        >>> from facegan.metrics import ED
        >>> driver, result = torch.zeros(1, 17), torch.full((1, 17), 0.2)
        >>> ED()(driver, result)
        tensor(0.0400)
        >>> ED("euclidean")(driver, result)
        tensor(0.8246)
    """

    is_differentiable = True
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, reading: Reading = "mean_square", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        choose("reading", reading, get_args(Reading))
        self.reading: Reading = reading
        self._sign(reading)
        self.miss = 1.0 if reading == "mean_square" else math.sqrt(len(ACTION_UNITS))

    def update(self, driver_units: Tensor, result_units: Tensor, found: Tensor | None = None) -> None:
        """Takes in a batch.

        Args:
            driver_units: action units of the drivers, N×17, as a fifth of OpenFace's intensity: 0..1.
            result_units: the same of the results, N×17.
            found: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self.add(ed(driver_units, result_units, self.reading), found)


def ed(driver_units: Tensor, result_units: Tensor, reading: Reading = "mean_square") -> Tensor:
    """Difference of each pair, N; arguments as for :class:`ED`."""
    choose("reading", reading, get_args(Reading))
    names = ("driver_units", "result_units")
    driver, result = as_pairs(driver_units, result_units, len(ACTION_UNITS), names=names)
    difference = driver - result
    return difference.norm(dim=1) if reading == "euclidean" else difference.square().mean(dim=1)
