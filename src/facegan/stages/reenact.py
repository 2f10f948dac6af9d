"""Stage 2: the face reenactor G_r against three discriminators."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
from torch import Tensor, nn

from facegan import losses
from facegan.data import FacePair
from facegan.errors import InputError
from facegan.geometry.landmarks import draw_gaussians
from facegan.networks import (
    DiscriminatorConfig,
    FaceReenactor,
    GeneratorConfig,
    MultiScaleDiscriminator,
)
from facegan.networks.compositing import mask_head, mask_predicted_head
from facegan.stages.base_stage import plain
from facegan.stages.callbacks.image_logger import label_colors
from facegan.stages.checkpoints import StageCheckpoint
from facegan.stages.config import AdversarialConfig, OptimizerConfig
from facegan.stages.gan_stage import GANStage
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.perceptual_loss import PerceptualLoss, PerceptualNetwork
from facegan.stages.validation_metrics import Measured, masked_mse, overlap


class ReenactData(FacePairDataModule):
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


class ReenactStage(GANStage):
    """Trains G_r with L_r = λ_r1 L_rr + λ_r2 L_rp + λ_r3 L_radv + λ_r4 L_ce.

    The driver's own landmarks are drawn, since the driver is the truth. The paper fixes the losses,
    the learning rate, batch 1 and pix2pixHD's networks; the weights λ, σ and the optimizer are open.

    Args:
        generator: sizes of G_r.
        discriminator: sizes of D_r1..3.
        sigma: standard deviation of a drawn landmark, in units of half the crop (open).
        reconstruction_weight: λ_r1 (open).
        perceptual_weight: λ_r2 (open).
        segmentation_weight: λ_r4 (open).
        overlap_weight: of what the overlap of S_fr with the truth lacks to 1, 0 in the paper.
        perceptual_network: whose features L_rp compares (vgg19 is pix2pixHD's; the paper cites it).
        adversarial: λ_r3 and the form of the adversarial loss.
        optimizer: how the weights are moved.
        global_checkpoint: of this stage with the ``global`` generator, at half the size: the first
            phase of progressive training, whose weights the global part starts from.
        freeze_global_epochs: epochs in which that part stands still while the local enhancer learns.
    """

    result_panel = "head I'_fr"
    network: FaceReenactor

    def __init__(
        self,
        generator: GeneratorConfig = GeneratorConfig(),
        discriminator: DiscriminatorConfig = DiscriminatorConfig(),
        sigma: float = 0.02,
        reconstruction_weight: float = 10.0,
        perceptual_weight: float = 10.0,
        segmentation_weight: float = 5.0,
        overlap_weight: float = 0.0,
        perceptual_network: PerceptualNetwork = "vgg19",
        adversarial: AdversarialConfig = AdversarialConfig(),
        optimizer: OptimizerConfig = OptimizerConfig(),
        global_checkpoint: Path | None = None,
        freeze_global_epochs: int = 1,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(plain(locals()))
        self.adversarial, self.optimizer = adversarial, optimizer
        self.network = FaceReenactor(generator)
        self.discriminator = MultiScaleDiscriminator(3, **asdict(discriminator))
        self.perceptual = PerceptualLoss(perceptual_network)
        if global_checkpoint is not None:
            self.network.load_global(StageCheckpoint(global_checkpoint, "ReenactStage").weights("network"))

    def network_config(self) -> dict[str, Any]:
        """Arguments of G_r and of the discriminators, and σ."""
        return {name: self.hparams[name] for name in ("generator", "discriminator", "sigma")}

    def setup(self, stage: str) -> None:
        """Refuses pictures of a size that the networks do not take."""
        super().setup(stage)
        require_size(self.trainer, self.network.multiple)

    def held(self) -> list[nn.Parameter]:
        """The global part while it stands still."""
        still = self.hparams["global_checkpoint"] is not None
        still = still and self.trainer.current_epoch < self.hparams["freeze_global_epochs"]
        return list(self.network.coarse_parameters()) if still else []

    def discriminators(self) -> dict[str, nn.Module]:
        """D_r1..3."""
        return {"face": self.discriminator}

    def generate(self, pair: FacePair) -> Reenacted:
        """Paints the source's face where the driver's landmarks are."""
        source = pair.source_image
        heatmap = draw_gaussians(pair.driving_landmarks, source.shape[-1], self.hparams["sigma"])
        face, segmentation = self.in_use(source, heatmap)
        return Reenacted(heatmap, face, segmentation, mask_predicted_head(face, segmentation))

    def judged(self, made: Reenacted, pair: FacePair) -> dict[str, tuple[Tensor, Tensor]]:
        """I'_fr against F_d."""
        return {"face": (made.head, mask_head(pair.driving_image, pair.driving_segmentation))}

    def terms(self, made: Reenacted, pair: FacePair) -> dict[str, Tensor]:
        """L_rr, L_rp, L_ce and, if it has a weight, the overlap."""
        return reenactment_terms(made.head, made.segmentation, pair, self.perceptual, self.hparams)

    def measure(self, pair: FacePair) -> Measured:
        """Error of I'_fr against F_d, beside that of the source's own head; overlap of S_fr."""
        made = self.generate(pair)
        truth = mask_head(pair.driving_image, pair.driving_segmentation)
        copied = mask_head(pair.source_image, pair.source_segmentation)
        return {
            "head_mse": masked_mse(made.head, truth),
            "head_mse_of_source": masked_mse(copied, truth),
            "perceptual": self.perceptual.distances(made.head, truth),
            "perceptual_of_source": self.perceptual.distances(copied, truth),
            **overlap(made.segmentation, pair.driving_segmentation),
        }

    def panels(self, pair: FacePair) -> dict[str, Tensor]:
        """Source, driver, landmarks, face, segmentation, head, truth."""
        made = self.generate(pair)
        return {
            "source I_s": pair.source_image,
            "driver I_d": pair.driving_image,
            "landmarks H_t": made.heatmap.clamp(0, 1) * 2 - 1,
            "face I_fr": made.face,
            "segmentation S_fr": label_colors(made.segmentation.argmax(dim=1)),
            self.result_panel: made.head,
            "truth F_d": mask_head(pair.driving_image, pair.driving_segmentation),
        }


def reenactment_terms(
    head: Tensor, segmentation: Tensor, pair: FacePair, perceptual: PerceptualLoss, weights: Any
) -> dict[str, Tensor]:
    """The weighted terms of L_r besides the adversarial one.

    Args:
        head: I'_fr.
        segmentation: logits of S_fr.
        pair: a batch.
        perceptual: V.
        weights: mapping with the arguments of :class:`ReenactStage`.
    """
    labels = pair.driving_segmentation
    truth = mask_head(pair.driving_image, labels)
    terms = {
        "reconstruction": weights["reconstruction_weight"] * losses.reconstruction(head, truth),
        "perceptual": weights["perceptual_weight"] * perceptual(head, truth),
        "segmentation": weights["segmentation_weight"]
        * losses.segmentation_cross_entropy(segmentation, labels),
    }
    if weights["overlap_weight"]:
        terms["overlap"] = weights["overlap_weight"] * losses.soft_jaccard_loss(segmentation, labels)
    return terms


def require_size(trainer: pl.Trainer, multiple: int) -> None:
    """Raises InputError unless the data's pictures fit the networks."""
    size = trainer.datamodule.size  # type: ignore[attr-defined]
    if size % multiple:
        msg = f"data.init_args.size is {size}: for this generator it must be a multiple of {multiple}"
        raise InputError(msg)
