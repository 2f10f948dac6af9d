"""How much a step computes, and where its time goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = {
    "convolutions": ("convolution",),
    "norms": ("batch_norm", "group_norm", "instance_norm"),
    "optimiser and average": ("_fused_adam", "lerp", "addcmul", "addcdiv", "sqrt", "_foreach"),
    "casts and copies": ("copy_", "_to_copy", "contiguous"),
    "padding": ("pad",),
    "matrix products": ("mm", "bmm"),
}
"""Each with parts of the names of PyTorch's operations."""


class ceiling:  # noqa: N801
    """A product of two large matrices."""

    SIZE = 4096

    def __init__(self, dtype: torch.dtype) -> None:
        self.left, self.right = (torch.randn(self.SIZE, self.SIZE).to(dtype) for _ in range(2))

    def __call__(self) -> torch.Tensor:
        """The product."""
        return self.left @ self.right


def count_operations(step: Callable[[], Any]) -> int:
    """Multiplications and additions of a step's convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter:
        step()
    return int(counter.get_total_flops())


def shares(step: Callable[[], Any]) -> dict[str, float]:
    """Seconds that a step spends in each of KINDS, in ``other`` operations, and in all."""
    with profile(activities=[ProfilerActivity.CPU]) as found:
        step()
    seconds = dict.fromkeys((*KINDS, "other"), 0.0)
    for event in found.key_averages():
        kind = next(
            (kind for kind, parts in KINDS.items() if any(part in event.key for part in parts)), "other"
        )
        seconds[kind] += event.self_cpu_time_total / 1e6
    return seconds
