"""Stage 3: the background mixer G_b against three discriminators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from torch import Tensor, nn

from facegan import losses
from facegan.data import Pair
from facegan.losses import AdversarialForm
from facegan.networks import BackgroundMixer, MultiScaleDiscriminator
from facegan.networks.compositing import cut_background, cut_head, mix
from facegan.networks.reenactor import GeneratorKind
from facegan.stages.adversarial import AdversarialStage
from facegan.stages.pair_data import PairData
from facegan.stages.perceptual import PerceptualLoss, PerceptualNetwork
from facegan.stages.reenact import mean_square


class BackgroundMixData(PairData):
    """Pictures and segmentations of pairs; the driver's head before the source's background."""


class Mixed(NamedTuple):
    """What G_b makes of a batch."""

    painted: Tensor
    """I_c, N×3×H×W."""
    mask: Tensor
    """M, N×1×H×W."""
    result: Tensor
    """I_r, N×3×H×W."""


class BackgroundMixStage(AdversarialStage):
    """Trains G_b with L_b = L_bm + λ_b3 L_bp + λ_b4 L_badv + λ_b5 L_br.

    The head is the truth's, F_d, in place of the reenacted one. The paper fixes the losses and the
    mixing formula; the weights are open. Arguments not listed are as for
    :class:`~facegan.stages.reenact.ReenactStage`.

    Args:
        generator: ``coarse_to_fine``, or ``global`` alone.
        width: channels of the generator's last features.
        downsamplings: of the global generator.
        blocks: residual blocks of the global generator.
        local_blocks: residual blocks of the local enhancer.
        skips: skip connections.
        discriminator_width: channels after a discriminator's first convolution.
        discriminator_scales: number of discriminators.
        learning_rate: of both Adams.
        betas: of both Adams.
        mask_smoothness_weight: λ_b1.
        mask_norm_weight: λ_b2.
        perceptual_weight: λ_b3.
        adversarial_weight: λ_b4.
        reconstruction_weight: λ_b5.
        perceptual_network: whose features L_bp compares.
        adversarial_form: the paper's is ``log``.
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
        discriminator_width: int = 64,
        discriminator_scales: int = 3,
        learning_rate: float = 2e-4,
        betas: tuple[float, float] = (0.5, 0.999),
        mask_smoothness_weight: float = 1.0,
        mask_norm_weight: float = 0.1,
        perceptual_weight: float = 10.0,
        adversarial_weight: float = 1.0,
        reconstruction_weight: float = 10.0,
        perceptual_network: PerceptualNetwork = "vgg19",
        adversarial_form: AdversarialForm = "log",
        gradient_clip: float | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.mixer = BackgroundMixer(generator, width, downsamplings, blocks, local_blocks, skips=skips)
        self.discriminator = MultiScaleDiscriminator(3, discriminator_width, scales=discriminator_scales)
        self.perceptual = PerceptualLoss(perceptual_network)

    def network_config(self) -> dict[str, Any]:
        """Arguments of G_b and of the discriminators."""
        names = ("generator", "width", "downsamplings", "blocks", "local_blocks", "skips")
        return {
            "network": {name: self.hparams[name] for name in names},
            "discriminator": {
                "width": self.hparams["discriminator_width"],
                "scales": self.hparams["discriminator_scales"],
            },
        }

    def generators(self) -> Iterable[nn.Module]:
        """G_b."""
        return [self.mixer]

    def discriminators(self) -> dict[str, nn.Module]:
        """D_b1..3."""
        return {"picture": self.discriminator}

    def generate(self, pair: Pair) -> Mixed:
        """Puts the driver's head before the source's background."""
        head = cut_head(pair["driving"], pair["driving_segmentation"])
        background = cut_background(pair["source"], pair["source_segmentation"])
        painted, mask = self.mixer(head, background)
        return Mixed(painted, mask, mix(painted, mask, background))

    def judged(self, made: Mixed, pair: Pair) -> dict[str, tuple[Tensor, Tensor]]:
        """I_r against I_d."""
        return {"picture": (made.result, pair["driving"])}

    def terms(self, made: Mixed, pair: Pair) -> dict[str, Tensor]:
        """L_bm, L_bp and L_br."""
        return mixing_terms(made.result, made.mask, pair, self.perceptual, self.hparams)

    def measure(self, pair: Pair) -> dict[str, Tensor]:
        """Error of I_r against I_d, beside that of the source as it is and of the plain paste."""
        made = self.generate(pair)
        truth = pair["driving"]
        background = cut_background(pair["source"], pair["source_segmentation"])
        pasted = cut_head(truth, pair["driving_segmentation"]) + background * (
            pair["driving_segmentation"] == 0
        ).unsqueeze(1)
        return {
            "mse": mean_square(made.result, truth),
            "mse_of_source": mean_square(pair["source"], truth),
            "mse_of_paste": mean_square(pasted, truth),
            "perceptual": self.perceptual(made.result, truth),
            "mask": made.mask.mean(),
        }

    def panels(self, pair: Pair) -> dict[str, Tensor]:
        """Head, background, painted picture, mask, result, truth."""
        made = self.generate(pair)
        return {
            "head": cut_head(pair["driving"], pair["driving_segmentation"]),
            "background": cut_background(pair["source"], pair["source_segmentation"]),
            "painted": made.painted,
            "mask": made.mask * 2 - 1,
            "result": made.result,
            "truth": pair["driving"],
        }


def mixing_terms(
    result: Tensor, mask: Tensor, pair: Pair, perceptual: PerceptualLoss, weights: Any
) -> dict[str, Tensor]:
    """The weighted terms of L_b besides the adversarial one.

    Args:
        result: I_r.
        mask: M.
        pair: a batch.
        perceptual: V.
        weights: mapping with the arguments of :class:`BackgroundMixStage`.
    """
    truth = pair["driving"]
    return {
        "mask_smoothness": weights["mask_smoothness_weight"] * losses.mask_smoothness(mask),
        "mask_norm": weights["mask_norm_weight"] * losses.mask_norm(mask),
        "perceptual": weights["perceptual_weight"] * perceptual(result, truth),
        "reconstruction": weights["reconstruction_weight"] * losses.reconstruction(result, truth),
    }
