"""Joint stage: the three stages end to end, from landmarks and motion to the image."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from facegan.errors import InputError
from facegan.metrics import landmark_error
from facegan.networks import FaceGANConfig, Reenactment
from facegan.networks.compositing import head_probability, mask_background
from facegan.stages.background_mix_stage import BackgroundMixStage, background_mix_metrics
from facegan.stages.base_stage import BaseStage
from facegan.stages.checkpoints import CONFIG_KEY, StageCheckpoint
from facegan.stages.config import (
    AdversarialConfig,
    LossWeights,
    OptimizerConfig,
    as_hyperparameters,
    typed_arguments,
)
from facegan.stages.gan_stage import GANStage, require_size
from facegan.stages.landmark_transform_stage import LandmarkTransformStage
from facegan.stages.optimized_module import OptimizedModule
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.perceptual_loss import PerceptualLoss, PerceptualNetwork
from facegan.stages.protocol_metrics import ProtocolImages
from facegan.stages.reenact_stage import ReenactStage, colorize_segmentation
from facegan.stages.validation_metrics import MetricValues, masked_mse, mean_iou

if TYPE_CHECKING:
    from torch import Tensor, nn

    from facegan.data import FacePair


class JointData(FacePairDataModule):
    """Images, segmentations, landmarks and motion of pairs."""

    protocols = ("self", "cross", "lsim")


@dataclass(frozen=True)
class JointLossWeights(LossWeights):
    """Weights of the stages' losses in the sum, the adversarial terms apart; all open in the paper.

    Args:
        landmark: of L_l; landmark losses are about 0.001, image losses 0.1.
        reenact: of L_r.
        background: of L_b.
    """

    landmark: float = 100.0
    reenact: float = 1.0
    background: float = 1.0


class JointStage(BaseStage):
    """Trains L_T, G_r and G_b together with the sum of L_l, L_r and L_b.

    Wraps the three stages. The gradient of the image losses reaches L_T through the heat map. The terms
    within L_l, L_r and L_b keep the weights that their stages were trained with; the paper fixes none.
    A new fit starts from the checkpoints of the three stages; a checkpoint of this stage contains all that is
    needed to resume, validate, test, predict and bundle; in Python by
    ``trainer.fit(JointStage.load_from_checkpoint(path), data, ckpt_path=path)``.

    Args:
        landmark_checkpoint: of stage 1; not read without ``transform_landmarks``.
        reenact_checkpoint: of stage 2.
        background_checkpoint: of stage 3.
        transform_landmarks: false is the paper's ablation without L_T (Table 1): the driving frame's
            landmarks are used, and L_l is left out.
        loss_weights: of L_l, L_r and L_b in the sum.
        perceptual_network: network of L_rp and L_bp.
        adversarial: weight of both adversarial terms, and their form.
        optimizer: optimizer, learning-rate schedule and averaging.
        protocol_interval: epochs between two validations with CSIM, PSIM, ED and LSIM.

    Attributes:
        landmark_transform: stage 1; None without ``transform_landmarks``, and before ``setup``.
        reenact: stage 2, from ``setup`` on.
        background_mix: stage 3, from ``setup`` on.
    """

    result_title = "result I_r"
    excluded_from_checkpoint: ClassVar[tuple[str, ...]] = (
        "reenact.perceptual.",
        "background_mix.perceptual.",
    )
    landmark_transform: LandmarkTransformStage | None
    reenact: ReenactStage
    background_mix: BackgroundMixStage

    def __init__(
        self,
        landmark_checkpoint: Path = Path("runs/landmark_transform/checkpoints/last.ckpt"),
        reenact_checkpoint: Path = Path("runs/reenact/checkpoints/last.ckpt"),
        background_checkpoint: Path = Path("runs/background_mix/checkpoints/last.ckpt"),
        transform_landmarks: bool = True,
        loss_weights: JointLossWeights = JointLossWeights(),
        perceptual_network: PerceptualNetwork = "vgg19",
        adversarial: AdversarialConfig = AdversarialConfig(),
        optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-4),
        protocol_interval: int = 1,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(as_hyperparameters(locals()))
        self.loss_weights, self.adversarial, self.optimizer = loss_weights, adversarial, optimizer
        self.protocol_interval = protocol_interval
        self.is_motion_conditioned = transform_landmarks
        self.size: int | None = None
        for part in ("landmark_transform", "reenact", "background_mix"):
            self.register_module(part, None)

    # The three stages

    def setup(self, stage: str) -> None:
        """Build the three stages, from the checkpoint that is resumed or from their own."""
        self.size = self.trainer.datamodule.size  # type: ignore[attr-defined]
        if not self.stages():
            if self.trainer.ckpt_path:
                resumed = StageCheckpoint(self.trainer.ckpt_path, type(self).__name__)
                self._build(resumed.config["stages"])
            else:
                self._start()
        perceptual = PerceptualLoss(self.hparams["perceptual_network"])
        for part in (self.reenact, self.background_mix):
            part.perceptual = perceptual
            require_size(self.trainer, part.network.multiple)
        super().setup(stage)

    def stages(self) -> dict[str, BaseStage]:
        """Return the wrapped stages by the names of their weights; empty before ``setup``."""
        parts = {"landmark": "landmark_transform", "reenact": "reenact", "background": "background_mix"}
        found = {part: getattr(self, name) for part, name in parts.items()}
        return {part: stage for part, stage in found.items() if stage is not None}

    def _start(self) -> None:
        """Build the stages from their own checkpoints, with their weights."""
        paths = {
            "landmark_transform": ("landmark_checkpoint", LandmarkTransformStage),
            "reenact": ("reenact_checkpoint", ReenactStage),
            "background_mix": ("background_checkpoint", BackgroundMixStage),
        }
        if not self.hparams["transform_landmarks"]:
            del paths["landmark_transform"]
        trained = {
            name: StageCheckpoint(self.hparams[path], stage.__name__) for name, (path, stage) in paths.items()
        }
        self._build({name: checkpoint.hyperparameters for name, checkpoint in trained.items()})
        for name, checkpoint in trained.items():
            stage = getattr(self, name)
            for network, module in stage.named_children():
                module.load_state_dict(checkpoint.weights(network))

    def _build(self, arguments: dict[str, dict[str, Any]]) -> None:
        if ("landmark_transform" in arguments) != self.hparams["transform_landmarks"]:
            msg = (
                f"transform_landmarks is {self.hparams['transform_landmarks']}, but the checkpoint is of a "
                "run with the other value: use the same"
            )
            raise InputError(msg)
        if "landmark_transform" in arguments:
            self.landmark_transform = LandmarkTransformStage(
                **typed_arguments(LandmarkTransformStage, arguments["landmark_transform"])
            )
        whole = {"global_checkpoint": None}
        self.reenact = ReenactStage(**typed_arguments(ReenactStage, arguments["reenact"] | whole))
        frozen = {"head": "truth", "reenact_checkpoint": None}
        self.background_mix = BackgroundMixStage(
            **typed_arguments(BackgroundMixStage, arguments["background_mix"] | frozen)
        )
        self.reenact.adversarial = self.background_mix.adversarial = self.adversarial

    def averaged_modules(self) -> list[OptimizedModule]:
        """Return the wrapped stages."""
        return list(self.stages().values())

    def trained_networks(self) -> dict[str, list[nn.Module]]:
        """Return L_T, L_a, G_r and G_b; D_r1..3 and D_b1..3."""
        networks: dict[str, list[nn.Module]] = {"generator": [], "discriminator": []}
        for stage in self.stages().values():
            for side, members in stage.trained_networks().items():
                networks[side] += members
        return networks

    def network_config(self) -> dict[str, Any]:
        """Return the configuration of the whole model, and the arguments of the three stages."""
        landmark, reenact, background = self.landmark_transform, self.reenact, self.background_mix
        model = FaceGANConfig(
            sigma=reenact.hparams["sigma"],
            transform_landmarks=landmark is not None,
            landmark_transformer=landmark.network_config() if landmark else {},
            reenactor=reenact.hparams["generator"],
            background_mixer=background.hparams["generator"],
            **({"size": self.size} if self.size else {}),
        )
        stages: dict[str, BaseStage] = {"reenact": reenact, "background_mix": background}
        if landmark is not None:
            stages["landmark_transform"] = landmark
        return {"model": asdict(model), "stages": {name: dict(one.hparams) for name, one in stages.items()}}

    # Training

    def forward(self, pair: FacePair) -> Reenactment:
        """Reenact the source by the driving motion."""
        transform = self.landmark_transform
        landmarks = pair.driving_landmarks if transform is None else transform(pair)
        reenacted = self.reenact.reenact(pair, landmarks)
        background = mask_background(pair.background_image, pair.background_segmentation)
        alpha = head_probability(reenacted.segmentation)
        return Reenactment(landmarks, *reenacted, *self.background_mix.mix(reenacted.head, background, alpha))

    def losses(self, pair: FacePair, output: Reenactment) -> dict[str, Tensor]:
        """Compute the weighted sum of L_l, L_r and L_b."""
        values = {}
        for part, stage in self.stages().items():
            weight = getattr(self.loss_weights, part)
            own = output.landmarks if part == "landmark" else output
            for name, value in stage.generator_losses(pair, own).items():
                values[f"generator/{part}/{name}"] = weight * value
        adversarial: dict[str, GANStage] = {"reenact": self.reenact, "background": self.background_mix}
        for part, gan_stage in adversarial.items():
            for name, value in gan_stage.adversarial_losses(pair, output).items():
                side, _, term = name.partition("/")
                values[f"{side}/{part}/{term}"] = value
        return values

    # Validation

    def compute_metrics(self, pair: FacePair) -> MetricValues:
        """Compute the errors of I_r and the source against I_d; the metrics of the single stages."""
        output: Reenactment = self(pair)
        target, perceptual = pair.driving_image, self.reenact.perceptual
        return {
            "mse": masked_mse(output.result, target),
            "mse/copy_source": masked_mse(pair.source_image, target),
            "perceptual": perceptual.distances(output.result, target),
            "perceptual/copy_source": perceptual.distances(pair.source_image, target),
            "landmark_error": landmark_error(output.landmarks, pair.driving_landmarks),
            "landmark_error/copy_source": landmark_error(pair.source_landmarks, pair.driving_landmarks),
            **mean_iou(output.segmentation, pair.driving_segmentation),
            **background_mix_metrics(output.result, output.mask, pair),
        }

    def protocol_images(self, pair: FacePair, output: Reenactment) -> ProtocolImages:
        """Return I_r, source and driving frame."""
        return ProtocolImages(output.result, pair.source_image, pair.driving_image)

    def visualize(self, pair: FacePair) -> dict[str, Tensor]:
        """Return source, driving frame, landmarks, I_fr, S_fr, I_b, M, I_r, target."""
        output: Reenactment = self(pair)
        return {
            "source I_s": pair.source_image,
            "driving I_d": pair.driving_image,
            "landmarks H_t": output.heatmap.clamp(0, 1) * 2 - 1,
            "face I_fr": output.face,
            "segmentation S_fr": colorize_segmentation(output.segmentation.argmax(dim=1)),
            "background I_b": mask_background(pair.background_image, pair.background_segmentation),
            "mask M": output.mask * 2 - 1,
            self.result_title: output.result,
            "target I_d": pair.driving_image,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Build the stages that the checkpoint has, if none are there; then as other stages."""
        if not self.stages():
            self._build(checkpoint[CONFIG_KEY]["stages"])
        super().on_load_checkpoint(checkpoint)
