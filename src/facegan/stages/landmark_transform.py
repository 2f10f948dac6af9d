"""Stage 1: the landmark transformer L_T, with the action-unit regressor L_a beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from facegan import losses
from facegan.landmarks import draw_gaussians
from facegan.networks import ActionUnitRegressor, LandmarkTransformer
from facegan.stages.pair_data import PairData
from facegan.stages.stage import Stage

if TYPE_CHECKING:
    from facegan.data import Pair


class LandmarkTransformData(PairData):
    """Landmarks and motion of pairs; no picture is decoded.

    Args:
        root: folder that ``facegan prepare`` wrote.
        batch_size: pairs a step and device (the paper's is 32).
        workers: processes that read; the numbers are in memory, so none is needed.
        validation_pairs: how many pairs are validated, evenly over the data.
        flip: probability of mirroring a training pair.
    """

    pictures = False

    def __init__(
        self,
        root: Path,
        batch_size: int = 32,
        workers: int = 0,
        validation_pairs: int = 2000,
        flip: float = 0.5,
    ) -> None:
        super().__init__(
            root,
            batch_size=batch_size,
            workers=workers,
            validation_pairs=validation_pairs,
            flip=flip,
            colour=0,
        )


class LandmarkTransformStage(Stage):
    """Trains L_T with L_l = λ_l1 L_lr + λ_l2 L_lau + λ_l3 L_lc.

    The paper fixes the losses, the learning rate and the batch; every weight, depth and width is open.

    Args:
        width: units of a hidden layer of both networks.
        layers: hidden layers of both networks.
        learning_rate: of Adam (fixed: 2e-4).
        reconstruction_weight: λ_l1.
        movement_weight: λ_lr, of ‖Δ‖₂ within L_lr.
        action_unit_weight: λ_l2.
        connectivity_weight: λ_l3.
        connectivity_reference: L_lc compares l_t with the driver's landmarks (the paper's formula) or
            with the source's (the sentence before it).
    """

    def __init__(
        self,
        width: int = 512,
        layers: int = 3,
        learning_rate: float = 2e-4,
        reconstruction_weight: float = 1.0,
        movement_weight: float = 1e-3,
        action_unit_weight: float = 0.1,
        connectivity_weight: float = 1.0,
        connectivity_reference: Literal["driving", "source"] = "driving",
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.transformer = LandmarkTransformer(width, layers)
        self.regressor = ActionUnitRegressor(width, layers)

    def network_config(self) -> dict[str, Any]:
        """Width and layers."""
        return {"width": self.hparams["width"], "layers": self.hparams["layers"]}

    def forward(self, pair: Pair) -> Tensor:
        """l_t, N×68×2."""
        moved: Tensor = self.transformer(pair["source_landmarks"], pair["driving_motion"])
        return moved

    def training_step(self, pair: Pair, batch_index: int) -> Tensor:
        """L_l of a batch."""
        terms = landmark_terms(self.regressor, pair, self(pair), self.hparams)
        total = torch.stack(list(terms.values())).sum()
        self.log_dict({f"train/{name}": value for name, value in terms.items()})
        self.log("train/total", total, prog_bar=True)
        return total

    def measure(self, pair: Pair) -> dict[str, Tensor]:
        """Mean distance of l_t from l_d, beside that of the unmoved source."""
        truth = pair["driving_landmarks"]
        return {
            "landmark_error": landmark_error(self(pair), truth),
            "landmark_error_of_source": landmark_error(pair["source_landmarks"], truth),
            "action_unit_error": (self.regressor(truth) - pair["driving_motion"]).abs().mean(),
        }

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam over both networks."""
        return torch.optim.Adam(self.parameters(), lr=self.hparams["learning_rate"])

    def panels(self, pair: Pair) -> dict[str, Tensor]:
        """The source's landmarks, the transformed ones, the driver's."""
        drawn = {
            "source": pair["source_landmarks"],
            "transformed": self(pair),
            "driver": pair["driving_landmarks"],
        }
        return {title: draw_gaussians(points, 192).clamp(0, 1) * 2 - 1 for title, points in drawn.items()}


def landmark_terms(
    regressor: ActionUnitRegressor,
    pair: Pair,
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
    source, driving = pair["source_landmarks"], pair["driving_landmarks"]
    motion = pair["driving_motion"]
    reference = driving if weights["connectivity_reference"] == "driving" else source
    return {
        "landmark": weights["reconstruction_weight"] * losses.landmark_reconstruction(transformed, driving),
        "movement": weights["reconstruction_weight"]
        * weights["movement_weight"]
        * losses.movement_norm(transformed - source),
        "action_unit": weights["action_unit_weight"]
        * losses.action_unit_consistency(regressor(transformed), regressor(driving), motion),
        "connectivity": weights["connectivity_weight"] * losses.connectivity(transformed, reference),
    }


def landmark_error(points: Tensor, truth: Tensor) -> Tensor:
    """Mean distance between landmarks in units of half the crop."""
    distance: Tensor = torch.linalg.vector_norm(points - truth, dim=-1)
    return distance.mean()
