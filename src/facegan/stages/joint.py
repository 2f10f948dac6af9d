"""Joint stage: all networks end to end, from landmarks and motion to the picture."""

from __future__ import annotations

from dataclasses import asdict, replace
from inspect import signature
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from facegan.data import FacePair
from facegan.metrics import landmark_error
from facegan.networks import (
    ActionUnitRegressor,
    FaceGAN,
    FaceGANConfig,
    MultiScaleDiscriminator,
    Reenactment,
)
from facegan.networks.compositing import mask_background, mask_head
from facegan.stages.background_mix import BackgroundMixStage, mixing_measures, mixing_terms
from facegan.stages.base_stage import Stage, plain
from facegan.stages.callbacks.image_logger import label_colors
from facegan.stages.checkpoints import StageCheckpoint
from facegan.stages.config import AdversarialConfig, OptimizerConfig
from facegan.stages.gan_stage import GANStage
from facegan.stages.landmark_transform import LandmarkTransformStage, landmark_terms
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.perceptual_loss import PerceptualLoss, PerceptualNetwork
from facegan.stages.reenact import ReenactStage, reenactment_terms, require_size
from facegan.stages.validation_metrics import Measured, masked_mse, overlap


class JointData(FacePairDataModule):
    """Everything of pairs: pictures, segmentations, landmarks, motion."""


