"""PSIM: is the driver's head pose followed? (paper, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from facegan.geometry.motion import POSE_ANGLES
from facegan.metrics.pairwise import PairwiseMeanMetric, as_pairs

if TYPE_CHECKING:
    from torch import Tensor

EPSILON = 0.01
"""In radians: half a degree, less than a detector of landmarks can tell from frontal."""


class PSIM(PairwiseMeanMetric):
    r"""Mean cosine between the head-pose angles of driver and result; higher is better.

    .. math::
        \mathrm{PSIM} = \frac{1}{N} \sum_n \frac{d_n \cdot r_n}{\|d_n\| \|r_n\|},
        \qquad d_n, r_n = (\text{pitch}, \text{yaw}, \text{roll})

    Angles are centered at zero for a frontal face, which leaves the cosine without meaning there: a
    pair of two frontal faces, both vectors shorter than ``epsilon``, counts as 1. If one only is that
    short its direction still counts, if it has one; a vector of zeros against a turned head counts as 0,
    and so does a result without a face.

    Args:
        epsilon: length of a pose vector in radians up to which a face is frontal.
        kwargs: of :class:`PairwiseMeanMetric`.

    Example:
        >>> import torch
        >>> from facegan.metrics import PSIM
        >>> driver = torch.tensor([[0.0, 0.3, 0.0], [0.001, 0.0, 0.0]])
        >>> result = torch.tensor([[0.3, 0.3, 0.0], [0.0, 0.0, 0.0]])
        >>> metric = PSIM()
        >>> metric(driver, result)
        tensor(0.8536)
    """

    is_differentiable = True
    higher_is_better = True
    plot_lower_bound = -1.0
    plot_upper_bound = 1.0
    miss = 0.0

    def __init__(self, epsilon: float = EPSILON, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self._sign(epsilon)

    def update(self, driver_angles: Tensor, result_angles: Tensor, found: Tensor | None = None) -> None:
        """Takes in a batch.

        Args:
            driver_angles: pitch, yaw and roll of the drivers in radians, N×3.
            result_angles: the same of the results, N×3.
            found: N booleans, whether a result shows a face; None if all do.

        Raises:
            ValueError: for other shapes.
        """
        self.add(psim(driver_angles, result_angles, self.epsilon), found)


def psim(driver_angles: Tensor, result_angles: Tensor, epsilon: float = EPSILON) -> Tensor:
    """Cosine of each pair, N in -1..1; arguments as for :class:`PSIM`."""
    names = ("driver_angles", "result_angles")
    driver, result = as_pairs(driver_angles, result_angles, len(POSE_ANGLES), names=names)
    frontal = (driver.norm(dim=1) < epsilon) & (result.norm(dim=1) < epsilon)
    cosine = F.cosine_similarity(driver, result, dim=1).clamp(-1, 1)
    return torch.where(frontal, torch.ones_like(cosine), cosine)
