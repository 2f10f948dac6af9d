"""Stage 2: the face reenactor G_r against three discriminators."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from facegan import losses
from facegan.data import FacePair
from facegan.networks import (
    CoarseToFineGenerator,
    DiscriminatorConfig,
    FaceReenactor,
    MultiScaleDiscriminator,
    ReenactedFace,
    Reenactment,
    ReenactorConfig,
    reenact_face,
)
from facegan.networks.compositing import mask_head
from facegan.stages.checkpoints import StageCheckpoint
from facegan.stages.config import AdversarialConfig, LossWeights, OptimizerConfig, as_hyperparameters
from facegan.stages.gan_stage import GANStage
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.perceptual_loss import PerceptualNetwork
from facegan.stages.protocol_metrics import ProtocolImages
from facegan.stages.validation_metrics import MetricValues, masked_mse, mean_iou

LABEL_COLORS = torch.tensor([[0.0, 0.0, 0.0], [0.9, 0.7, 0.6], [0.35, 0.5, 0.8]])
"""Of background, face and hair, 0..1."""


class ReenactData(FacePairDataModule):
    """Images, segmentations and landmarks of source and driving frame, which is the target."""

    roles = ("source", "driving")
    protocols = ("self", "cross", "lsim")


@dataclass(frozen=True)
class ReenactLossWeights(LossWeights):
    """Weights of L_r's terms besides the adversarial one.

    Args:
        reconstruction: λ_r1 (open).
        perceptual: λ_r2 (open).
        segmentation: λ_r4 (open).
        jaccard: of the soft Jaccard loss of S_fr, 0 in the paper.
    """

    reconstruction: float = 10.0
    perceptual: float = 10.0
    segmentation: float = 5.0
    jaccard: float = 0.0


class ReenactStage(GANStage):
    """Trains G_r with L_r = λ_r1 L_rr + λ_r2 L_rp + λ_r3 L_radv + λ_r4 L_ce.

    The heat map shows the driving frame's own landmarks, since that frame is the target. The paper fixes
    the losses, the learning rate, batch 1 and pix2pixHD's networks; the weights λ, σ and the optimizer are
    open.

    Args:
        generator: sizes of G_r.
        discriminator: sizes of D_r1..3.
        sigma: standard deviation of a landmark's Gaussian, in units of half the crop (open).
        loss_weights: λ_r1, λ_r2, λ_r4 and that of the soft Jaccard loss.
        perceptual_network: network of L_rp (vgg19 is pix2pixHD's; the paper cites it).
        adversarial: λ_r3 and the form of the adversarial loss.
        optimizer: optimizer, learning-rate schedule and averaging.
        global_checkpoint: of this stage with the ``global`` generator, at half the size: the first
            phase of progressive training, from whose weights the global generator starts.
        freeze_global_epochs: epochs in which the global generator is frozen and the local enhancer learns.
        protocol_interval: epochs between two validations with CSIM, PSIM, ED and LSIM.
    """

    result_title = "head I'_fr"
    network: FaceReenactor

    def __init__(
        self,
        generator: ReenactorConfig = ReenactorConfig(),
        discriminator: DiscriminatorConfig = DiscriminatorConfig(),
        sigma: float = 0.02,
        loss_weights: ReenactLossWeights = ReenactLossWeights(),
        perceptual_network: PerceptualNetwork = "vgg19",
        adversarial: AdversarialConfig = AdversarialConfig(),
        optimizer: OptimizerConfig = OptimizerConfig(),
        global_checkpoint: Path | None = None,
        freeze_global_epochs: int = 1,
        protocol_interval: int = 1,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(as_hyperparameters(locals()))
        self.loss_weights, self.adversarial, self.optimizer = loss_weights, adversarial, optimizer
        self.protocol_interval = protocol_interval
        self.network = FaceReenactor(generator)
        self.discriminator = MultiScaleDiscriminator(3, **asdict(discriminator))
        if global_checkpoint is not None:
            trained = StageCheckpoint(global_checkpoint, "ReenactStage")
            self.network.load_global_generator(trained.weights("network"))

    def network_config(self) -> dict[str, Any]:
        """Return the arguments of G_r and of the discriminators, and σ."""
        return {name: self.hparams[name] for name in ("generator", "discriminator", "sigma")}

    def frozen_parameters(self) -> list[nn.Parameter]:
        """Return the global generator's parameters in the epochs in which it is frozen."""
        generator = self.network.generator
        if self.hparams["global_checkpoint"] is None or not isinstance(generator, CoarseToFineGenerator):
            return []
        frozen = self.trainer.current_epoch < self.hparams["freeze_global_epochs"]
        return list(generator.global_generator.parameters()) if frozen else []

    def discriminators(self) -> dict[str, nn.Module]:
        """Return D_r1..3."""
        return {"face": self.discriminator}

    def forward(self, pair: FacePair) -> ReenactedFace:
        """Reenact the source by the driving frame's landmarks."""
        return self.reenact(pair, pair.driving_landmarks)

    def reenact(self, pair: FacePair, landmarks: Tensor) -> ReenactedFace:
        """Reenact the sources by landmarks N×68×2 and the driving head pose."""
        network, sigma = cast("FaceReenactor", self.inference_network), self.hparams["sigma"]
        return reenact_face(network, pair.source, landmarks, pair.driving_motion, sigma)

    def discriminator_inputs(
        self, pair: FacePair, output: ReenactedFace | Reenactment
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Return I'_fr and F_d."""
        return {"face": (output.head, mask_head(pair.driving_image, pair.driving_segmentation))}

    def generator_losses(self, pair: FacePair, output: ReenactedFace | Reenactment) -> dict[str, Tensor]:
        """Compute L_rr, L_rp, L_ce and, if it has a weight, the soft Jaccard loss."""
        head, labels, weights = output.head, pair.driving_segmentation, self.loss_weights
        target = mask_head(pair.driving_image, labels)
        terms = {
            "reconstruction": weights.reconstruction * losses.reconstruction_loss(head, target),
            "perceptual": weights.perceptual * self.perceptual(head, target),
            "segmentation": weights.segmentation * losses.segmentation_loss(output.segmentation, labels),
        }
        if weights.jaccard:
            terms["jaccard"] = weights.jaccard * losses.soft_jaccard_loss(output.segmentation, labels)
        return terms

    def compute_metrics(self, pair: FacePair) -> MetricValues:
        """Compute the errors of I'_fr and of the source's head against F_d, and the IoU of S_fr."""
        outputs = self(pair)
        target = mask_head(pair.driving_image, pair.driving_segmentation)
        source_head = mask_head(pair.source_image, pair.source_segmentation)
        return {
            "head_mse": masked_mse(outputs.head, target),
            "head_mse/copy_source": masked_mse(source_head, target),
            "perceptual": self.perceptual.distances(outputs.head, target),
            "perceptual/copy_source": self.perceptual.distances(source_head, target),
            **mean_iou(outputs.segmentation, pair.driving_segmentation),
        }

    def protocol_images(self, pair: FacePair, output: ReenactedFace) -> ProtocolImages:
        """Return I'_fr and the heads of source and driving frame."""
        return ProtocolImages(
            output.head,
            mask_head(pair.source_image, pair.source_segmentation),
            mask_head(pair.driving_image, pair.driving_segmentation),
        )

    def visualize(self, pair: FacePair) -> dict[str, Tensor]:
        """Return source, driving frame, landmarks, face, segmentation, head, target."""
        outputs = self(pair)
        return {
            "source I_s": pair.source_image,
            "driving I_d": pair.driving_image,
            "landmarks H_t": outputs.heatmap.clamp(0, 1) * 2 - 1,
            "face I_fr": outputs.face,
            "segmentation S_fr": colorize_segmentation(outputs.segmentation.argmax(dim=1)),
            self.result_title: outputs.head,
            "target F_d": mask_head(pair.driving_image, pair.driving_segmentation),
        }


def colorize_segmentation(segmentation: Tensor) -> Tensor:
    """Convert a segmentation N×H×W to images N×3×H×W in -1..1."""
    return LABEL_COLORS.to(segmentation.device)[segmentation.long()].permute(0, 3, 1, 2) * 2 - 1
