"""Metrics of validation, one value a pair, and their mean with its confidence interval."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.image import structural_similarity_index_measure

from facegan.stages.perceptual_loss import PerceptualLoss

IMAGE_METRICS = ("mse", "ssim", "perceptual")
MetricValues = dict[str, Tensor | tuple[Tensor, Tensor]]
"""Name to the values of N pairs; or to the values and their weights, N each."""


class MeanWithConfidence(Metric):
    """Weighted mean of values, and half the width of its 95 % interval (pairs taken as independent).

    The interval is that of a ratio of two sums, normal and linearized (Cochran, Sampling Techniques, 6.4);
    with equal weights it is that of a mean. NaN (no hair in either image) is left out.
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
        """Update with a value a pair, N, and their weights, N; equal ones by default."""
        valid = ~values.isnan()
        values = values[valid].to(self.sums.dtype)
        weights = torch.ones_like(values) if weights is None else weights[valid].to(values)
        products = torch.stack((values * weights, weights))
        self.sums += products.sum(dim=1)
        self.squares += products @ products.T
        self.count += values.numel()

    def compute(self) -> tuple[Tensor, Tensor]:
        """Compute the mean, NaN without values, and half the interval's width, 0 for one value."""
        mean = self.sums[0] / self.sums[1]
        residual = torch.stack((torch.ones_like(mean), -mean))
        square = (residual @ self.squares @ residual).clamp(min=0)
        correction = self.count / (self.count - 1).clamp(min=1)
        return mean, 1.96 * (correction * square).sqrt() / self.sums[1]


def compare_images(preds: Tensor, target: Tensor, network: PerceptualLoss) -> dict[str, Tensor]:
    """Compute :data:`IMAGE_METRICS` of each of N images against its target.

    ``mse``: mean squared error of pixels in 0..1. ``ssim``: structural similarity (Wang et al., 2004),
    torchmetrics' with its defaults. ``perceptual``: :meth:`PerceptualLoss.distances`.

    Args:
        preds: N×3×H×W in -1..1.
        target: the same.
        network: of the perceptual distance.
    """
    ssim = structural_similarity_index_measure(
        (preds + 1) / 2, (target + 1) / 2, data_range=1.0, reduction="none"
    )
    return {
        "mse": masked_mse(preds, target),
        "ssim": torch.as_tensor(ssim).reshape(-1),
        "perceptual": network.distances(preds, target),
    }


def masked_mse(preds: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Compute the mean squared error of each image on the scale 0..1, as the paper's MSE.

    Args:
        preds: N×3×H×W in -1..1.
        target: the same.
        mask: N×H×W, True where it counts; an empty mask gives NaN.
    """
    error = (preds.float() - target.float()).square().mean(dim=1) / 4
    return masked_mean(error, mask) if mask is not None else error.flatten(1).mean(dim=1)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Compute the mean of N×H×W over each one's mask, N; NaN for an empty one."""
    return (values * mask).flatten(1).sum(dim=1) / mask.flatten(1).sum(dim=1)


def mean_iou(logits: Tensor, target: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Compute intersection over union of head (face and hair together), face, and hair.

    The weights are the unions, so that the mean is that of all pixels of all images, as segmentation is
    evaluated: a few pixels of hair on a bald head count as few.

    Args:
        logits: N×3×H×W of background, face, hair.
        target: N×H×W of 0, 1, 2.

    Returns:
        ``head_iou``, ``face_iou`` and ``hair_iou``: values and weights, N each.
    """
    preds = logits.argmax(dim=1)
    regions = {
        "head": (preds > 0, target > 0),
        "face": (preds == 1, target == 1),
        "hair": (preds == 2, target == 2),
    }
    values = {}
    for name, (predicted, true) in regions.items():
        union = (predicted | true).flatten(1).sum(dim=1)
        values[f"{name}_iou"] = ((predicted & true).flatten(1).sum(dim=1) / union, union)
    return values
