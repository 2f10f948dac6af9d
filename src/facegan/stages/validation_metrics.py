"""What validation measures, a number a pair, and their mean with its confidence."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric


class Weighted(NamedTuple):
    """Values of pairs that do not count alike."""

    values: Tensor
    """N."""
    weights: Tensor
    """N, 0 or more."""


Measured = dict[str, Tensor | Weighted]
"""Name to a value of each of N pairs."""


class MeanWithConfidence(Metric):
    """Weighted mean of values, and half the width of its 95 % interval (pairs taken as independent).

    The interval is that of a ratio of two sums, normal and linearised (Cochran, Sampling Techniques, 6.4);
    with equal weights it is that of a mean. Values that are not a number (no hair in either picture) do
    not count.
    """

    full_state_update = False
    sums: Tensor
    squares: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("sums", torch.zeros(2, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("squares", torch.zeros(2, 2, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, values: Tensor, weights: Tensor | None = None) -> None:
        """Takes a value a pair, and how much it counts; by default all alike."""
        known = ~values.isnan()
        values = values[known].to(self.sums.dtype)
        weights = torch.ones_like(values) if weights is None else weights[known].to(values)
        sides = torch.stack((values * weights, weights))
        self.sums += sides.sum(dim=1)
        self.squares += sides @ sides.T
        self.count += values.numel()

    def compute(self) -> tuple[Tensor, Tensor]:
        """Mean, and half the width; not a number without values, 0 width for one."""
        mean = self.sums[0] / self.sums[1]
        residual = torch.stack((torch.ones_like(mean), -mean))
        square = (residual @ self.squares @ residual).clamp(min=0)
        correction = self.count / (self.count - 1).clamp(min=1)
        return mean, 1.96 * (correction * square).sqrt() / self.sums[1]


def masked_mse(pictures: Tensor, truth: Tensor, region: Tensor | None = None) -> Tensor:
    """Mean square error of each picture of 0..1, as the paper's MSE.

    Args:
        pictures: N×3×H×W in -1..1.
        truth: the same.
        region: N×H×W, True where it counts; a picture without such a pixel gets no number.
    """
    error = (pictures.float() - truth.float()).square().mean(dim=1) / 4
    return masked_mean(error, region) if region is not None else error.flatten(1).mean(dim=1)


def masked_mean(values: Tensor, region: Tensor) -> Tensor:
    """Mean of N×H×W over each one's region, N; not a number for an empty one."""
    return (values * region).flatten(1).sum(dim=1) / region.flatten(1).sum(dim=1)


def overlap(logits: Tensor, truth: Tensor) -> dict[str, Weighted]:
    """Intersection over union of head (face and hair together), face, and hair.

    The weights are the unions, so that the mean is the overlap of all pixels of all pictures, as
    segmentation is measured: a few pixels of hair on a bald head count as few.

    Args:
        logits: N×3×H×W of background, face, hair.
        truth: N×H×W of 0, 1, 2.
    """
    found = logits.argmax(dim=1)
    regions = {
        "head": (found > 0, truth > 0),
        "face": (found == 1, truth == 1),
        "hair": (found == 2, truth == 2),
    }
    overlaps = {}
    for name, (ours, theirs) in regions.items():
        union = (ours | theirs).flatten(1).sum(dim=1)
        overlaps[f"{name}_iou"] = Weighted((ours & theirs).flatten(1).sum(dim=1) / union, union)
    return overlaps
