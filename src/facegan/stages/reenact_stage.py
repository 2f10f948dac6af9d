"""Stage 2: the face reenactor G_r against three discriminators."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from facegan import losses
from facegan.data import FacePair
from facegan.errors import InputError
from facegan.geometry.landmarks import draw_gaussians
from facegan.networks import (
    CoarseToFineGenerator,
    DiscriminatorConfig,
    FaceReenactor,
    GeneratorConfig,
    MultiScaleDiscriminator,
)
from facegan.networks.compositing import mask_head, mask_predicted_head
from facegan.stages.base_stage import as_hyperparameters
from facegan.stages.checkpoints import StageCheckpoint
from facegan.stages.config import AdversarialConfig, OptimizerConfig
from facegan.stages.gan_stage import GANStage
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.perceptual_loss import PerceptualLoss, PerceptualNetwork
from facegan.stages.validation_metrics import MetricValues, masked_mse, mean_iou

LABEL_COLORS = torch.tensor([[0.0, 0.0, 0.0], [0.9, 0.7, 0.6], [0.35, 0.5, 0.8]])
"""Of background, face and hair, 0..1."""


class ReenactData(FacePairDataModule):
    """Images, segmentations and landmarks of pairs; the driving frame is the target."""


class ReenactedFace(NamedTuple):
    """Outputs of G_r for a batch."""

    heatmap: Tensor
    """H_t, N×1×H×W."""
    face: Tensor
    """I_fr, N×3×H×W."""
    segmentation: Tensor
    """Logits of S_fr, N×3×H×W."""
    head: Tensor
    """I'_fr, N×3×H×W."""


