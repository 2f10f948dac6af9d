"""The face reenactor G_r and the background mixer G_b: pix2pixHD generators with a second head."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from facegan.networks.generator import CoarseToFineGenerator, ConvBlock, GlobalGenerator, initialise

GeneratorKind = Literal["coarse_to_fine", "global"]

CLASSES = 3
"""Background, face, hair."""


class FaceReenactor(nn.Module):
    """G_r: source picture and drawn landmarks to the reenacted face and its segmentation.

    Args:
        generator: ``coarse_to_fine``, or ``global`` alone (first phase of progressive training).
        width: channels of the generator's last features.
        downsamplings: how often the global generator halves the resolution.
        blocks: residual blocks of the global generator.
        local_blocks: residual blocks of the local enhancer, if there is one.
        skips: skip connections ("U-Net like" in the paper).
    """

    def __init__(
        self,
        generator: GeneratorKind = "coarse_to_fine",
        width: int = 32,
        downsamplings: int = 4,
        blocks: int = 9,
        local_blocks: int = 3,
        *,
        skips: bool = False,
    ) -> None:
        super().__init__()
        self.generator = _generator(4, generator, width, downsamplings, blocks, local_blocks, skips)
        self.segmentation = SecondHead(width, CLASSES)

    def forward(self, source: Tensor, heatmap: Tensor) -> tuple[Tensor, Tensor]:
        """Paints the source's face where the landmarks are.

        Args:
            source: I_s, N×3×H×W in -1..1.
            heatmap: H_t, N×1×H×W from :func:`facegan.landmarks.draw_gaussians`.

        Returns:
            I_fr, N×3×H×W in -1..1, and the logits of S_fr, N×3×H×W (background, face, hair).
        """
        features = self.generator.features(torch.cat((source, heatmap), dim=1))
        return self.generator.head(features), self.segmentation(features)


class BackgroundMixer(nn.Module):
    """G_b: reenacted head and background to a picture and the mask that mixes both.

    Arguments as for :class:`FaceReenactor`.
    """

    def __init__(
        self,
        generator: GeneratorKind = "coarse_to_fine",
        width: int = 32,
        downsamplings: int = 4,
        blocks: int = 9,
        local_blocks: int = 3,
        *,
        skips: bool = False,
    ) -> None:
        super().__init__()
        self.generator = _generator(6, generator, width, downsamplings, blocks, local_blocks, skips)
        self.mask = SecondHead(width, 1)

    def forward(self, head: Tensor, background: Tensor) -> tuple[Tensor, Tensor]:
        """Puts a head before a background.

        Args:
            head: I'_fr, N×3×H×W in -1..1, zero outside the head.
            background: I_b, N×3×H×W in -1..1, zero where the source's head was.

        Returns:
            I_c, N×3×H×W in -1..1, and M, N×1×H×W in 0..1; the result is M·I_c + (1 - M)·I_b.
        """
        features = self.generator.features(torch.cat((head, background), dim=1))
        return self.generator.head(features), torch.sigmoid(self.mask(features))


class SecondHead(nn.Sequential):
    """A small CNN on the second-last layer's features."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            ConvBlock(in_channels, in_channels, kernel=3),
            nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="reflect"),
        )
        self.apply(initialise)


def _generator(
    in_channels: int,
    kind: GeneratorKind,
    width: int,
    downsamplings: int,
    blocks: int,
    local_blocks: int,
    skips: bool,
) -> GlobalGenerator | CoarseToFineGenerator:
    if kind == "global":
        return GlobalGenerator(in_channels, 3, width, downsamplings, blocks, skips=skips)
    if kind == "coarse_to_fine":
        return CoarseToFineGenerator(in_channels, 3, width, downsamplings, blocks, local_blocks, skips=skips)
    msg = f"generator must be coarse_to_fine or global, got {kind!r}"
    raise ValueError(msg)
