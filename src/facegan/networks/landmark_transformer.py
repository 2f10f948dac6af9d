"""The landmark transformer L_T and the action-unit regressor L_a (paper, section on L_T).

Both are fully connected; depth, width and activation are open in the paper. Landmarks differ little from
their mean, so the inputs are normalized: without that, as many steps leave a far larger error.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.geometry.motion import NUM_MOTION_PARAMS

NUM_COORDINATES = 2 * NUM_LANDMARKS
MIN_STD = 1e-2
"""Smallest standard deviation that inputs are divided by."""


class LandmarkTransformer(nn.Module):
    """L_T: displaces the source's landmarks by the driving motion so that the face keeps its shape.

    Args:
        width: units of a hidden layer.
        layers: number of hidden layers.
    """

    def __init__(self, width: int = 256, layers: int = 3) -> None:
        super().__init__()
        self.landmark_normalizer = InputNormalizer(NUM_COORDINATES)
        self.motion_normalizer = InputNormalizer(NUM_MOTION_PARAMS)
        self.body = _multilayer_perceptron(
            NUM_COORDINATES + NUM_MOTION_PARAMS, NUM_COORDINATES, width, layers
        )
        # The displacement is zero before training.
        for parameter in self.body[-1].parameters():
            nn.init.zeros_(parameter)

    def fit_normalizers(self, landmarks: Tensor, motion: Tensor) -> None:
        """Fit the input normalizers to the training data, before training.

        Args:
            landmarks: N×68×2 in -1..1.
            motion: N×20.
        """
        self.landmark_normalizer.fit(landmarks)
        self.motion_normalizer.fit(motion)

    def predict_displacement(self, source_landmarks: Tensor, driving_motion: Tensor) -> Tensor:
        """Predict Δ, N×68×2, from landmarks N×68×2 in -1..1 and motion N×20."""
        inputs = (self.landmark_normalizer(source_landmarks), self.motion_normalizer(driving_motion))
        displacement: Tensor = self.body(torch.cat(inputs, dim=1))
        return displacement.view_as(source_landmarks)

    def forward(self, source_landmarks: Tensor, driving_motion: Tensor) -> Tensor:
        """Compute l_t = l_s + Δ, N×68×2."""
        return source_landmarks + self.predict_displacement(source_landmarks, driving_motion)


class ActionUnitRegressor(nn.Module):
    """L_a: regresses the motion vector from landmarks.

    Args:
        width: units of a hidden layer.
        layers: number of hidden layers.
    """

    def __init__(self, width: int = 256, layers: int = 3) -> None:
        super().__init__()
        self.landmark_normalizer = InputNormalizer(NUM_COORDINATES)
        self.body = _multilayer_perceptron(NUM_COORDINATES, NUM_MOTION_PARAMS, width, layers)

    def fit_normalizers(self, landmarks: Tensor) -> None:
        """Fit the input normalizer to the training data, landmarks N×68×2 in -1..1, before training."""
        self.landmark_normalizer.fit(landmarks)

    def forward(self, landmarks: Tensor) -> Tensor:
        """Regress motion N×20 from landmarks N×68×2 in -1..1."""
        motion: Tensor = self.body(self.landmark_normalizer(landmarks))
        return motion


class InputNormalizer(nn.Module):
    """Subtracts the mean and divides by one standard deviation; the identity until it is fitted.

    All inputs share one standard deviation: an action unit that is constant in training must not be
    amplified when it changes for the first time.

    Args:
        size: number of inputs.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("std", torch.ones(()))

    def fit(self, examples: Tensor) -> None:
        """Compute mean and standard deviation of examples, N×size or of a shape that flattens to it."""
        flat = examples.flatten(1)
        self.mean.copy_(flat.mean(dim=0))
        self.std.copy_((flat - self.mean).square().mean().sqrt().clamp(min=MIN_STD))

    def forward(self, x: Tensor) -> Tensor:
        """Normalize to N×size, from the same shapes as in :meth:`fit`."""
        return (x.flatten(1) - self.mean) / self.std


def _multilayer_perceptron(inputs: int, outputs: int, width: int, layers: int) -> nn.Sequential:
    hidden = [
        layer
        for before, after in pairwise([inputs] + [width] * layers)
        for layer in (nn.Linear(before, after), nn.GELU())
    ]
    return nn.Sequential(*hidden, nn.Linear(width if layers else inputs, outputs))
