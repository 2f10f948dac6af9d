"""The face reenactor G_r and the background mixer G_b: pix2pixHD generators with a second head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from facegan.errors import InputError
from facegan.networks.config import GeneratorConfig
from facegan.networks.convolution import ReflectConv2d
from facegan.networks.generator import (
    CoarseToFineGenerator,
    ConvBlock,
    GlobalGenerator,
    init_kaiming,
    init_weights,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch.nn import Parameter

    from facegan.networks.config import Norm

CLASSES = 3
"""Background, face, hair."""
PIX2PIXHD = GeneratorConfig()


class TwoHeadGenerator(nn.Module):
    """What both have in common: a generator that can begin as a trained global one.

    Args:
        in_channels: channels of the generator's input.
        settings: sizes and variants of the generator.

    Attributes:
        generator: paints N×3×H×W in -1..1.
        multiple: height and width must be multiples of it.
    """

    def __init__(self, in_channels: int, settings: GeneratorConfig) -> None:
        super().__init__()
        self.generator = _generator(in_channels, settings)
        self.multiple = self.generator.multiple

    def load_global(self, state: Mapping[str, Tensor]) -> None:
        """Begins the second phase of progressive training where the first has ended.

        Args:
            state: state of the same class with ``kind="global"`` and twice the width. Its generator
                but for the head is used; see :meth:`CoarseToFineGenerator.load_global`.

        Raises:
            InputError: if the sizes differ, or this generator is a global one itself.
        """
        if isinstance(self.generator, GlobalGenerator):
            msg = "generator.kind is global: only a coarse_to_fine one begins with a trained global generator"
            raise InputError(msg)
        prefix = "generator."
        self.generator.load_global(
            {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        )

    def coarse_parameters(self) -> Iterator[Parameter]:
        """Parameters of the global generator inside a coarse-to-fine one; of a global one, none."""
        if isinstance(self.generator, CoarseToFineGenerator):
            yield from self.generator.coarse.parameters()


class FaceReenactor(TwoHeadGenerator):
    """G_r: source picture and drawn landmarks to the reenacted face and its segmentation.

    Args:
        settings: sizes and variants of the generator.
    """

    def __init__(self, settings: GeneratorConfig = PIX2PIXHD) -> None:
        super().__init__(4, settings)
        self.segmentation = PredictionHead(settings.width, CLASSES, settings.norm)
        if settings.init == "kaiming":
            self.apply(init_kaiming)

    def forward(self, source: Tensor, heatmap: Tensor) -> tuple[Tensor, Tensor]:
        """Paints the source's face where the landmarks are.

        Args:
            source: I_s, N×3×H×W in -1..1.
            heatmap: H_t, N×1×H×W from :func:`facegan.geometry.landmarks.draw_gaussians`.

        Returns:
            I_fr, N×3×H×W in -1..1, and the logits of S_fr, N×3×H×W (background, face, hair).
        """
        features = self.generator.features(torch.cat((source, heatmap), dim=1))
        return self.generator.head(features), self.segmentation(features)


class BackgroundMixer(TwoHeadGenerator):
    """G_b: reenacted head and background to a picture and the mask that mixes both.

    Args:
        settings: sizes and variants of the generator.
    """

    def __init__(self, settings: GeneratorConfig = PIX2PIXHD) -> None:
        super().__init__(6, settings)
        self.mask = PredictionHead(settings.width, 1, settings.norm)
        if settings.init == "kaiming":
            self.apply(init_kaiming)

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


class PredictionHead(nn.Sequential):
    """A small CNN on the second-last layer's features."""

    def __init__(self, in_channels: int, out_channels: int, norm: Norm) -> None:
        super().__init__(
            ConvBlock(in_channels, in_channels, norm, kernel=3),
            ReflectConv2d(in_channels, out_channels, 3),
        )
        self.apply(init_weights)


def _generator(in_channels: int, settings: GeneratorConfig) -> GlobalGenerator | CoarseToFineGenerator:
    width, downsamplings, blocks = settings.width, settings.downsamplings, settings.blocks
    norm, skips = settings.norm, settings.skips
    if settings.kind == "global":
        return GlobalGenerator(in_channels, 3, width, downsamplings, blocks, norm=norm, skips=skips)
    return CoarseToFineGenerator(
        in_channels, 3, width, downsamplings, blocks, settings.local_blocks, norm=norm, skips=skips
    )
