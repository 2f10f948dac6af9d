"""The multi-scale patch discriminator of pix2pixHD (Wang et al., CVPR 2018)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from torch import Tensor, nn

from facegan.networks.generator import image_pyramid, init_weights, norm_layer

if TYPE_CHECKING:
    from facegan.networks.config import Norm


class MultiScaleDiscriminator(nn.Module):
    """Discriminators of one architecture on the image at 1, 1/2, 1/4, … of its size.

    Args:
        in_channels: channels of the image.
        width: channels after the first convolution; doubled at every layer, at most 512.
        layers: convolutions with stride 2.
        scales: number of discriminators.
        norm: ``instance`` or ``group``, after every convolution but the first and the last.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 64,
        layers: int = 3,
        scales: int = 3,
        *,
        norm: Norm = "instance",
    ) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(in_channels, width, layers, norm) for _ in range(scales)
        )
        self.apply(init_weights)

    def forward(self, images: Tensor) -> list[list[Tensor]]:
        """Compute the activations of every layer of every scale.

        Args:
            images: N×in_channels×H×W.

        Returns:
            For each scale, finest first, its layers' outputs; the last is the map of logits N×1×h×w.
        """
        levels = image_pyramid(images, len(self.scales))
        return [scale(level) for scale, level in zip(self.scales, levels, strict=True)]


class PatchDiscriminator(nn.Module):
    """4×4 convolutions; no norm on the first and the last."""

    def __init__(self, in_channels: int, width: int, layers: int, norm: Norm) -> None:
        super().__init__()
        channels = [min(width * 2**i, 512) for i in range(layers + 1)]
        strides = [2] * (layers - 1) + [1]
        self.layers = nn.ModuleList([_block(in_channels, channels[0], 2, None)])
        self.layers.extend(
            _block(before, after, stride, norm)
            for (before, after), stride in zip(pairwise(channels), strides, strict=True)
        )
        self.layers.append(nn.Conv2d(channels[-1], 1, 4, padding=2))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Compute the outputs of every layer, the logits last."""
        outputs = []
        for layer in self.layers:
            x = layer(x)
            outputs.append(x)
        return outputs


def _block(before: int, after: int, stride: int, norm: Norm | None) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 4, stride, padding=2)
    # Not in place: the activations are handed out for feature matching.
    return nn.Sequential(convolution, norm_layer(norm, after) if norm else nn.Identity(), nn.LeakyReLU(0.2))
