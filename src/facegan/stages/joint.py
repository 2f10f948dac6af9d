"""Joint stage: all networks end to end, from landmarks and motion to the picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from facegan.data import Pair
from facegan.losses import AdversarialForm
from facegan.networks import (
    ActionUnitRegressor,
    FaceGAN,
    FaceGANConfig,
    MultiScaleDiscriminator,
    Reenactment,
)
from facegan.networks.compositing import cut_background, cut_head
from facegan.stages.adversarial import AdversarialStage
from facegan.stages.background_mix import mixing_terms
from facegan.stages.checkpoints import StageCheckpoint
from facegan.stages.landmark_transform import landmark_error, landmark_terms
from facegan.stages.pair_data import PairData
from facegan.stages.panels import label_colours
from facegan.stages.perceptual import PerceptualLoss, PerceptualNetwork
from facegan.stages.reenact import head_iou, mean_square, reenactment_terms


class JointData(PairData):
    """Everything of pairs: pictures, segmentations, landmarks, motion."""


class JointStage(AdversarialStage):
    """Trains L_T, G_r and G_b together with the sum of L_l, L_r and L_b.

    The gradient of the picture losses reaches L_T through the drawn Gaussians. The terms within L_l,
    L_r and L_b keep the weights that their stages were trained with; the paper fixes none.

    Args:
        landmark_checkpoint: of stage 1.
        reenact_checkpoint: of stage 2.
        background_checkpoint: of stage 3.
        learning_rate: of both Adams.
        betas: of both Adams.
        landmark_weight: of L_l in the sum.
        reenact_weight: of L_r, its adversarial term apart.
        background_weight: of L_b, its adversarial term apart.
        adversarial_weight: of both adversarial terms.
        perceptual_network: whose features L_rp and L_bp compare.
        adversarial_form: the paper's is ``log``.
        gradient_clip: largest norm of a gradient; null for no limit.
    """

    def __init__(
        self,
        landmark_checkpoint: Path = Path("runs/landmark_transform/checkpoints/last.ckpt"),
        reenact_checkpoint: Path = Path("runs/reenact/checkpoints/last.ckpt"),
        background_checkpoint: Path = Path("runs/background_mix/checkpoints/last.ckpt"),
        learning_rate: float = 1e-4,
        betas: tuple[float, float] = (0.5, 0.999),
        landmark_weight: float = 1.0,
        reenact_weight: float = 1.0,
        background_weight: float = 1.0,
        adversarial_weight: float = 1.0,
        perceptual_network: PerceptualNetwork = "vgg19",
        adversarial_form: AdversarialForm = "log",
        gradient_clip: float | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(
            {
                "learning_rate": learning_rate,
                "betas": betas,
                "landmark_weight": landmark_weight,
                "reenact_weight": reenact_weight,
                "background_weight": background_weight,
                "adversarial_weight": adversarial_weight,
                "adversarial_form": adversarial_form,
                "gradient_clip": gradient_clip,
            }
        )
        landmark = StageCheckpoint(landmark_checkpoint, "LandmarkTransformStage")
        reenact = StageCheckpoint(reenact_checkpoint, "ReenactStage")
        background = StageCheckpoint(background_checkpoint, "BackgroundMixStage")
        self._weights = (landmark.hyperparameters, reenact.hyperparameters, background.hyperparameters)

        self.model = FaceGAN(
            FaceGANConfig(
                sigma=reenact.config["sigma"],
                landmark_transformer=landmark.config,
                reenactor=reenact.config["network"],
                background_mixer=background.config["network"],
            )
        )
        self.regressor = ActionUnitRegressor(**landmark.config)
        self.face_discriminator = MultiScaleDiscriminator(3, **reenact.config["discriminator"])
        self.picture_discriminator = MultiScaleDiscriminator(3, **background.config["discriminator"])
        for network, checkpoint, name in (
            (self.model.landmark_transformer, landmark, "transformer"),
            (self.regressor, landmark, "regressor"),
            (self.model.reenactor, reenact, "reenactor"),
            (self.face_discriminator, reenact, "discriminator"),
            (self.model.background_mixer, background, "mixer"),
            (self.picture_discriminator, background, "discriminator"),
        ):
            network.load_state_dict(checkpoint.weights(name))
        self.perceptual = PerceptualLoss(perceptual_network)

    def setup(self, stage: str) -> None:
        """The model remembers the size of the pictures that it was trained with."""
        size = self.trainer.datamodule.size  # type: ignore[attr-defined]
        self.model.config = replace(self.model.config, size=size)

    def network_config(self) -> dict[str, Any]:
        """The whole model's configuration."""
        return asdict(self.model.config)

    def generators(self) -> Iterable[nn.Module]:
        """L_T, G_r and G_b, and L_a beside them."""
        return [self.model, self.regressor]

    def discriminators(self) -> dict[str, nn.Module]:
        """D_r1..3 and D_b1..3."""
        return {"face": self.face_discriminator, "picture": self.picture_discriminator}

    def generate(self, pair: Pair) -> Reenactment:
        """The whole way from source and motion to the picture."""
        made: Reenactment = self.model(
            pair["source"],
            pair["source_landmarks"],
            pair["driving_motion"],
            cut_background(pair["source"], pair["source_segmentation"]),
        )
        return made

    def judged(self, made: Reenactment, pair: Pair) -> dict[str, tuple[Tensor, Tensor]]:
        """I'_fr against F_d, I_r against I_d."""
        return {
            "face": (made.head, cut_head(pair["driving"], pair["driving_segmentation"])),
            "picture": (made.result, pair["driving"]),
        }

    def terms(self, made: Reenactment, pair: Pair) -> dict[str, Tensor]:
        """The terms of L_l, L_r and L_b."""
        landmark, reenact, background = self._weights
        parts = {
            "landmark": landmark_terms(self.regressor, pair, made.landmarks, landmark),
            "reenact": reenactment_terms(made.head, made.segmentation, pair, self.perceptual, reenact),
            "background": mixing_terms(made.result, made.mask, pair, self.perceptual, background),
        }
        return {
            f"{part}_{name}": self.hparams[f"{part}_weight"] * value
            for part, terms in parts.items()
            for name, value in terms.items()
        }

    def measure(self, pair: Pair) -> dict[str, Tensor]:
        """Error of I_r against I_d, beside that of the source as it is."""
        made = self.generate(pair)
        truth = pair["driving"]
        return {
            "mse": mean_square(made.result, truth),
            "mse_of_source": mean_square(pair["source"], truth),
            "perceptual": self.perceptual(made.result, truth),
            "perceptual_of_source": self.perceptual(pair["source"], truth),
            "landmark_error": landmark_error(made.landmarks, pair["driving_landmarks"]),
            "head_iou": head_iou(made.segmentation, pair["driving_segmentation"]),
        }

    def panels(self, pair: Pair) -> dict[str, Tensor]:
        """Source, landmarks, I_fr, S_fr, I_b, M, I_r, truth."""
        made = self.generate(pair)
        return {
            "source": pair["source"],
            "landmarks": made.heatmap.clamp(0, 1) * 2 - 1,
            "face": made.face,
            "segmentation": label_colours(made.segmentation.argmax(dim=1)),
            "background": cut_background(pair["source"], pair["source_segmentation"]),
            "mask": made.mask * 2 - 1,
            "result": made.result,
            "truth": pair["driving"],
        }
