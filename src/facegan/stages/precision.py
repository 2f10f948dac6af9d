"""Support of bf16 by devices."""

from __future__ import annotations

from functools import cache

import torch


@cache
def computes_bf16(device: torch.device) -> bool:
    """Check whether a device has instructions for bf16.

    CPUs without (such as x86 before AVX-512) emulate it: a matrix product takes many times as long as in
    float32. Accelerators are assumed to have them.
    """
    if device.type != "cpu":
        return True
    library = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return library and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
