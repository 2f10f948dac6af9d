"""How much a step computes, and where its time goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.profiler import profile

KINDS = {
    "convolutions": ("convolution", "im2col", "col2im", "::mm", "::bmm", "::addmm"),
    "norms": ("batch_norm", "group_norm", "instance_norm"),
    "optimizer and average": (
        "_fused_adam",
        "lerp",
        "addcmul",
        "addcdiv",
        "sqrt",
        "vector_norm",
        "zero_grad",
    ),
    "casts and copies": ("copy_",),
    "padding": ("_pad",),
}
"""Each with parts of the names of PyTorch's operations."""


def count_operations(step: Callable[[], Any]) -> int:
    """Multiplications and additions of a step's convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter:
        step()
    return int(counter.get_total_flops())


def shares(found: profile) -> dict[str, float]:
    """Seconds that a profiled step spent in each of KINDS, and in ``other`` operations."""
    seconds = dict.fromkeys((*KINDS, "other"), 0.0)
    for event in found.key_averages():
        kind = next(
            (kind for kind, parts in KINDS.items() if any(part in event.key for part in parts)), "other"
        )
        seconds[kind] += event.self_cpu_time_total / 1e6
    return seconds
