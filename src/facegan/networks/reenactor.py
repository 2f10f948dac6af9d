"""The face reenactor G_r and the background mixer G_b: pix2pixHD generators with a second head."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from facegan.errors import InputError
from facegan.geometry.head_alignment import align_head
from facegan.geometry.landmarks import draw_gaussians
from facegan.geometry.segmentation import LABELS
from facegan.networks.compositing import alpha_composite, fill_hole, mask_predicted_head, unmask_head
from facegan.networks.config import MixerConfig, ReenactorConfig
from facegan.networks.convolution import ReflectConv2d
from facegan.networks.generator import (
    CoarseToFineGenerator,
    ConvBlock,
    GlobalGenerator,
    init_kaiming,
    init_weights,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facegan.geometry.head_alignment import SourceFace
    from facegan.networks.config import GeneratorConfig, Norm


MIN_PROBABILITY = 0.01
"""Of a label that a prediction starts from, so that it can change."""


class ReenactedFace(NamedTuple):
    """Outputs of G_r for a batch."""

    heatmap: Tensor
    """H_t, N×1×H×W."""
    face: Tensor
    """I_fr, N×3×H×W in -1..1."""
    segmentation: Tensor
    """Logits of S_fr, N×3×H×W."""
    head: Tensor
    """I'_fr, N×3×H×W."""


class MixedImage(NamedTuple):
    """Outputs of G_b for a batch."""

    foreground: Tensor
    """I_c, N×3×H×W in -1..1."""
    mask: Tensor
    """M, N×1×H×W in 0..1."""
    result: Tensor
    """I_r, N×3×H×W in -1..1."""


def reenact_face(
    reenactor: FaceReenactor, source: SourceFace, landmarks: Tensor, motion: Tensor, sigma: float
) -> ReenactedFace:
    """Reenact source faces by landmarks, and remove the background.

    Args:
        reenactor: G_r.
        source: the source faces.
        landmarks: l_t, N×68×2 in -1..1.
        motion: AU_d, N×20; its angles are used if the reenactor aligns the source.
        sigma: standard deviation of a drawn landmark, in the landmarks' units.
    """
    heatmap = draw_gaussians(landmarks, source.image.shape[-1], sigma)
    appearance = source.image
    if reenactor.align_source:
        appearance = torch.cat(align_head(source, landmarks, motion), dim=1)
    face, segmentation = reenactor(appearance, heatmap)
    return ReenactedFace(heatmap, face, segmentation, mask_predicted_head(face, segmentation))


def mix_background(mixer: BackgroundMixer, head: Tensor, background: Tensor, alpha: Tensor) -> MixedImage:
    """Composite heads over backgrounds.

    Args:
        mixer: G_b.
        head: I'_fr, N×3×H×W in -1..1.
        background: I_b, N×3×H×W in -1..1, zero where the source's head was.
        alpha: of the head, N×1×H×W in 0..1; used if the mixer fills the background.
    """
    if mixer.fill_background:
        background = fill_hole(background)
    foreground, mask = mixer(head, background, alpha)
    return MixedImage(foreground, mask, alpha_composite(foreground, mask, background))


