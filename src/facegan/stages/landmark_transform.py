"""Stage 1: the landmark transformer L_T, with the action-unit regressor L_a beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from facegan import losses
from facegan.geometry.landmarks import draw_gaussians
from facegan.metrics import landmark_error
from facegan.networks import ActionUnitRegressor, LandmarkTransformer
from facegan.stages.base_stage import Stage, plain
from facegan.stages.config import OptimizerConfig
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.validation_metrics import Measured

if TYPE_CHECKING:
    from facegan.data import FacePair


class LandmarkTransformData(FacePairDataModule):
    """Landmarks and motion of pairs; no picture is decoded.

    Args:
        root: folder that ``facegan prepare`` wrote, or the address of one, or a list of them.
        batch_size: pairs a step and device (the paper's is 32).
        workers: processes that read; the numbers are in memory, so none is needed.
        validation_pairs: how many pairs are validated, evenly over the data.
        flip: probability of mirroring a training pair.
        min_time_gap_s: seconds that source and driver of a training pair are apart at least.
        min_pose_change_deg: degrees that the head turns between them at least.
        balance: 0..1, how far rare motion drives as often as common.
    """

    load_images = False

    def __init__(
        self,
        root: str | list[str],
        batch_size: int = 32,
        workers: int = 0,
        validation_pairs: int = 2000,
        flip: float = 0.5,
        min_time_gap_s: float = 0.0,
        min_pose_change_deg: float = 0.0,
        balance: float = 0.0,
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
            balance=balance,
        )


class LandmarkTransformStage(Stage):
    """Trains L_T with L_l = λ_l1 L_lr + λ_l2 L_lau + λ_l3 L_lc.

    The paper fixes the losses, the learning rate and the batch; every weight, depth and width is open.

    Args:
        width: units of a hidden layer of both networks (open).
        layers: hidden layers of both networks (open).
        reconstruction_weight: λ_l1 (open).
        displacement_weight: λ_lr, of ‖Δ‖₂ within L_lr (open).
        action_unit_weight: λ_l2 (open).
        connectivity_weight: λ_l3 (open).
        connectivity_reference: L_lc compares l_t with the driver's landmarks (the paper's formula) or
            with the source's (the sentence before it).
        optimizer: how the weights are moved.
    """

    result_panel = "transformed l_t"
    watched = "landmark_error"
    answers_motion = True
    network: LandmarkTransformer

    def __init__(
        self,
        width: int = 256,
        layers: int = 3,
        reconstruction_weight: float = 1.0,
        displacement_weight: float = 1e-3,
        action_unit_weight: float = 0.03,
        connectivity_weight: float = 1.0,
        connectivity_reference: Literal["driving", "source"] = "driving",
        optimizer: OptimizerConfig = OptimizerConfig(betas=(0.9, 0.999), ema_halflife=22_000),
    ) -> None:
        super().__init__()
        self.save_hyperparameters(plain(locals()))
        self.optimizer = optimizer
        self.network = LandmarkTransformer(width, layers)
        self.regressor = ActionUnitRegressor(width, layers)

    def network_config(self) -> dict[str, Any]:
        """Width and layers."""
        return {"width": self.hparams["width"], "layers": self.hparams["layers"]}

    def setup(self, stage: str) -> None:
        """Standardises the networks' inputs by the training data."""
        if stage == "fit":
            crops = self.trainer.datamodule.train.crops  # type: ignore[attr-defined]
            points, shown = torch.from_numpy(crops.landmarks), torch.from_numpy(crops.motion)
            self.network.standardize(points, shown)
            self.regressor.standardize(points)
        super().setup(stage)

    def sides(self) -> dict[str, list[nn.Module]]:
        """L_T and L_a."""
        return {"generator": [self.network, self.regressor]}

    def forward(self, pair: FacePair) -> Tensor:
        """l_t, N×68×2."""
        moved: Tensor = self.in_use(pair.source_landmarks, pair.driving_motion)
        return moved

    def objectives(self, pair: FacePair) -> dict[str, dict[str, Tensor]]:
        """The terms of L_l."""
        return {"generator": landmark_terms(self.regressor, pair, self(pair), self.hparams)}

    def measure(self, pair: FacePair) -> Measured:
        """Distance of l_t from l_d, beside that of the unmoved source; error of L_a."""
        truth = pair.driving_landmarks
        return {
            "landmark_error": landmark_error(self(pair), truth),
            "landmark_error_of_source": landmark_error(pair.source_landmarks, truth),
            "action_unit_error": (self.regressor(truth) - pair.driving_motion).abs().mean(dim=1),
        }

    def panels(self, pair: FacePair) -> dict[str, Tensor]:
        """The source's landmarks, the transformed ones, the driver's."""
        drawn = {
            "source l_s": pair.source_landmarks,
            "driver l_d": pair.driving_landmarks,
            self.result_panel: self(pair),
        }
        return {title: draw_gaussians(points, 192).clamp(0, 1) * 2 - 1 for title, points in drawn.items()}


def landmark_terms(
    regressor: ActionUnitRegressor,
    pair: FacePair,
    transformed: Tensor,
    weights: Any,
) -> dict[str, Tensor]:
    """The weighted terms of L_l.

    Args:
        regressor: L_a.
        pair: a batch.
        transformed: l_t of that batch, N×68×2.
        weights: mapping with the arguments of :class:`LandmarkTransformStage`.
    """
    source, driving = pair.source_landmarks, pair.driving_landmarks
    motion = pair.driving_motion
    reference = driving if weights["connectivity_reference"] == "driving" else source
    return {
        "landmark": weights["reconstruction_weight"] * losses.landmark_reconstruction(transformed, driving),
        "movement": weights["reconstruction_weight"]
        * weights["displacement_weight"]
        * losses.displacement_norm(transformed - source),
        "action_unit": weights["action_unit_weight"]
        * losses.action_unit_consistency(regressor(transformed), regressor(driving), motion),
        "connectivity": weights["connectivity_weight"] * losses.connectivity(transformed, reference),
    }
