"""ED: is the driver's expression followed? (paper, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from facegan.metrics.pairs import PairMean, as_pairs
from facegan.motion import ACTION_UNITS

if TYPE_CHECKING:
    from torch import Tensor

Reading = Literal["mean_square", "euclidean"]


class ED(PairMean):
    r"""Mean difference between the action units of driver and result; lower is better.

    .. math::
        \mathrm{ED} = \frac{1}{N} \sum_n \frac{1}{17} \|d_n - r_n\|^2
        \quad\text{or}\quad \frac{1}{N} \sum_n \|d_n - r_n\|

    The paper calls it the Euclidean distance, but its values, about 0.012, are those of the mean square.

    Args:
        reading: ``mean_square`` (the first formula) or ``euclidean`` (the second).
        kwargs: torchmetrics' own.

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
        _check(reading)
        self.reading: Reading = reading

    def update(self, driver: Tensor, result: Tensor) -> None:
        """Takes in a batch.

        Args:
            driver: action units of the drivers, N×17, as a fifth of OpenFace's intensity: 0..1.
            result: the same of the results, N×17.

        Raises:
            ValueError: for other shapes.
        """
        self.add(ed(driver, result, self.reading))


def ed(driver: Tensor, result: Tensor, reading: Reading = "mean_square") -> Tensor:
    """Difference of each pair, N; arguments as for :class:`ED`."""
    _check(reading)
    driver, result = as_pairs(driver, result, len(ACTION_UNITS), names=("driver", "result"))
    difference = driver - result
    return difference.norm(dim=1) if reading == "euclidean" else difference.square().mean(dim=1)


def _check(reading: str) -> None:
    if reading not in ("mean_square", "euclidean"):
        msg = f"unknown reading {reading!r}: choose mean_square or euclidean"
        raise ValueError(msg)
