"""Fréchet distance of Inception features (Heusel et al., NeurIPS 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from facegan.evaluation.image_sets import read_batches
from facegan.io.images import image_to_tensor

if TYPE_CHECKING:
    from facegan.evaluation.image_sets import ImageSet

BATCH_SIZE = 32


class FIDUnavailableError(Exception):
    """The Inception network is not available; the message says why."""


class FIDComputer:
    """Computes the FID between sets of images with torchmetrics.

    Args:
        device: of the Inception network.

    Raises:
        FIDUnavailableError: without torch-fidelity or its weights.
    """

    @torch.inference_mode()
    def __init__(self, device: str = "cpu") -> None:
        from torchmetrics.image.fid import FrechetInceptionDistance

        self._device = device
        try:
            self._metric: Any = FrechetInceptionDistance(normalize=True).to(device)
        except ModuleNotFoundError as error:
            msg = "torch-fidelity is missing (pip install facegan[fid])"
            raise FIDUnavailableError(msg) from error
        except OSError as error:
            msg = f"the weights of its network are not available ({' '.join(str(error).split())})"
            raise FIDUnavailableError(msg) from error

    def compute(self, results: ImageSet, targets: ImageSet) -> float:
        """Compute the distance between two sets of images."""
        self._metric.reset()
        for images, real in ((targets, True), (results, False)):
            for batch in read_batches(images, BATCH_SIZE):
                self._metric.update(((image_to_tensor(batch) + 1) / 2).to(self._device), real=real)
        return float(self._metric.compute())
