"""The landmark transformer L_T and the action-unit regressor L_a (paper, section on L_T).

Both are fully connected; depth, width and activation are open in the paper.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from facegan import landmarks, motion

COORDINATES = 2 * landmarks.COUNT


class LandmarkTransformer(nn.Module):
    """L_T: moves the source's landmarks as the driver's motion tells, so that the face keeps its shape.

    Args:
        width: units of a hidden layer.
        layers: number of hidden layers.
    """

    def __init__(self, width: int = 512, layers: int = 3) -> None:
        super().__init__()
        self.body = _perceptron(COORDINATES + motion.SIZE, COORDINATES, width, layers)
        # Before training nothing moves.
        for parameter in self.body[-1].parameters():
            nn.init.zeros_(parameter)

    def movement(self, source: Tensor, driving_motion: Tensor) -> Tensor:
        """Δ, N×68×2, from landmarks N×68×2 in -1..1 and motion N×20."""
        joined = torch.cat((source.flatten(1), driving_motion), dim=1)
        delta: Tensor = self.body(joined)
        return delta.view_as(source)

    def forward(self, source: Tensor, driving_motion: Tensor) -> Tensor:
        """l_t = l_s + Δ, N×68×2."""
        return source + self.movement(source, driving_motion)


class ActionUnitRegressor(nn.Module):
    """L_a: the motion vector that a set of landmarks shows.

    Args:
        width: units of a hidden layer.
        layers: number of hidden layers.
    """

    def __init__(self, width: int = 512, layers: int = 3) -> None:
        super().__init__()
        self.body = _perceptron(COORDINATES, motion.SIZE, width, layers)

    def forward(self, points: Tensor) -> Tensor:
        """Landmarks N×68×2 in -1..1 to motion N×20."""
        shown: Tensor = self.body(points.flatten(1))
        return shown


def _perceptron(inputs: int, outputs: int, width: int, layers: int) -> nn.Sequential:
    hidden = [
        layer
        for before, after in pairwise([inputs] + [width] * layers)
        for layer in (nn.Linear(before, after), nn.ReLU())
    ]
    return nn.Sequential(*hidden, nn.Linear(width if layers else inputs, outputs))
