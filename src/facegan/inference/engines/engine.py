"""Interface of all engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from facegan.geometry.head_alignment import SourceFace


class Frames(NamedTuple):
    """Output of the networks."""

    result: Tensor
    """I_r, N×3×S×S in -1..1."""
    landmarks: Tensor
    """l_t, N×68×2 in -1..1."""
    mask: Tensor
    """M, N×1×S×S in 0..1."""


class Engine(Protocol):
    """Run the networks of a model."""

    size: int
    """Side S of the images in pixels."""
    device: torch.device
    """Device of its tensors."""

    def __call__(self, source: SourceFace, motion: Tensor, background: Tensor) -> Frames:
        """Reenact a batch of sources.

        Args:
            source: N source faces; N is one or more.
            motion: AU_d, N×20.
            background: I_b, N×3×S×S in -1..1, zero where the source's head was.

        Returns:
            The frames as 32-bit floats on the engine's device.
        """
        ...
