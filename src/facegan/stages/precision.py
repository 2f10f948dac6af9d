"""Whether 16 bit are worth it on a device."""

from __future__ import annotations

from functools import cache

import torch


@cache
def computes_bf16(device: torch.device) -> bool:
    """Whether a device has instructions for bf16.

    Processors without (x86 before AVX-512, for one) emulate it: a product of matrices takes many times
    as long as in 32 bit. Accelerators are taken to have them.
    """
    if device.type != "cpu":
        return True
    library = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return library and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
