"""Joint stage: all networks end to end, from landmarks and motion to the image."""

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
from facegan.stages.background_mix_stage import (
    BackgroundMixStage,
    background_mix_losses,
    background_mix_metrics,
)
from facegan.stages.base_stage import BaseStage, as_hyperparameters
from facegan.stages.checkpoints import StageCheckpoint
from facegan.stages.config import AdversarialConfig, OptimizerConfig
from facegan.stages.gan_stage import GANStage
from facegan.stages.landmark_transform_stage import LandmarkTransformStage, landmark_losses
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.perceptual_loss import PerceptualLoss, PerceptualNetwork
from facegan.stages.reenact_stage import (
    ReenactStage,
    colorize_segmentation,
    reenactment_losses,
    require_size,
)
from facegan.stages.validation_metrics import MetricValues, masked_mse, mean_iou


class JointData(FacePairDataModule):
    """Images, segmentations, landmarks and motion of pairs."""


class JointStage(GANStage):
    """Trains L_T, G_r and G_b together with the sum of L_l, L_r and L_b.

    The gradient of the image losses reaches L_T through the heat map. The terms within L_l,
    L_r and L_b keep the weights that their stages were trained with; the paper fixes none.

    Args:
        landmark_checkpoint: of stage 1; not read without ``transform_landmarks``.
        reenact_checkpoint: of stage 2.
        background_checkpoint: of stage 3.
        transform_landmarks: false is the paper's ablation without L_T (Table 1): the driving frame's
            landmarks are used, and L_l is left out.
        landmark_weight: of L_l in the sum (open); landmark losses are about 0.001, image
            losses 0.1.
        reenact_weight: of L_r, its adversarial term apart (open).
        background_weight: of L_b, its adversarial term apart (open).
        perceptual_network: network of L_rp and L_bp.
        adversarial: weight of both adversarial terms, and their form.
        optimizer: optimizer, learning-rate schedule and averaging.
    """

    result_title = "result I_r"
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
        self.save_hyperparameters(as_hyperparameters(locals()))
        self.adversarial, self.optimizer = adversarial, optimizer
        self.is_motion_conditioned = transform_landmarks
        reenact = StageCheckpoint(reenact_checkpoint, "ReenactStage")
        background = StageCheckpoint(background_checkpoint, "BackgroundMixStage")
        landmark = (
            StageCheckpoint(landmark_checkpoint, "LandmarkTransformStage") if transform_landmarks else None
        )
        self._weights = (
            _hyperparameters(LandmarkTransformStage, landmark) if landmark else {},
            _hyperparameters(ReenactStage, reenact),
            _hyperparameters(BackgroundMixStage, background),
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
        self.image_discriminator = MultiScaleDiscriminator(3, **background.config["discriminator"])
        self.network.reenactor.load_state_dict(reenact.weights("network"))
        self.face_discriminator.load_state_dict(reenact.weights("discriminator"))
        self.network.background_mixer.load_state_dict(background.weights("network"))
        self.image_discriminator.load_state_dict(background.weights("discriminator"))
        self.regressor: ActionUnitRegressor | None = None
        if landmark is not None and self.network.landmark_transformer is not None:
            self.network.landmark_transformer.load_state_dict(landmark.weights("network"))
            self.regressor = ActionUnitRegressor(**landmark.config)
            self.regressor.load_state_dict(landmark.weights("regressor"))
        self.perceptual = PerceptualLoss(perceptual_network)

    def setup(self, stage: str) -> None:
        """Set the model's image size to that of the data."""
        size = self.trainer.datamodule.size  # type: ignore[attr-defined]
        self.network.config = replace(self.network.config, size=size)
        super().setup(stage)
        require_size(self.trainer, self.network.reenactor.multiple)
        require_size(self.trainer, self.network.background_mixer.multiple)

    def network_config(self) -> dict[str, Any]:
        """Return the whole model's configuration."""
        return asdict(self.network.config)

    def optimizer_groups(self) -> dict[str, list[nn.Module]]:
        """Return L_T, G_r, G_b and L_a; D_r1..3 and D_b1..3."""
        groups = super().optimizer_groups()
        if self.regressor is not None:
            groups["generator"].append(self.regressor)
        return groups

    def discriminators(self) -> dict[str, nn.Module]:
        """Return D_r1..3 and D_b1..3."""
        return {"face": self.face_discriminator, "image": self.image_discriminator}

    def generate(self, pair: FacePair) -> Reenactment:
        """Reenact the source by the driving motion."""
        outputs: Reenactment = self.inference_network(
            pair.source_image,
            pair.source_landmarks,
            pair.driving_motion,
            mask_background(pair.background_image, pair.background_segmentation),
            landmarks=None if self.hparams["transform_landmarks"] else pair.driving_landmarks,
        )
        return outputs

    def discriminator_inputs(self, outputs: Reenactment, pair: FacePair) -> dict[str, tuple[Tensor, Tensor]]:
        """Return I'_fr and F_d, I_r and I_d."""
        return {
            "face": (outputs.head, mask_head(pair.driving_image, pair.driving_segmentation)),
            "image": (outputs.result, pair.driving_image),
        }

    def generator_losses(self, outputs: Reenactment, pair: FacePair) -> dict[str, Tensor]:
        """Compute the weighted terms of L_l, L_r and L_b."""
        landmark, reenact, background = self._weights
        parts = {
            "reenact": reenactment_losses(outputs.head, outputs.segmentation, pair, self.perceptual, reenact),
            "background": background_mix_losses(outputs, pair, self.perceptual, background),
        }
        if self.regressor is not None:
            parts["landmark"] = landmark_losses(self.regressor, pair, outputs.landmarks, landmark)
        return {
            f"{part}/{name}": self.hparams[f"{part}_weight"] * value
            for part, terms in parts.items()
            for name, value in terms.items()
        }

    def compute_metrics(self, pair: FacePair) -> MetricValues:
        """Compute the errors of I_r and the source against I_d; the metrics of the single stages."""
        outputs = self.generate(pair)
        target = pair.driving_image
        return {
            "mse": masked_mse(outputs.result, target),
            "mse/copy_source": masked_mse(pair.source_image, target),
            "perceptual": self.perceptual.distances(outputs.result, target),
            "perceptual/copy_source": self.perceptual.distances(pair.source_image, target),
            "landmark_error": landmark_error(outputs.landmarks, pair.driving_landmarks),
            "landmark_error/copy_source": landmark_error(pair.source_landmarks, pair.driving_landmarks),
            **mean_iou(outputs.segmentation, pair.driving_segmentation),
            **background_mix_metrics(outputs.result, outputs.mask, pair),
        }

    def visualize(self, pair: FacePair) -> dict[str, Tensor]:
        """Return source, driving frame, landmarks, I_fr, S_fr, I_b, M, I_r, target."""
        outputs = self.generate(pair)
        return {
            "source I_s": pair.source_image,
            "driving I_d": pair.driving_image,
            "landmarks H_t": outputs.heatmap.clamp(0, 1) * 2 - 1,
            "face I_fr": outputs.face,
            "segmentation S_fr": colorize_segmentation(outputs.segmentation.argmax(dim=1)),
            "background I_b": mask_background(pair.background_image, pair.background_segmentation),
            "mask M": outputs.mask * 2 - 1,
            self.result_title: outputs.result,
            "target I_d": pair.driving_image,
        }


def _hyperparameters(stage: type[BaseStage], checkpoint: StageCheckpoint) -> dict[str, Any]:
    """Return a trained stage's arguments, with defaults for those added since."""
    defaults = {name: argument.default for name, argument in signature(stage).parameters.items()}
    return defaults | checkpoint.hyperparameters
