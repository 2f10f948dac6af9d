"""Convolutions that have many weights and few pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS_A_PIXEL = 4
"""From so many on a processor spends its time on reordering the weights."""


class DeepConv2d(nn.Conv2d):
    """A convolution that is fast on processors where it is deep.

    The library's convolution brings the weights into an order of its own, in training three times a step.
    In the middle of pix2pixHD's generator, with 1,024 channels and 64 pixels, that takes longer than to
    convolve. There the weights are multiplied as they lie by the pixels' neighbourhoods
    (``docs/performance.md``). Everywhere else, and in exported networks, this is PyTorch's.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        count, channels, height, width = input.shape
        # An exported network takes any number of pictures: it must not be asked for it.
        fixed = not torch.compiler.is_exporting()
        deep = fixed and min(channels, self.out_channels) >= CHANNELS_A_PIXEL * count * height * width
        simple = self.groups == 1 and self.padding_mode == "reflect" and isinstance(self.padding, tuple)
        if not (deep and simple and input.device.type == "cpu"):
            made: Tensor = super()._conv_forward(input, weight, bias)
            return made
        padded = functional.pad(input, self._reversed_padding_repeated_twice, mode="reflect")
        columns = functional.unfold(padded, self.kernel_size)
        made = weight.flatten(1) @ columns.transpose(0, 1).flatten(1)
        made = made.view(-1, count, height, width).transpose(0, 1)
        return made if bias is None else made + bias.to(made.dtype).view(-1, 1, 1)
