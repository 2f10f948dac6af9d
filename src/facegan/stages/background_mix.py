"""Stage 3: the background mixer G_b against three discriminators."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from facegan import losses
from facegan.data import FacePair
from facegan.errors import InputError
from facegan.geometry.landmarks import draw_gaussians
from facegan.networks import (
    BackgroundMixer,
    DiscriminatorConfig,
    FaceReenactor,
    GeneratorConfig,
    MultiScaleDiscriminator,
    Reenactment,
)
from facegan.networks.compositing import mask_background, mask_head, mask_predicted_head, mix
from facegan.stages.base_stage import plain
from facegan.stages.checkpoints import StageCheckpoint
from facegan.stages.config import AdversarialConfig, OptimizerConfig
from facegan.stages.gan_stage import GANStage
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.perceptual_loss import PerceptualLoss, PerceptualNetwork
from facegan.stages.reenact import require_size
from facegan.stages.validation_metrics import Measured, masked_mean, masked_mse


class BackgroundMixData(FacePairDataModule):
    """Pictures and segmentations of pairs; the driver's head before the source's background."""


class Mixed(NamedTuple):
    """What G_b makes of a batch."""

    head: Tensor
    """I'_fr, N×3×H×W: of the truth or reenacted."""
    background: Tensor
    """I_b, N×3×H×W."""
    painted: Tensor
    """I_c, N×3×H×W."""
    mask: Tensor
    """M, N×1×H×W."""
    result: Tensor
    """I_r, N×3×H×W."""


class BackgroundMixStage(GANStage):
    """Trains G_b with L_b = L_bm + λ_b3 L_bp + λ_b4 L_badv + λ_b5 L_br.

    The paper fixes the losses and the mixing formula; the weights are open, and so is which head G_b
    is trained with.

    Args:
        generator: sizes of G_b.
        discriminator: sizes of D_b1..3.
        head: ``truth`` is F_d, the driver's own head; ``reenacted`` that of the frozen reenactor;
            ``schedule`` goes from one to the other during the run, picture by picture.
        reenact_checkpoint: of stage 2, for the latter two.
        mask_smoothness_weight: λ_b1 (open).
        mask_norm_weight: λ_b2 (open).
        head_reconstruction_weight: of the L1 between I_c and I_d on the driver's head, 0 in the paper.
            Without it the mask is free to be gray there: a louder I_c makes up for it.
        perceptual_weight: λ_b3 (open).
        reconstruction_weight: λ_b5 (open).
        perceptual_network: whose features L_bp compares.
        adversarial: λ_b4 and the form of the adversarial loss.
        optimizer: how the weights are moved.
    """

    result_panel = "result I_r"
    frozen: ClassVar[tuple[str, ...]] = (*GANStage.frozen, "reenactor.")
    network: BackgroundMixer

    def __init__(
        self,
        generator: GeneratorConfig = GeneratorConfig(),
        discriminator: DiscriminatorConfig = DiscriminatorConfig(),
        head: Literal["truth", "reenacted", "schedule"] = "truth",
        reenact_checkpoint: Path | None = None,
        mask_smoothness_weight: float = 1.0,
        mask_norm_weight: float = 0.1,
        head_reconstruction_weight: float = 0.0,
        perceptual_weight: float = 10.0,
        reconstruction_weight: float = 10.0,
        perceptual_network: PerceptualNetwork = "vgg19",
        adversarial: AdversarialConfig = AdversarialConfig(),
        optimizer: OptimizerConfig = OptimizerConfig(),
    ) -> None:
        super().__init__()
        self.save_hyperparameters(plain(locals()))
        self.adversarial, self.optimizer = adversarial, optimizer
        self.network = BackgroundMixer(generator)
        self.discriminator = MultiScaleDiscriminator(3, **asdict(discriminator))
        self.perceptual = PerceptualLoss(perceptual_network)
        self.reenactor: FaceReenactor | None = None
        if head != "truth":
            if reenact_checkpoint is None:
                msg = f"head: {head} needs model.init_args.reenact_checkpoint, a checkpoint of stage 2"
                raise InputError(msg)
            trained = StageCheckpoint(reenact_checkpoint, "ReenactStage")
            self.reenactor = FaceReenactor(GeneratorConfig(**trained.config["generator"]))
            self.reenactor.load_state_dict(trained.weights("network"))
            self.reenactor.requires_grad_(False)
            self.sigma: float = trained.config["sigma"]

    def network_config(self) -> dict[str, Any]:
        """Arguments of G_b and of the discriminators."""
        return {name: self.hparams[name] for name in ("generator", "discriminator")}

    def setup(self, stage: str) -> None:
        """Refuses pictures of a size that the networks do not take."""
        super().setup(stage)
        require_size(self.trainer, self.network.multiple)
        if self.hparams["head"] == "schedule" and stage == "fit" and (self.trainer.max_epochs or -1) < 0:
            msg = "head: schedule needs trainer.max_epochs: there all heads are reenacted"
            raise InputError(msg)

    def discriminators(self) -> dict[str, nn.Module]:
        """D_b1..3."""
        return {"picture": self.discriminator}

    def generate(self, pair: FacePair) -> Mixed:
        """Puts a head before the source's background."""
        head = self._head(pair)
        background = mask_background(pair.background_image, pair.background_segmentation)
        painted, mask = self.in_use(head, background)
        return Mixed(head, background, painted, mask, mix(painted, mask, background))

    def judged(self, made: Mixed, pair: FacePair) -> dict[str, tuple[Tensor, Tensor]]:
        """I_r against I_d."""
        return {"picture": (made.result, pair.driving_image)}

    def terms(self, made: Mixed, pair: FacePair) -> dict[str, Tensor]:
        """L_bm, L_bp and L_br."""
        return mixing_terms(made, pair, self.perceptual, self.hparams)

    def measure(self, pair: FacePair) -> Measured:
        """Error of I_r against I_d, beside that of the source as it is and of the plain paste; the mask."""
        made = self.generate(pair)
        truth = pair.driving_image
        pasted = made.head + made.background * (pair.driving_segmentation == 0)[:, None]
        return {
            "mse": masked_mse(made.result, truth),
            "mse_of_source": masked_mse(pair.source_image, truth),
            "mse_of_paste": masked_mse(pasted, truth),
            "perceptual": self.perceptual.distances(made.result, truth),
            "perceptual_of_source": self.perceptual.distances(pair.source_image, truth),
            **mixing_measures(made.result, made.mask, pair),
        }

    def panels(self, pair: FacePair) -> dict[str, Tensor]:
        """Head, background, painted picture, mask, result, truth."""
        made = self.generate(pair)
        return {
            "source I_s": pair.source_image,
            "head I'_fr": made.head,
            "background I_b": made.background,
            "painted I_c": made.painted,
            "mask M": made.mask * 2 - 1,
            self.result_panel: made.result,
            "truth I_d": pair.driving_image,
        }

    def _head(self, pair: FacePair) -> Tensor:
        """I'_fr, of the truth or reenacted."""
        head = mask_head(pair.driving_image, pair.driving_segmentation)
        if self.reenactor is None:
            return head
        chosen = torch.ones(len(head), dtype=torch.bool)
        if self.training and self.hparams["head"] == "schedule":
            # Of the batch's number alone: an interrupted run draws the same, and so do several processes.
            rank, processes = self.trainer.global_rank, self.trainer.world_size
            draw = torch.rand(len(head) * processes, generator=torch.Generator().manual_seed(self.batches))
            chosen = draw[rank::processes] < self.trainer.current_epoch / max(
                (self.trainer.max_epochs or 1) - 1, 1
            )
        if chosen.any():
            with torch.no_grad():
                size = head.shape[-1]
                heatmap = draw_gaussians(pair.driving_landmarks[chosen], size, self.sigma)
                head[chosen] = mask_predicted_head(*self.reenactor(pair.source_image[chosen], heatmap)).to(
                    head.dtype
                )
        return head


