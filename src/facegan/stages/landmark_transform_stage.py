"""Stage 1: the landmark transformer L_T, with the action-unit regressor L_a beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from facegan import losses
from facegan.geometry.landmarks import draw_gaussians
from facegan.metrics import landmark_error
from facegan.networks import ActionUnitRegressor, LandmarkTransformer
from facegan.stages.base_stage import BaseStage
from facegan.stages.config import LossWeights, OptimizerConfig, as_hyperparameters
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.validation_metrics import MetricValues

if TYPE_CHECKING:
    from facegan.data import FacePair


class LandmarkTransformData(FacePairDataModule):
    """Landmarks and motion of pairs; no image is decoded.

    Args:
        root: folder that ``facegan prepare`` wrote, or its address, or a list of them.
        batch_size: pairs per step and device (the paper's is 32).
        workers: loader processes; landmarks and motion are in memory, so none is needed.
        validation_pairs: number of validation pairs, evenly spaced over the data.
        flip: probability of flipping a training pair horizontally.
        min_time_gap_s: smallest time between source and driving frame of a training pair in seconds.
        min_pose_change_deg: smallest change of head pose between them in degrees.
        motion_balancing: 0..1, from uniform sampling of driving frames to equal frequencies of motion.
    """

    roles = ()

    def __init__(
        self,
        root: str | list[str],
        batch_size: int = 32,
        workers: int = 0,
        validation_pairs: int = 2000,
        flip: float = 0.5,
        min_time_gap_s: float = 0.0,
        min_pose_change_deg: float = 0.0,
        motion_balancing: float = 0.0,
    ) -> None:
        super().__init__(
            root,
            batch_size=batch_size,
            workers=workers,
            validation_pairs=validation_pairs,
            flip=flip,
            color=0,
            min_time_gap_s=min_time_gap_s,
            min_pose_change_deg=min_pose_change_deg,
            motion_balancing=motion_balancing,
        )


@dataclass(frozen=True)
class LandmarkLossWeights(LossWeights):
    """Weights of L_l's terms, all open in the paper.

    Args:
        reconstruction: λ_l1.
        displacement: λ_lr, of ‖Δ‖₂ within L_lr.
        action_unit: λ_l2.
        connectivity: λ_l3.
    """

    reconstruction: float = 1.0
    displacement: float = 1e-3
    action_unit: float = 0.03
    connectivity: float = 1.0


class LandmarkTransformStage(BaseStage):
    """Trains L_T with L_l = λ_l1 L_lr + λ_l2 L_lau + λ_l3 L_lc.

    The paper fixes the losses, the learning rate and the batch; every weight, depth and width is open.

    Args:
        width: units of a hidden layer of both networks (open).
        layers: hidden layers of both networks (open).
        loss_weights: λ_l1..3 and λ_lr.
        connectivity_reference: L_lc compares l_t with the driving landmarks (the paper's formula) or with
            the source's (the sentence before it).
        optimizer: optimizer, learning-rate schedule and averaging.
    """

    result_title = "transformed l_t"
    monitor = "landmark_error"
    is_motion_conditioned = True
    network: LandmarkTransformer

    def __init__(
        self,
        width: int = 256,
        layers: int = 3,
        loss_weights: LandmarkLossWeights = LandmarkLossWeights(),
        connectivity_reference: Literal["driving", "source"] = "driving",
        optimizer: OptimizerConfig = OptimizerConfig(betas=(0.9, 0.999), ema_halflife=22_000),
    ) -> None:
        super().__init__()
        self.save_hyperparameters(as_hyperparameters(locals()))
        self.loss_weights, self.optimizer = loss_weights, optimizer
        self.network = LandmarkTransformer(width, layers)
        self.regressor = ActionUnitRegressor(width, layers)

    def network_config(self) -> dict[str, Any]:
        """Return width and layers."""
        return {"width": self.hparams["width"], "layers": self.hparams["layers"]}

    def setup(self, stage: str) -> None:
        """Fit the networks' input normalizers to the training data."""
        if stage == "fit":
            crops = self.trainer.datamodule.train.crops  # type: ignore[attr-defined]
            landmarks = torch.from_numpy(crops.landmarks)
            self.network.fit_normalizers(landmarks, torch.from_numpy(crops.motion))
            self.regressor.fit_normalizers(landmarks)
        super().setup(stage)

    def trained_networks(self) -> dict[str, list[nn.Module]]:
        """Return L_T and L_a."""
        return {"generator": [self.network, self.regressor]}

    def forward(self, pair: FacePair) -> Tensor:
        """Compute l_t, N×68×2."""
        landmarks: Tensor = self.inference_network(pair.source_landmarks, pair.driving_motion)
        return landmarks

    def generator_losses(self, pair: FacePair, output: Tensor) -> dict[str, Tensor]:
        """Compute the weighted terms of L_l."""
        source, driving = pair.source_landmarks, pair.driving_landmarks
        reference = driving if self.hparams["connectivity_reference"] == "driving" else source
        displacement = losses.displacement_loss(output - source)
        action_unit = losses.action_unit_loss(
            self.regressor(output), self.regressor(driving), pair.driving_motion
        )
        weights = self.loss_weights
        return {
            "landmark": weights.reconstruction * losses.landmark_reconstruction_loss(output, driving),
            "displacement": weights.reconstruction * weights.displacement * displacement,
            "action_unit": weights.action_unit * action_unit,
            "connectivity": weights.connectivity * losses.landmark_connectivity_loss(output, reference),
        }

    def compute_metrics(self, pair: FacePair) -> MetricValues:
        """Compute the distances of l_t and of the source's landmarks from l_d; the error of L_a."""
        target = pair.driving_landmarks
        return {
            "landmark_error": landmark_error(self(pair), target),
            "landmark_error/copy_source": landmark_error(pair.source_landmarks, target),
            "action_unit_error": (self.regressor(target) - pair.driving_motion).abs().mean(dim=1),
        }

    def visualize(self, pair: FacePair) -> dict[str, Tensor]:
        """Return the source's, the driving and the transformed landmarks as heat maps."""
        landmarks = {
            "source l_s": pair.source_landmarks,
            "driving l_d": pair.driving_landmarks,
            self.result_title: self(pair),
        }
        return {title: draw_gaussians(points, 192).clamp(0, 1) * 2 - 1 for title, points in landmarks.items()}
