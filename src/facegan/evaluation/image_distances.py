"""Pixels against pixels: a result and what it should be."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torchmetrics.functional.image import structural_similarity_index_measure as similarity

from facegan.io.images import image_to_tensor
from facegan.stages.perceptual_loss import PerceptualLoss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.evaluation.image_sets import Pictures

    Floats = NDArray[np.float64]


class Compared(NamedTuple):
    """Values of N pairs."""

    mse: Floats
    """Mean square error of pixels in 0..1."""
    ssim: Floats
    """Structural similarity (Wang et al., 2004), torchmetrics' with its defaults."""
    perceptual: Floats
    """LPIPS' formula on identity features, :meth:`PerceptualLoss.distances`."""


@torch.inference_mode()
def compare(job: tuple[Pictures, Pictures, range]) -> Compared:
    """Compares some pictures with as many others."""
    pictures, truth, chosen = job
    ours, theirs = (
        image_to_tensor(np.stack([side.read(index) for index in chosen])) for side in (pictures, truth)
    )
    mse = (ours - theirs).square().mean(dim=(1, 2, 3)) / 4
    ssim = similarity((ours + 1) / 2, (theirs + 1) / 2, data_range=1.0, reduction="none")
    distances = _network().distances(ours, theirs)
    parts = (mse, torch.as_tensor(ssim), distances)
    return Compared(*(part.double().numpy().reshape(-1) for part in parts))


def flicker(job: tuple[Pictures, Pictures, range]) -> Floats:
    """How differently from the truth each picture changes to the next, as mean |Δ result - Δ truth| in 0..1.

    Of the last picture there is no change: one value less than pictures.
    """
    pictures, truth, chosen = job
    ours, theirs = (
        image_to_tensor(np.stack([side.read(index) for index in chosen])) for side in (pictures, truth)
    )
    changes: Floats = ((ours.diff(dim=0) - theirs.diff(dim=0)).abs().mean(dim=(1, 2, 3)) / 2).double().numpy()
    return changes


@lru_cache(maxsize=1)
def _network() -> PerceptualLoss:
    return PerceptualLoss("identity")