class TwoHeadGenerator(nn.Module):
    """Base class of both: a generator that can start from a trained global generator.

    Args:
        in_channels: channels of the generator's input.
        config: sizes and variants of the generator.

    Attributes:
        generator: generates N×3×H×W in -1..1.
        multiple: height and width must be multiples of it.
    """

    def __init__(self, in_channels: int, config: GeneratorConfig) -> None:
        super().__init__()
        self.generator = _build_generator(in_channels, config)
        self.multiple = self.generator.multiple

    def load_global_generator(self, state: Mapping[str, Tensor]) -> None:
        """Load the trained global generator of progressive training's first phase.

        Args:
            state: state of the same class with ``kind="global"`` and twice the width. Its generator but
                for the head is used; see :meth:`CoarseToFineGenerator.load_global_generator`.

        Raises:
            InputError: if the sizes differ, or this generator is a global one itself.
        """
        if isinstance(self.generator, GlobalGenerator):
            msg = "generator.kind is global: only a coarse_to_fine one starts from a trained global generator"
            raise InputError(msg)
        prefix = "generator."
        self.generator.load_global_generator(
            {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        )


class FaceReenactor(TwoHeadGenerator):
    """G_r: source image and landmark heat map to the reenacted face and its segmentation.

    Args:
        config: sizes and variants of the generator.

    Attributes:
        align_source: whether it sees the source's head where the landmarks are, not where it is. It then
            repairs: a third head predicts where its painting replaces the moved head (the attention mask of
            GANimation; Pumarola et al., ECCV 2018), and S_fr starts from the moved labels.
    """

    def __init__(self, config: ReenactorConfig = ReenactorConfig()) -> None:
        super().__init__(7 if config.align_source else 4, config)
        self.align_source = config.align_source
        self.segmentation = PredictionHead(config.width, len(LABELS), config.norm)
        self.attention = PredictionHead(config.width, 1, config.norm) if config.align_source else None
        if config.init == "kaiming":
            self.apply(init_kaiming)

    def forward(self, appearance: Tensor, heatmap: Tensor) -> tuple[Tensor, Tensor]:
        """Generate the source's face with the landmarks of the heat map.

        Args:
            appearance: I_s, N×3×H×W in -1..1; or the aligned head with its labels and confidence, N×6×H×W.
            heatmap: H_t, N×1×H×W from :func:`facegan.geometry.landmarks.draw_gaussians`.

        Returns:
            I_fr, N×3×H×W in -1..1, and the logits of S_fr, N×3×H×W (background, face, hair).
        """
        features = self.generator.features(torch.cat((appearance, heatmap), dim=1))
        face, logits = self.generator.head(features), self.segmentation(features)
        if self.attention is None:
            return face, logits
        moved, labels = appearance[:, :3], appearance[:, 3:5]
        alpha = labels.sum(dim=1, keepdim=True)
        face = alpha_composite(face, torch.sigmoid(self.attention(features)), unmask_head(moved, alpha))
        shares = torch.cat((1 - alpha, labels), dim=1)
        return face, logits + shares.clamp(min=MIN_PROBABILITY).log()


class BackgroundMixer(TwoHeadGenerator):
    """G_b: reenacted head and background to a foreground image and its alpha mask.

    Args:
        config: sizes and variants of the generator.

    Attributes:
        fill_background: whether it sees, and composites over, a background whose hole is filled. I_c then
            starts from the reenacted head, as in :class:`FaceReenactor`, and M from its alpha.
    """

    def __init__(self, config: MixerConfig = MixerConfig()) -> None:
        super().__init__(6, config)
        self.fill_background = config.fill_background
        self.mask = PredictionHead(config.width, 1, config.norm)
        self.attention = PredictionHead(config.width, 1, config.norm) if config.fill_background else None
        if config.init == "kaiming":
            self.apply(init_kaiming)

    def forward(self, head: Tensor, background: Tensor, alpha: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Generate foreground and mask of a head over a background.

        Args:
            head: I'_fr, N×3×H×W in -1..1, zero outside the head.
            background: I_b, N×3×H×W in -1..1, zero or filled where the source's head was.
            alpha: of the head, N×1×H×W in 0..1; needed with ``fill_background``.

        Returns:
            I_c, N×3×H×W in -1..1, and M, N×1×H×W in 0..1; the result is M·I_c + (1 - M)·I_b.

        Raises:
            ValueError: if alpha is missing.
        """
        features = self.generator.features(torch.cat((head, background), dim=1))
        foreground, mask = self.generator.head(features), self.mask(features)
        if self.attention is not None:
            if alpha is None:
                msg = "a mixer that fills the background needs the head's alpha"
                raise ValueError(msg)
            painted = torch.sigmoid(self.attention(features))
            foreground = alpha_composite(foreground, painted, unmask_head(head, alpha))
            mask = mask + torch.logit(alpha, eps=MIN_PROBABILITY)
        return foreground, torch.sigmoid(mask)


class PredictionHead(nn.Sequential):
    """Two convolutions on the second-last layer's features."""

    def __init__(self, in_channels: int, out_channels: int, norm: Norm) -> None:
        super().__init__(
            ConvBlock(in_channels, in_channels, norm, kernel=3),
            ReflectConv2d(in_channels, out_channels, 3),
        )
        self.apply(init_weights)


def _build_generator(in_channels: int, config: GeneratorConfig) -> GlobalGenerator | CoarseToFineGenerator:
    sizes = (config.width, config.downsamplings, config.num_residual_blocks)
    norm, skips = config.norm, config.use_skip_connections
    if config.kind == "global":
        return GlobalGenerator(in_channels, 3, *sizes, norm=norm, use_skip_connections=skips)
    return CoarseToFineGenerator(
        in_channels, 3, *sizes, config.num_local_residual_blocks, norm=norm, use_skip_connections=skips
    )
