"""Metrics of pixels: an image against its target."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from facegan.data.protocol_pairs import RUN_LENGTH
from facegan.evaluation.image_sets import BATCH_SIZE, map_images, read_batches
from facegan.io.images import image_to_tensor
from facegan.stages import validation_metrics
from facegan.stages.perceptual_loss import PerceptualLoss
from facegan.stages.validation_metrics import IMAGE_METRICS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.evaluation.image_sets import ImageSet
    from facegan.parallel.workers import Workers

    Floats = NDArray[np.float64]


def compare_images(
    results: ImageSet, targets: ImageSet, metrics: Collection[str], workers: Workers, title: str
) -> dict[str, Floats]:
    """Compute image metrics of each pair.

    Args:
        results: K images.
        targets: K images.
        metrics: names; those that are no metrics of images are ignored. ``mse``, ``ssim``, ``perceptual``:
            :func:`facegan.stages.validation_metrics.compare_images`, on identity features. ``flicker``:
            mean |Δ result - Δ target| of pixels in 0..1 from each frame to the next, in runs of
            :data:`RUN_LENGTH` images; not a number for the last of a run.
        workers: the processes that do it.
        title: what the progress bar says.

    Returns:
        Metric to K values.
    """
    wanted = frozenset(metrics) & {*IMAGE_METRICS, "flicker"}
    if not wanted:
        return {}
    return map_images(partial(_compare, wanted), (results, targets), workers, title)


@torch.inference_mode()
def _compare(metrics: frozenset[str], results: ImageSet, targets: ImageSet) -> dict[str, Floats]:
    values: dict[str, Floats] = {}
    if not metrics.isdisjoint(IMAGE_METRICS):
        network = PerceptualLoss("identity")
        pairs = _read_pairs(results, targets, BATCH_SIZE)
        batches = [validation_metrics.compare_images(*pair, network) for pair in pairs]
        keys = metrics & batches[0].keys()
        values = {key: torch.cat([batch[key] for batch in batches]).double().numpy() for key in keys}
    if "flicker" in metrics:
        runs = _read_pairs(results, targets, RUN_LENGTH)
        values["flicker"] = np.concatenate([_flicker(*run) for run in runs])
    return values


def _read_pairs(results: ImageSet, targets: ImageSet, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    for pair in zip(read_batches(results, size), read_batches(targets, size), strict=True):
        yield image_to_tensor(pair[0]), image_to_tensor(pair[1])


def _flicker(results: Tensor, targets: Tensor) -> Floats:
    changes = (results.diff(dim=0) - targets.diff(dim=0)).abs().mean(dim=(1, 2, 3)) / 2
    return np.append(changes.double().numpy(), np.nan)
