"""What an engine is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Frames(NamedTuple):
    """What the networks make of a batch."""

    result: Tensor
    """I_r, N×3×S×S in -1..1."""
    landmarks: Tensor
    """l_t, N×68×2 in -1..1."""
    mask: Tensor
    """M, N×1×S×S in 0..1."""


class Engine(Protocol):
    """Runs the networks."""

    size: int
    device: torch.device

    def __call__(self, source: Tensor, landmarks: Tensor, motion: Tensor, background: Tensor) -> Frames:
        """N×3×S×S, N×68×2, N×20, N×3×S×S on ``device``."""
