"""A running average of a network's weights."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

RAMP = 0.05
"""Largest half-life as a share of the pictures seen (StyleGAN3's ramp-up)."""


class Average(nn.Module):
    """Exponential moving average of a network (Karras et al., 2021: half-life counted in pictures).

    Args:
        network: what is averaged; the average starts as a copy of it.
        halflife: in pictures.
    """

    def __init__(self, network: nn.Module, halflife: float) -> None:
        super().__init__()
        self.network = deepcopy(network).requires_grad_(False)
        self.halflife = halflife

    @torch.no_grad()
    def update(self, network: nn.Module, pictures: int, seen: int) -> None:
        """Moves towards the network.

        Args:
            network: as it is now.
            pictures: that the last step was made of.
            seen: pictures in all, those included.
        """
        decay = 0.5 ** (pictures / min(self.halflife, RAMP * seen))
        ours: list[Tensor] = list(self.network.parameters())
        theirs: list[Tensor] = list(network.parameters())
        torch._foreach_lerp_(ours, theirs, 1 - decay)
        # What is not trained, but taken from the data.
        for kept, given in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(given)