class ReenactStage(GANStage):
    """Trains G_r with L_r = λ_r1 L_rr + λ_r2 L_rp + λ_r3 L_radv + λ_r4 L_ce.

    The heat map shows the driving frame's own landmarks, since that frame is the target. The paper fixes
    the losses, the learning rate, batch 1 and pix2pixHD's networks; the weights λ, σ and the optimizer are
    open.

    Args:
        generator: sizes of G_r.
        discriminator: sizes of D_r1..3.
        sigma: standard deviation of a landmark's Gaussian, in units of half the crop (open).
        reconstruction_weight: λ_r1 (open).
        perceptual_weight: λ_r2 (open).
        segmentation_weight: λ_r4 (open).
        jaccard_weight: of the soft Jaccard loss of S_fr, 0 in the paper.
        perceptual_network: network of L_rp (vgg19 is pix2pixHD's; the paper cites it).
        adversarial: λ_r3 and the form of the adversarial loss.
        optimizer: optimizer, learning-rate schedule and averaging.
        global_checkpoint: of this stage with the ``global`` generator, at half the size: the first
            phase of progressive training, from whose weights the global generator starts.
        freeze_global_epochs: epochs in which the global generator is frozen and the local enhancer learns.
    """

    result_title = "head I'_fr"
    network: FaceReenactor

    def __init__(
        self,
        generator: GeneratorConfig = GeneratorConfig(),
        discriminator: DiscriminatorConfig = DiscriminatorConfig(),
        sigma: float = 0.02,
        reconstruction_weight: float = 10.0,
        perceptual_weight: float = 10.0,
        segmentation_weight: float = 5.0,
        jaccard_weight: float = 0.0,
        perceptual_network: PerceptualNetwork = "vgg19",
        adversarial: AdversarialConfig = AdversarialConfig(),
        optimizer: OptimizerConfig = OptimizerConfig(),
        global_checkpoint: Path | None = None,
        freeze_global_epochs: int = 1,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(as_hyperparameters(locals()))
        self.adversarial, self.optimizer = adversarial, optimizer
        self.network = FaceReenactor(generator)
        self.discriminator = MultiScaleDiscriminator(3, **asdict(discriminator))
        self.perceptual = PerceptualLoss(perceptual_network)
        if global_checkpoint is not None:
            trained = StageCheckpoint(global_checkpoint, "ReenactStage")
            self.network.load_global_generator(trained.weights("network"))

    def network_config(self) -> dict[str, Any]:
        """Return the arguments of G_r and of the discriminators, and σ."""
        return {name: self.hparams[name] for name in ("generator", "discriminator", "sigma")}

    def setup(self, stage: str) -> None:
        """Check that the networks accept the size of the images."""
        super().setup(stage)
        require_size(self.trainer, self.network.multiple)

    def parameters_to_skip(self) -> list[nn.Parameter]:
        """Return the global generator's parameters in the epochs in which it is frozen."""
        generator = self.network.generator
        if self.hparams["global_checkpoint"] is None or not isinstance(generator, CoarseToFineGenerator):
            return []
        frozen = self.trainer.current_epoch < self.hparams["freeze_global_epochs"]
        return list(generator.global_generator.parameters()) if frozen else []

    def discriminators(self) -> dict[str, nn.Module]:
        """Return D_r1..3."""
        return {"face": self.discriminator}

    def generate(self, pair: FacePair) -> ReenactedFace:
        """Reenact the source by the driving frame's landmarks."""
        source = pair.source_image
        heatmap = draw_gaussians(pair.driving_landmarks, source.shape[-1], self.hparams["sigma"])
        face, segmentation = self.inference_network(source, heatmap)
        return ReenactedFace(heatmap, face, segmentation, mask_predicted_head(face, segmentation))

    def discriminator_inputs(
        self, outputs: ReenactedFace, pair: FacePair
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Return I'_fr and F_d."""
        return {"face": (outputs.head, mask_head(pair.driving_image, pair.driving_segmentation))}

    def generator_losses(self, outputs: ReenactedFace, pair: FacePair) -> dict[str, Tensor]:
        """Compute L_rr, L_rp, L_ce and, if it has a weight, the soft Jaccard loss."""
        return reenactment_losses(outputs.head, outputs.segmentation, pair, self.perceptual, self.hparams)

    def compute_metrics(self, pair: FacePair) -> MetricValues:
        """Compute the errors of I'_fr and of the source's head against F_d, and the IoU of S_fr."""
        outputs = self.generate(pair)
        target = mask_head(pair.driving_image, pair.driving_segmentation)
        source_head = mask_head(pair.source_image, pair.source_segmentation)
        return {
            "head_mse": masked_mse(outputs.head, target),
            "head_mse/copy_source": masked_mse(source_head, target),
            "perceptual": self.perceptual.distances(outputs.head, target),
            "perceptual/copy_source": self.perceptual.distances(source_head, target),
            **mean_iou(outputs.segmentation, pair.driving_segmentation),
        }

    def visualize(self, pair: FacePair) -> dict[str, Tensor]:
        """Return source, driving frame, landmarks, face, segmentation, head, target."""
        outputs = self.generate(pair)
        return {
            "source I_s": pair.source_image,
            "driving I_d": pair.driving_image,
            "landmarks H_t": outputs.heatmap.clamp(0, 1) * 2 - 1,
            "face I_fr": outputs.face,
            "segmentation S_fr": colorize_segmentation(outputs.segmentation.argmax(dim=1)),
            self.result_title: outputs.head,
            "target F_d": mask_head(pair.driving_image, pair.driving_segmentation),
        }


def reenactment_losses(
    head: Tensor, segmentation: Tensor, pair: FacePair, perceptual: PerceptualLoss, weights: Any
) -> dict[str, Tensor]:
    """Compute the weighted terms of L_r besides the adversarial one.

    Args:
        head: I'_fr.
        segmentation: logits of S_fr.
        pair: a batch.
        perceptual: V.
        weights: mapping with the arguments of :class:`ReenactStage`.
    """
    labels = pair.driving_segmentation
    target = mask_head(pair.driving_image, labels)
    terms = {
        "reconstruction": weights["reconstruction_weight"] * losses.reconstruction_loss(head, target),
        "perceptual": weights["perceptual_weight"] * perceptual(head, target),
        "segmentation": weights["segmentation_weight"] * losses.segmentation_loss(segmentation, labels),
    }
    if weights["jaccard_weight"]:
        terms["jaccard"] = weights["jaccard_weight"] * losses.soft_jaccard_loss(segmentation, labels)
    return terms


def colorize_segmentation(segmentation: Tensor) -> Tensor:
    """Convert a segmentation N×H×W to images N×3×H×W in -1..1."""
    return LABEL_COLORS.to(segmentation.device)[segmentation.long()].permute(0, 3, 1, 2) * 2 - 1


def require_size(trainer: pl.Trainer, multiple: int) -> None:
    """Raise InputError unless the size of the data's images fits the networks."""
    size = trainer.datamodule.size  # type: ignore[attr-defined]
    if size % multiple:
        msg = f"data.init_args.size is {size}: for this generator it must be a multiple of {multiple}"
        raise InputError(msg)