def mixing_measures(result: Tensor, mask: Tensor, pair: FacePair) -> dict[str, Tensor]:
    """How the background is kept and the hole filled, and where the mask lies; N numbers each.

    Untouched background is what is background in I_b and in the driver. Its error in I_b is what two
    frames differ by anyway: noise, compression, whatever moves there. The hole is what the source's head
    leaves free; a paste leaves it gray.

    Args:
        result: I_r.
        mask: M.
        pair: a batch.
    """
    truth, head = pair.driving_image, pair.driving_segmentation > 0
    cut_out = pair.background_segmentation > 0
    untouched, hole = ~head & ~cut_out, ~head & cut_out
    return {
        "background_mse": masked_mse(result, truth, untouched),
        "background_mse_of_source": masked_mse(pair.background_image, truth, untouched),
        "hole_mse": masked_mse(result, truth, hole),
        "hole_mse_of_paste": masked_mse(torch.zeros_like(truth), truth, hole),
        "mask_on_head": masked_mean(mask[:, 0].float(), head),
        "mask_on_background": masked_mean(mask[:, 0].float(), untouched),
    }


def mixing_terms(
    made: Mixed | Reenactment, pair: FacePair, perceptual: PerceptualLoss, weights: Any
) -> dict[str, Tensor]:
    """The weighted terms of L_b besides the adversarial one.

    Args:
        made: I_c, M and I_r.
        pair: a batch.
        perceptual: V.
        weights: mapping with the arguments of :class:`BackgroundMixStage`.
    """
    truth = pair.driving_image
    terms = {
        "mask_smoothness": weights["mask_smoothness_weight"] * losses.mask_smoothness(made.mask),
        "mask_norm": weights["mask_norm_weight"] * losses.mask_norm(made.mask),
        "perceptual": weights["perceptual_weight"] * perceptual(made.result, truth),
        "reconstruction": weights["reconstruction_weight"] * losses.reconstruction(made.result, truth),
    }
    if weights["head_reconstruction_weight"]:
        painted, head = (mask_head(picture, pair.driving_segmentation) for picture in (made.painted, truth))
        terms["painted"] = weights["head_reconstruction_weight"] * losses.reconstruction(painted, head)
    return terms
