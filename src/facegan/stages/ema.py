"""Exponential moving average of a network's weights."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

EMA_RAMPUP = 0.05
"""Largest half-life as a fraction of the images trained on (StyleGAN3's ramp-up)."""


class ExponentialMovingAverage(nn.Module):
    """Exponential moving average of a network (Karras et al., 2021), with the half-life in images.

    Args:
        network: what is averaged; the average starts as a copy of it.
        halflife: in training images.
    """

    images: Tensor

    def __init__(self, network: nn.Module, halflife: float) -> None:
        super().__init__()
        self.network = deepcopy(network).requires_grad_(False)
        self.halflife = halflife
        self.register_buffer("images", torch.zeros((), dtype=torch.long, device="cpu"))

    @torch.no_grad()
    def update(self, network: nn.Module, images: int) -> None:
        """Update the average after a training step.

        Args:
            network: with its weights after the step.
            images: number of training images in the step.
        """
        self.images += images
        decay = 0.5 ** (images / min(self.halflife, EMA_RAMPUP * self.images.item()))
        averages: list[Tensor] = list(self.network.parameters())
        weights: list[Tensor] = list(network.parameters())
        torch._foreach_lerp_(averages, weights, 1 - decay)
        # Buffers come from the data and are not averaged.
        for average, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            average.copy_(buffer)
