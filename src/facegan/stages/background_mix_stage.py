"""Stage 3: the background mixer G_b against three discriminators."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from facegan import losses
from facegan.data import FacePair
from facegan.errors import InputError
from facegan.networks import (
    BackgroundMixer,
    DiscriminatorConfig,
    FaceReenactor,
    MixedImage,
    MixerConfig,
    MultiScaleDiscriminator,
    Reenactment,
    ReenactorConfig,
    mix_background,
    reenact_face,
)
from facegan.networks.compositing import head_probability, mask_background, mask_head
from facegan.stages.checkpoints import StageCheckpoint
from facegan.stages.config import AdversarialConfig, LossWeights, OptimizerConfig, as_hyperparameters
from facegan.stages.gan_stage import GANStage
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.perceptual_loss import PerceptualNetwork
from facegan.stages.validation_metrics import MetricValues, masked_mean, masked_mse


class BackgroundMixData(FacePairDataModule):
    """Images and segmentations of pairs; the driving frame's head over the source's background."""


class MixedHead(NamedTuple):
    """Inputs and outputs of G_b for a batch."""

    head: Tensor
    """I'_fr, N×3×H×W: ground truth or reenacted."""
    background: Tensor
    """I_b, N×3×H×W."""
    foreground: Tensor
    """I_c, N×3×H×W."""
    mask: Tensor
    """M, N×1×H×W."""
    result: Tensor
    """I_r, N×3×H×W."""


@dataclass(frozen=True)
class BackgroundMixLossWeights(LossWeights):
    """Weights of L_b's terms besides the adversarial one.

    Args:
        mask_smoothness: λ_b1 (open).
        mask_norm: λ_b2 (open).
        head_reconstruction: of the L1 distance of I_c and I_d on the driving frame's head, 0 in the
            paper. Without it the mask can be below 1 there, compensated by a larger contrast of I_c.
        perceptual: λ_b3 (open).
        reconstruction: λ_b5 (open).
    """

    mask_smoothness: float = 1.0
    mask_norm: float = 0.1
    head_reconstruction: float = 0.0
    perceptual: float = 10.0
    reconstruction: float = 10.0


