"""Stage 2: the face reenactor G_r against three discriminators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from facegan import losses
from facegan.data import Pair
from facegan.landmarks import draw_gaussians
from facegan.losses import AdversarialForm
from facegan.networks import FaceReenactor, MultiScaleDiscriminator
from facegan.networks.compositing import cut_head, cut_predicted_head
from facegan.networks.reenactor import GeneratorKind
from facegan.stages.adversarial import AdversarialStage
from facegan.stages.pair_data import PairData
from facegan.stages.panels import label_colours
from facegan.stages.perceptual import PerceptualLoss, PerceptualNetwork


class ReenactData(PairData):
    """Pictures, segmentations and landmarks of pairs; the driver is the truth."""


class Reenacted(NamedTuple):
    """What G_r makes of a batch."""

    heatmap: Tensor
    """H_t, N×1×H×W."""
    face: Tensor
    """I_fr, N×3×H×W."""
    segmentation: Tensor
    """Logits of S_fr, N×3×H×W."""
    head: Tensor
    """I'_fr, N×3×H×W."""


class ReenactStage(AdversarialStage):
    """Trains G_r with L_r = λ_r1 L_rr + λ_r2 L_rp + λ_r3 L_radv + λ_r4 L_ce.

    The driver's own landmarks are drawn, since the driver is the truth. The paper fixes the losses,
    the learning rate, batch 1 and pix2pixHD's networks; the weights λ, σ and the optimiser are open.

    Args:
        generator: ``coarse_to_fine``, or ``global`` alone.
        width: channels of the generator's last features (pix2pixHD: 32; 64 for ``global``).
        downsamplings: of the global generator.
        blocks: residual blocks of the global generator.
        local_blocks: residual blocks of the local enhancer.
        skips: skip connections ("U-Net like").
        sigma: standard deviation of a drawn landmark, in units of half the crop.
        discriminator_width: channels after a discriminator's first convolution.
        discriminator_scales: number of discriminators (fixed: 3).
        learning_rate: of both Adams (fixed: 2e-4).
        betas: of both Adams (pix2pixHD's).
        reconstruction_weight: λ_r1.
        perceptual_weight: λ_r2.
        adversarial_weight: λ_r3.
        segmentation_weight: λ_r4.
        perceptual_network: whose features L_rp compares.
        adversarial_form: the paper's is ``log``, pix2pixHD's ``least_squares``.
        gradient_clip: largest norm of a gradient; null for no limit.
    """

    def __init__(
        self,
        generator: GeneratorKind = "coarse_to_fine",
        width: int = 32,
        downsamplings: int = 4,
        blocks: int = 9,
        local_blocks: int = 3,
        skips: bool = False,
        sigma: float = 0.02,
        discriminator_width: int = 64,
        discriminator_scales: int = 3,
        learning_rate: float = 2e-4,
        betas: tuple[float, float] = (0.5, 0.999),
        reconstruction_weight: float = 10.0,
        perceptual_weight: float = 10.0,
        adversarial_weight: float = 1.0,
        segmentation_weight: float = 5.0,
        perceptual_network: PerceptualNetwork = "vgg19",
        adversarial_form: AdversarialForm = "log",
        gradient_clip: float | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.reenactor = FaceReenactor(generator, width, downsamplings, blocks, local_blocks, skips=skips)
        self.discriminator = MultiScaleDiscriminator(3, discriminator_width, scales=discriminator_scales)
        self.perceptual = PerceptualLoss(perceptual_network)

    def network_config(self) -> dict[str, Any]:
        """Arguments of G_r and of the discriminators, and σ."""
        names = ("generator", "width", "downsamplings", "blocks", "local_blocks", "skips")
        return {
            "network": {name: self.hparams[name] for name in names},
            "discriminator": {
                "width": self.hparams["discriminator_width"],
                "scales": self.hparams["discriminator_scales"],
            },
            "sigma": self.hparams["sigma"],
        }

    def generators(self) -> Iterable[nn.Module]:
        """G_r."""
        return [self.reenactor]

    def discriminators(self) -> dict[str, nn.Module]:
        """D_r1..3."""
        return {"face": self.discriminator}

    def generate(self, pair: Pair) -> Reenacted:
        """Paints the source's face where the driver's landmarks are."""
        source = pair["source"]
        heatmap = draw_gaussians(pair["driving_landmarks"], source.shape[-1], self.hparams["sigma"])
        face, segmentation = self.reenactor(source, heatmap)
        return Reenacted(heatmap, face, segmentation, cut_predicted_head(face, segmentation))

    def judged(self, made: Reenacted, pair: Pair) -> dict[str, tuple[Tensor, Tensor]]:
        """I'_fr against F_d."""
        return {"face": (made.head, cut_head(pair["driving"], pair["driving_segmentation"]))}

    def terms(self, made: Reenacted, pair: Pair) -> dict[str, Tensor]:
        """L_rr, L_rp and L_ce."""
        return reenactment_terms(made.head, made.segmentation, pair, self.perceptual, self.hparams)

    def measure(self, pair: Pair) -> dict[str, Tensor]:
        """Error of I'_fr against F_d, beside that of the source's own head, and the segmentation's IoU."""
        made = self.generate(pair)
        truth = cut_head(pair["driving"], pair["driving_segmentation"])
        copied = cut_head(pair["source"], pair["source_segmentation"])
        return {
            "head_mse": mean_square(made.head, truth),
            "head_mse_of_source": mean_square(copied, truth),
            "perceptual": self.perceptual(made.head, truth),
            "perceptual_of_source": self.perceptual(copied, truth),
            "head_iou": head_iou(made.segmentation, pair["driving_segmentation"]),
        }

    def panels(self, pair: Pair) -> dict[str, Tensor]:
        """Source, landmarks, face, segmentation, head, truth."""
        made = self.generate(pair)
        return {
            "source": pair["source"],
            "landmarks": made.heatmap.clamp(0, 1) * 2 - 1,
            "face": made.face,
            "segmentation": label_colours(made.segmentation.argmax(dim=1)),
            "head": made.head,
            "truth": pair["driving"],
        }


def reenactment_terms(
    head: Tensor, segmentation: Tensor, pair: Pair, perceptual: PerceptualLoss, weights: Any
) -> dict[str, Tensor]:
    """The weighted terms of L_r besides the adversarial one.

    Args:
        head: I'_fr.
        segmentation: logits of S_fr.
        pair: a batch.
        perceptual: V.
        weights: mapping with the arguments of :class:`ReenactStage`.
    """
    truth = cut_head(pair["driving"], pair["driving_segmentation"])
    return {
        "reconstruction": weights["reconstruction_weight"] * losses.reconstruction(head, truth),
        "perceptual": weights["perceptual_weight"] * perceptual(head, truth),
        "segmentation": weights["segmentation_weight"]
        * losses.segmentation_cross_entropy(segmentation, pair["driving_segmentation"]),
    }


def mean_square(pictures: Tensor, truth: Tensor) -> Tensor:
    """Mean square error over pixels of 0..1, as the paper's MSE."""
    return (pictures.float() - truth.float()).square().mean() / 4


def head_iou(logits: Tensor, truth: Tensor) -> Tensor:
    """Intersection over union of face and hair together, N×3×H×W against N×H×W."""
    ours, theirs = logits.argmax(dim=1) > 0, truth > 0
    union = torch.logical_or(ours, theirs).sum()
    return torch.logical_and(ours, theirs).sum() / union.clamp(min=1)
