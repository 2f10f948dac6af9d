"""Memory of a training step: no trimming between steps, and activation checkpointing."""

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
MAX_BYTES = 2**31 - 1
"""The largest value that it takes."""
BLOCKS = (ResidualBlock, ConvBlock, UpBlock, PatchDiscriminator)


@cache
def disable_malloc_trim() -> None:
    """Make glibc's allocator keep what a step frees for the next one.

    By default it returns every large block to the kernel, which zeroes each page when it is allocated again:
    a large part of a step of pix2pixHD's networks. Libraries without ``mallopt`` are left as they are.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            library.mallopt(MMAP_THRESHOLD, MAX_BYTES)
            library.mallopt(TRIM_THRESHOLD, MAX_BYTES)


def checkpoint_activations(network: nn.Module) -> None:
    """Recompute the activations within a network's blocks in the backward pass.

    Weights, their names and results stay the same.
    """
    blocks = [part for part in network.modules() if isinstance(part, BLOCKS)]
    inner = {part for block in blocks for part in block.modules() if part is not block}
    apply_activation_checkpointing(
        network, checkpoint_wrapper, lambda part: part in blocks and part not in inner
    )
