"""The landmark transformer L_T and the action-unit regressor L_a (paper, section on L_T).

Both are fully connected; depth, width and activation are open in the paper. Landmarks differ little from
their mean, so the inputs are standardized: without that, as many steps leave a far larger error.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.geometry.motion import NUM_MOTION_PARAMS

COORDINATES = 2 * NUM_LANDMARKS
LEAST_DEVIATION = 1e-2
"""Data that hardly differ are not blown up beyond this."""


class LandmarkTransformer(nn.Module):
    """L_T: moves the source's landmarks as the driver's motion tells, so that the face keeps its shape.

    Args:
        width: units of a hidden layer.
        layers: number of hidden layers.
    """

    def __init__(self, width: int = 256, layers: int = 3) -> None:
        super().__init__()
        self.landmarks = InputNormalizer(COORDINATES)
        self.motion = InputNormalizer(NUM_MOTION_PARAMS)
        self.body = _perceptron(COORDINATES + NUM_MOTION_PARAMS, COORDINATES, width, layers)
        # Before training nothing moves.
        for parameter in self.body[-1].parameters():
            nn.init.zeros_(parameter)

    def standardize(self, points: Tensor, shown: Tensor) -> None:
        """Standardises the inputs by the training data, before training.

        Args:
            points: landmarks N×68×2 in -1..1.
            shown: motion N×20.
        """
        self.landmarks.fit(points)
        self.motion.fit(shown)

    def movement(self, source: Tensor, driving_motion: Tensor) -> Tensor:
        """Δ, N×68×2, from landmarks N×68×2 in -1..1 and motion N×20."""
        joined = torch.cat((self.landmarks(source), self.motion(driving_motion)), dim=1)
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

    def __init__(self, width: int = 256, layers: int = 3) -> None:
        super().__init__()
        self.landmarks = InputNormalizer(COORDINATES)
        self.body = _perceptron(COORDINATES, NUM_MOTION_PARAMS, width, layers)

    def standardize(self, points: Tensor) -> None:
        """Standardises the input by the training data, landmarks N×68×2 in -1..1, before training."""
        self.landmarks.fit(points)

    def forward(self, points: Tensor) -> Tensor:
        """Landmarks N×68×2 in -1..1 to motion N×20."""
        shown: Tensor = self.body(self.landmarks(points))
        return shown


class InputNormalizer(nn.Module):
    """Takes the mean off numbers and divides them by their deviation; until fitted leaves them as they are.

    There is one deviation for all of them: a unit that never moved in training must not be blown up
    when it moves at last.

    Args:
        size: how many numbers.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(()))

    def fit(self, examples: Tensor) -> None:
        """Takes mean and deviation from examples, N×size or of a shape that flattens to it."""
        flat = examples.flatten(1)
        self.mean.copy_(flat.mean(dim=0))
        self.deviation.copy_((flat - self.mean).square().mean().sqrt().clamp(min=LEAST_DEVIATION))

    def forward(self, numbers: Tensor) -> Tensor:
        """N×size, from the same shapes as in :meth:`fit`."""
        return (numbers.flatten(1) - self.mean) / self.deviation


def _perceptron(inputs: int, outputs: int, width: int, layers: int) -> nn.Sequential:
    hidden = [
        layer
        for before, after in pairwise([inputs] + [width] * layers)
        for layer in (nn.Linear(before, after), nn.GELU())
    ]
    return nn.Sequential(*hidden, nn.Linear(width if layers else inputs, outputs))