class JointStage(GANStage):
    """Trains L_T, G_r and G_b together with the sum of L_l, L_r and L_b.

    The gradient of the picture losses reaches L_T through the drawn Gaussians. The terms within L_l,
    L_r and L_b keep the weights that their stages were trained with; the paper fixes none.

    Args:
        landmark_checkpoint: of stage 1; not read without ``transform_landmarks``.
        reenact_checkpoint: of stage 2.
        background_checkpoint: of stage 3.
        transform_landmarks: false is the paper's ablation without L_T (Table 1): the driver's own
            landmarks are drawn, and L_l is left out.
        landmark_weight: of L_l in the sum (open); landmark errors are thousandths, those of pictures tenths.
        reenact_weight: of L_r, its adversarial term apart (open).
        background_weight: of L_b, its adversarial term apart (open).
        perceptual_network: whose features L_rp and L_bp compare.
        adversarial: weight of both adversarial terms, and their form.
        optimizer: how the weights are moved.
    """

    result_panel = "result I_r"
    network: FaceGAN

    def __init__(
        self,
        landmark_checkpoint: Path = Path("runs/landmark_transform/checkpoints/last.ckpt"),
        reenact_checkpoint: Path = Path("runs/reenact/checkpoints/last.ckpt"),
        background_checkpoint: Path = Path("runs/background_mix/checkpoints/last.ckpt"),
        transform_landmarks: bool = True,
        landmark_weight: float = 100.0,
        reenact_weight: float = 1.0,
        background_weight: float = 1.0,
        perceptual_network: PerceptualNetwork = "vgg19",
        adversarial: AdversarialConfig = AdversarialConfig(),
        optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-4),
    ) -> None:
        super().__init__()
        self.save_hyperparameters(plain(locals()))
        self.adversarial, self.optimizer = adversarial, optimizer
        self.answers_motion = transform_landmarks
        reenact = StageCheckpoint(reenact_checkpoint, "ReenactStage")
        background = StageCheckpoint(background_checkpoint, "BackgroundMixStage")
        landmark = (
            StageCheckpoint(landmark_checkpoint, "LandmarkTransformStage") if transform_landmarks else None
        )
        self._weights = (
            _settings(LandmarkTransformStage, landmark) if landmark else {},
            _settings(ReenactStage, reenact),
            _settings(BackgroundMixStage, background),
        )
        self.network = FaceGAN(
            FaceGANConfig(
                sigma=reenact.config["sigma"],
                transform_landmarks=transform_landmarks,
                landmark_transformer=landmark.config if landmark else {},
                reenactor=reenact.config["generator"],
                background_mixer=background.config["generator"],
            )
        )
        self.face_discriminator = MultiScaleDiscriminator(3, **reenact.config["discriminator"])
        self.picture_discriminator = MultiScaleDiscriminator(3, **background.config["discriminator"])
        self.network.reenactor.load_state_dict(reenact.weights("network"))
        self.face_discriminator.load_state_dict(reenact.weights("discriminator"))
        self.network.background_mixer.load_state_dict(background.weights("network"))
        self.picture_discriminator.load_state_dict(background.weights("discriminator"))
        self.regressor: ActionUnitRegressor | None = None
        if landmark is not None and self.network.landmark_transformer is not None:
            self.network.landmark_transformer.load_state_dict(landmark.weights("network"))
            self.regressor = ActionUnitRegressor(**landmark.config)
            self.regressor.load_state_dict(landmark.weights("regressor"))
        self.perceptual = PerceptualLoss(perceptual_network)

    def setup(self, stage: str) -> None:
        """The model remembers the size of the pictures that it was trained with."""
        size = self.trainer.datamodule.size  # type: ignore[attr-defined]
        self.network.config = replace(self.network.config, size=size)
        super().setup(stage)
        require_size(self.trainer, self.network.reenactor.multiple)
        require_size(self.trainer, self.network.background_mixer.multiple)

    def network_config(self) -> dict[str, Any]:
        """The whole model's configuration."""
        return asdict(self.network.config)

    def sides(self) -> dict[str, list[nn.Module]]:
        """L_T, G_r and G_b with L_a beside them; D_r1..3 and D_b1..3."""
        sides = super().sides()
        if self.regressor is not None:
            sides["generator"].append(self.regressor)
        return sides

    def discriminators(self) -> dict[str, nn.Module]:
        """D_r1..3 and D_b1..3."""
        return {"face": self.face_discriminator, "picture": self.picture_discriminator}

    def generate(self, pair: FacePair) -> Reenactment:
        """The whole way from source and motion to the picture."""
        made: Reenactment = self.in_use(
            pair.source_image,
            pair.source_landmarks,
            pair.driving_motion,
            mask_background(pair.background_image, pair.background_segmentation),
            landmarks=None if self.hparams["transform_landmarks"] else pair.driving_landmarks,
        )
        return made

    def judged(self, made: Reenactment, pair: FacePair) -> dict[str, tuple[Tensor, Tensor]]:
        """I'_fr against F_d, I_r against I_d."""
        return {
            "face": (made.head, mask_head(pair.driving_image, pair.driving_segmentation)),
            "picture": (made.result, pair.driving_image),
        }

    def terms(self, made: Reenactment, pair: FacePair) -> dict[str, Tensor]:
        """The terms of L_l, L_r and L_b."""
        landmark, reenact, background = self._weights
        parts = {
            "reenact": reenactment_terms(made.head, made.segmentation, pair, self.perceptual, reenact),
            "background": mixing_terms(made, pair, self.perceptual, background),
        }
        if self.regressor is not None:
            parts["landmark"] = landmark_terms(self.regressor, pair, made.landmarks, landmark)
        return {
            f"{part}_{name}": self.hparams[f"{part}_weight"] * value
            for part, terms in parts.items()
            for name, value in terms.items()
        }

    def measure(self, pair: FacePair) -> Measured:
        """Error of I_r against I_d, beside that of the source as it is; the parts' own measures."""
        made = self.generate(pair)
        truth = pair.driving_image
        return {
            "mse": masked_mse(made.result, truth),
            "mse_of_source": masked_mse(pair.source_image, truth),
            "perceptual": self.perceptual.distances(made.result, truth),
            "perceptual_of_source": self.perceptual.distances(pair.source_image, truth),
            "landmark_error": landmark_error(made.landmarks, pair.driving_landmarks),
            "landmark_error_of_source": landmark_error(pair.source_landmarks, pair.driving_landmarks),
            **overlap(made.segmentation, pair.driving_segmentation),
            **mixing_measures(made.result, made.mask, pair),
        }

    def panels(self, pair: FacePair) -> dict[str, Tensor]:
        """Source, driver, landmarks, I_fr, S_fr, I_b, M, I_r, truth."""
        made = self.generate(pair)
        return {
            "source I_s": pair.source_image,
            "driver I_d": pair.driving_image,
            "landmarks H_t": made.heatmap.clamp(0, 1) * 2 - 1,
            "face I_fr": made.face,
            "segmentation S_fr": label_colors(made.segmentation.argmax(dim=1)),
            "background I_b": mask_background(pair.background_image, pair.background_segmentation),
            "mask M": made.mask * 2 - 1,
            self.result_panel: made.result,
            "truth I_d": pair.driving_image,
        }


def _settings(stage: type[Stage], checkpoint: StageCheckpoint) -> dict[str, Any]:
    """A trained stage's arguments; those that the stage has gained since have their defaults."""
    defaults = {name: argument.default for name, argument in signature(stage).parameters.items()}
    return defaults | checkpoint.hyperparameters