class BackgroundMixStage(GANStage):
    """Trains G_b with L_b = L_bm + λ_b3 L_bp + λ_b4 L_badv + λ_b5 L_br.

    The paper fixes the losses and the compositing formula; the weights are open, and so is the head that
    G_b is trained with.

    Args:
        generator: sizes of G_b.
        discriminator: sizes of D_b1..3.
        head: ``truth`` is F_d, the driving frame's head; ``reenacted`` that of the frozen reenactor;
            ``schedule`` moves from one to the other during the run, by a growing share of the images.
        reenact_checkpoint: of stage 2, for the latter two.
        loss_weights: λ_b1, λ_b2, λ_b3, λ_b5 and that of the head's reconstruction.
        perceptual_network: network of L_bp.
        adversarial: λ_b4 and the form of the adversarial loss.
        optimizer: optimizer, learning-rate schedule and averaging.
    """

    result_title = "result I_r"
    excluded_from_checkpoint: ClassVar[tuple[str, ...]] = (*GANStage.excluded_from_checkpoint, "reenactor.")
    network: BackgroundMixer

    def __init__(
        self,
        generator: MixerConfig = MixerConfig(),
        discriminator: DiscriminatorConfig = DiscriminatorConfig(),
        head: Literal["truth", "reenacted", "schedule"] = "truth",
        reenact_checkpoint: Path | None = None,
        loss_weights: BackgroundMixLossWeights = BackgroundMixLossWeights(),
        perceptual_network: PerceptualNetwork = "vgg19",
        adversarial: AdversarialConfig = AdversarialConfig(),
        optimizer: OptimizerConfig = OptimizerConfig(),
    ) -> None:
        super().__init__()
        self.save_hyperparameters(as_hyperparameters(locals()))
        self.loss_weights, self.adversarial, self.optimizer = loss_weights, adversarial, optimizer
        self.network = BackgroundMixer(generator)
        self.discriminator = MultiScaleDiscriminator(3, **asdict(discriminator))
        self.reenactor: FaceReenactor | None = None
        if head != "truth":
            if reenact_checkpoint is None:
                msg = f"head: {head} needs model.init_args.reenact_checkpoint, a checkpoint of stage 2"
                raise InputError(msg)
            trained = StageCheckpoint(reenact_checkpoint, "ReenactStage")
            self.reenactor = FaceReenactor(ReenactorConfig(**trained.config["generator"]))
            self.reenactor.load_state_dict(trained.weights("network"))
            self.reenactor.requires_grad_(False)
            self.sigma: float = trained.config["sigma"]

    def network_config(self) -> dict[str, Any]:
        """Return the arguments of G_b and of the discriminators."""
        return {name: self.hparams[name] for name in ("generator", "discriminator")}

    def setup(self, stage: str) -> None:
        """Check that a schedule has an end."""
        super().setup(stage)
        if self.hparams["head"] == "schedule" and stage == "fit" and (self.trainer.max_epochs or -1) < 0:
            msg = "head: schedule needs trainer.max_epochs: in the last epoch all heads are reenacted"
            raise InputError(msg)

    def discriminators(self) -> dict[str, nn.Module]:
        """Return D_b1..3."""
        return {"image": self.discriminator}

    def forward(self, pair: FacePair) -> MixedHead:
        """Composite a head over the source's background."""
        head, alpha = self._head(pair)
        background = mask_background(pair.background_image, pair.background_segmentation)
        return MixedHead(head, background, *self.mix(head, background, alpha))

    def mix(self, head: Tensor, background: Tensor, alpha: Tensor) -> MixedImage:
        """Composite heads N×3×H×W with their alpha N×1×H×W over backgrounds N×3×H×W."""
        return mix_background(cast("BackgroundMixer", self.inference_network), head, background, alpha)

    def discriminator_inputs(
        self, pair: FacePair, output: MixedHead | Reenactment
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Return I_r and I_d."""
        return {"image": (output.result, pair.driving_image)}

    def generator_losses(self, pair: FacePair, output: MixedHead | Reenactment) -> dict[str, Tensor]:
        """Compute L_bm, L_bp, L_br and, if it has a weight, the head's reconstruction."""
        result, target, weights = output.result, pair.driving_image, self.loss_weights
        terms = {
            "mask_smoothness": weights.mask_smoothness * losses.mask_smoothness_loss(output.mask),
            "mask_norm": weights.mask_norm * losses.mask_norm_loss(output.mask),
            "perceptual": weights.perceptual * self.perceptual(result, target),
            "reconstruction": weights.reconstruction * losses.reconstruction_loss(result, target),
        }
        if weights.head_reconstruction:
            labels = pair.driving_segmentation
            loss = losses.reconstruction_loss(mask_head(output.foreground, labels), mask_head(target, labels))
            terms["head_reconstruction"] = weights.head_reconstruction * loss
        return terms

    def compute_metrics(self, pair: FacePair) -> MetricValues:
        """Compute the errors of I_r, the source and a naive composite against I_d; the mask's mean."""
        outputs = self(pair)
        target = pair.driving_image
        composite = outputs.head + outputs.background * (pair.driving_segmentation == 0)[:, None]
        return {
            "mse": masked_mse(outputs.result, target),
            "mse/copy_source": masked_mse(pair.source_image, target),
            "mse/naive_composite": masked_mse(composite, target),
            "perceptual": self.perceptual.distances(outputs.result, target),
            "perceptual/copy_source": self.perceptual.distances(pair.source_image, target),
            **background_mix_metrics(outputs.result, outputs.mask, pair),
        }

    def visualize(self, pair: FacePair) -> dict[str, Tensor]:
        """Return head, background, foreground, mask, result, target."""
        outputs = self(pair)
        return {
            "source I_s": pair.source_image,
            "head I'_fr": outputs.head,
            "background I_b": outputs.background,
            "foreground I_c": outputs.foreground,
            "mask M": outputs.mask * 2 - 1,
            self.result_title: outputs.result,
            "target I_d": pair.driving_image,
        }

    def _head(self, pair: FacePair) -> tuple[Tensor, Tensor]:
        """Compute I'_fr of the driving frame or of the reenactor, and its alpha."""
        head = mask_head(pair.driving_image, pair.driving_segmentation)
        alpha = (pair.driving_segmentation > 0)[:, None].to(head.dtype)
        if self.reenactor is None:
            return head, alpha
        reenacted = torch.ones(len(head), dtype=torch.bool)
        if self.training and self.hparams["head"] == "schedule":
            # Depends on the batch's number only: the same in a resumed run and with several processes.
            rank, processes = self.trainer.global_rank, self.trainer.world_size
            draw = torch.rand(
                len(head) * processes,
                generator=torch.Generator().manual_seed(self.trainer.fit_loop.total_batch_idx),
            )
            share = self.trainer.current_epoch / max((self.trainer.max_epochs or 1) - 1, 1)
            reenacted = draw[rank::processes] < share
        if reenacted.any():
            with torch.no_grad():
                source = pair.source.select(reenacted)
                landmarks, motion = pair.driving_landmarks[reenacted], pair.driving_motion[reenacted]
                made = reenact_face(self.reenactor, source, landmarks, motion, self.sigma)
                head[reenacted] = made.head.to(head.dtype)
                alpha[reenacted] = head_probability(made.segmentation).to(head.dtype)
        return head, alpha


def background_mix_metrics(result: Tensor, mask: Tensor, pair: FacePair) -> dict[str, Tensor]:
    """Compute the error of unoccluded and disoccluded background and the mask's mean; N values each.

    Unoccluded background is background in I_b and in the driving frame. Its error in I_b is the difference
    of the two frames: noise, compression, motion. The disoccluded region is hidden by the source's head;
    a naive composite leaves it gray.

    Args:
        result: I_r.
        mask: M.
        pair: a batch.
    """
    target, head = pair.driving_image, pair.driving_segmentation > 0
    removed = pair.background_segmentation > 0
    unoccluded, disoccluded = ~head & ~removed, ~head & removed
    return {
        "background_mse": masked_mse(result, target, unoccluded),
        "background_mse/copy_source": masked_mse(pair.background_image, target, unoccluded),
        "disoccluded_mse": masked_mse(result, target, disoccluded),
        "disoccluded_mse/naive_composite": masked_mse(torch.zeros_like(target), target, disoccluded),
        "mask_on_head": masked_mean(mask[:, 0].float(), head),
        "mask_on_background": masked_mean(mask[:, 0].float(), unoccluded),
    }
