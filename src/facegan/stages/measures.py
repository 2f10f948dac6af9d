"""What validation measures, a number a pair, and their mean with its confidence."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric


class MeanWithConfidence(Metric):
    """Mean of values, and half the width of its 95 % interval (normal, pairs taken as independent).

    Values that are not a number (no hair in either picture) do not count.
    """

    full_state_update = False
    total: Tensor
    squares: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("total", "squares", "count"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, values: Tensor) -> None:
        """Takes a value a pair."""
        known = values[~values.isnan()].to(self.total.dtype)
        self.total += known.sum()
        self.squares += known.square().sum()
        self.count += known.numel()

    def compute(self) -> tuple[Tensor, Tensor]:
        """Mean, and half the width; not a number without values, 0 width for one."""
        mean = self.total / self.count
        variance = (self.squares / self.count - mean.square()).clamp(min=0)
        return mean, 1.96 * (variance / (self.count - 1).clamp(min=1)).sqrt()


def square_error(pictures: Tensor, truth: Tensor, region: Tensor | None = None) -> Tensor:
    """Mean square error of each picture of 0..1, as the paper's MSE.

    Args:
        pictures: N×3×H×W in -1..1.
        truth: the same.
        region: N×H×W, True where it counts; a picture without such a pixel gets no number.
    """
    error = (pictures.float() - truth.float()).square().mean(dim=1) / 4
    return mean_within(error, region) if region is not None else error.flatten(1).mean(dim=1)


def mean_within(values: Tensor, region: Tensor) -> Tensor:
    """Mean of N×H×W over each one's region, N; not a number for an empty one."""
    return (values * region).flatten(1).sum(dim=1) / region.flatten(1).sum(dim=1)


def overlap(logits: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """Intersection over union of head (face and hair together), face, and hair, each N.

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
    return {
        f"{name}_iou": (ours & theirs).flatten(1).sum(dim=1) / (ours | theirs).flatten(1).sum(dim=1)
        for name, (ours, theirs) in regions.items()
    }


def landmark_error(points: Tensor, truth: Tensor) -> Tensor:
    """Mean distance between the landmarks of each face, in units of half the crop; N×68×2 each."""
    distances: Tensor = torch.linalg.vector_norm(points - truth, dim=-1)
    return distances.mean(dim=1)
