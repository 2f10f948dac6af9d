"""Fréchet distance of Inception features (Heusel et al., NeurIPS 2017), where that network can be had."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from facegan.io.images import image_to_tensor

if TYPE_CHECKING:
    from facegan.evaluation.image_sets import Pictures

BATCH = 32


class NoInception(Exception):
    """Why the network cannot be had."""


def fid(results: Pictures, truth: Pictures, device: str = "cpu") -> float:
    """FID of two sets of pictures, by torchmetrics.

    Raises:
        NoInception: without torch-fidelity or its weights.
    """
    metric = _metric(device)
    metric.reset()
    for pictures, real in ((truth, True), (results, False)):
        count = len(pictures.names)
        for start in range(0, count, BATCH):
            images = [pictures.read(index) for index in range(start, min(start + BATCH, count))]
            metric.update(((image_to_tensor(np.stack(images)) + 1) / 2).to(device), real=real)
    return float(metric.compute())


@lru_cache(maxsize=1)
@torch.inference_mode()
def _metric(device: str) -> Any:
    from torchmetrics.image.fid import FrechetInceptionDistance

    try:
        return FrechetInceptionDistance(normalize=True).to(device)
    except ModuleNotFoundError as error:
        msg = "torch-fidelity is missing (pip install facegan[fid])"
        raise NoInception(msg) from error
    except OSError as error:
        msg = f"the weights of its network cannot be had ({' '.join(str(error).split())})"
        raise NoInception(msg) from error
