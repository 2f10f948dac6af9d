"""Number of operations of a training step, and its time by kind of operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.profiler import profile

KINDS = {
    "convolutions": ("convolution", "im2col", "col2im", "::mm", "::bmm", "::addmm"),
    "norms": ("batch_norm", "group_norm", "instance_norm"),
    "optimizer and EMA": (
        *("_fused_adam", "lerp", "addcmul", "addcdiv", "sqrt"),
        *("vector_norm", "zero_grad"),
    ),
    "casts and copies": ("copy_",),
    "padding": ("_pad",),
}
"""Kind of operation to substrings of the names of PyTorch's operations."""


def count_operations(step: Callable[[], Any]) -> int:
    """Count the multiplications and additions of a step's convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter:
        step()
    return int(counter.get_total_flops())


def sum_kinds(profiled: profile) -> dict[str, float]:
    """Sum the seconds of a profiled step by KINDS and ``other`` operations."""
    seconds = dict.fromkeys((*KINDS, "other"), 0.0)
    for event in profiled.key_averages():
        kind = next(
            (kind for kind, parts in KINDS.items() if any(part in event.key for part in parts)), "other"
        )
        seconds[kind] += event.self_cpu_time_total / 1e6
    return seconds
