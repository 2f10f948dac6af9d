"""Memory of a training step: kept between steps, and saved by computing twice."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import TYPE_CHECKING

from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import (
    apply_activation_checkpointing,
    checkpoint_wrapper,
)

from facegan.networks.discriminator import PatchDiscriminator
from facegan.networks.generator import ConvBlock, ResidualBlock, UpBlock

if TYPE_CHECKING:
    from torch import nn

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's ``mallopt``."""
LARGE = 2**31 - 1
"""Bytes; the largest that it takes."""
BLOCKS = (ResidualBlock, ConvBlock, UpBlock, PatchDiscriminator)


@cache
def disable_malloc_trim() -> None:
    """Lets the C library keep what a step frees for the next one.

    By default it gives every large block back to the system, which clears each page anew when it is asked
    for the next time: a large part of a step of pix2pixHD's networks. Libraries without ``mallopt`` are left
    as they are.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            library.mallopt(MMAP_THRESHOLD, LARGE)
            library.mallopt(TRIM_THRESHOLD, LARGE)


def checkpoint_activations(network: nn.Module) -> None:
    """Lets a network forget what lies between its blocks' ends, and compute it again in the backward pass.

    Weights, their names and results stay the same.
    """
    blocks = [part for part in network.modules() if isinstance(part, BLOCKS)]
    inner = {part for block in blocks for part in block.modules() if part is not block}
    apply_activation_checkpointing(
        network, checkpoint_wrapper, lambda part: part in blocks and part not in inner
    )
