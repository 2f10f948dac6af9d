"""Convolutions that pad by reflection."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

MIN_CHANNELS_PER_PIXEL = 4
"""From this ratio of channels to pixels on, im2col is faster than PyTorch's convolution on a CPU."""


class ReflectConv2d(nn.Conv2d):
    """Convolution of unchanged height and width, padded by reflection.

    The same result as ``nn.Conv2d(..., padding_mode="reflect")``, faster on CPUs in two ways:

    - PyTorch's CPU autocast pads in float32, which takes longer than many a convolution. Here the padding
      keeps the input's type.
    - Where many channels meet few pixels, as in the residual blocks of pix2pixHD's generator (1,024
      channels, 64 pixels), oneDNN spends its time on reordering the weights, in training three times per
      step. There the convolution is one matrix product of the weights with the unfolded input (im2col).

    GPUs and exported networks use PyTorch's own convolution. ``docs/performance.md`` has the measurements.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel: side of the filters, odd.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(in_channels, out_channels, kernel, padding=kernel // 2, padding_mode="reflect")

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if torch.compiler.is_exporting():
            # An exported graph must not depend on the batch size, which the branch below does.
            output: Tensor = super()._conv_forward(input, weight, bias)
            return output
        with torch.autocast(input.device.type, enabled=False):
            padded = functional.pad(input, self._reversed_padding_repeated_twice, mode="reflect")
        count, channels, height, width = input.shape
        deep = min(channels, self.out_channels) >= MIN_CHANNELS_PER_PIXEL * count * height * width
        if not (deep and input.device.type == "cpu"):
            return functional.conv2d(padded, weight, bias)
        columns = functional.unfold(padded, self.kernel_size)
        output = weight.flatten(1) @ columns.transpose(0, 1).flatten(1)
        output = output.view(-1, count, height, width).transpose(0, 1)
        return output if bias is None else output + bias.to(output.dtype).view(-1, 1, 1)
