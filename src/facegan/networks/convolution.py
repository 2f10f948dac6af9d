"""Convolutions that pad by reflection."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS_A_PIXEL = 4
"""From so many on a processor spends its time on reordering the weights."""


class ReflectConv2d(nn.Conv2d):
    """A convolution whose result has the size of its input, padded by reflection; PyTorch's, but faster.

    PyTorch's autocast on processors pads in 32 bit, which takes longer than many a convolution. Here the
    padding has the input's type.

    Where many channels meet few pixels, as in the middle of pix2pixHD's generator (1,024 and 64), the
    library's convolution spends its time on bringing the weights into an order of its own, in training
    three times a step. There the weights are multiplied as they lie by the pixels' neighborhoods.

    Exported networks have PyTorch's own (``docs/performance.md``).

    Args:
        in_channels: of the input.
        out_channels: of the result.
        kernel: side of the filters, odd.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(in_channels, out_channels, kernel, padding=kernel // 2, padding_mode="reflect")

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if torch.compiler.is_exporting():
            # Nor must an exported network be asked for its number of pictures.
            made: Tensor = super()._conv_forward(input, weight, bias)
            return made
        with torch.autocast(input.device.type, enabled=False):
            padded = functional.pad(input, self._reversed_padding_repeated_twice, mode="reflect")
        count, channels, height, width = input.shape
        deep = min(channels, self.out_channels) >= CHANNELS_A_PIXEL * count * height * width
        if not (deep and input.device.type == "cpu"):
            return functional.conv2d(padded, weight, bias)
        columns = functional.unfold(padded, self.kernel_size)
        made = weight.flatten(1) @ columns.transpose(0, 1).flatten(1)
        made = made.view(-1, count, height, width).transpose(0, 1)
        return made if bias is None else made + bias.to(made.dtype).view(-1, 1, 1)
