"""VGG features for the perceptual loss (Simonyan and Zisserman, 2015).

Only the convolutions up to relu5_1 are built, with torchvision's parameter names, so that its
published weights load as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from pathlib import Path

# Convolutions a stage; the features end with the first one of the fifth stage.
STAGES = {"vgg16": (2, 2, 3, 3, 1), "vgg19": (2, 2, 4, 4, 1)}
CHANNELS = (64, 128, 256, 512, 512)


class VGGFeatures(nn.Module):
    """relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1 of an image.

    Args:
        depth: ``vgg19`` as pix2pixHD's code, or ``vgg16``.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, depth: Literal["vgg16", "vgg19"] = "vgg19") -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self.feature_indices: list[int] = []
        channels = 3
        for convolutions, width in zip(STAGES[depth], CHANNELS, strict=True):
            if layers:
                layers.append(nn.MaxPool2d(2))
            self.feature_indices.append(len(layers) + 1)
            for _ in range(convolutions):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
        self.features = nn.Sequential(*layers[: self.feature_indices[-1] + 1])
        # ImageNet's mean and standard deviation of 0..1 images, which torchvision's weights expect.
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    @classmethod
    def from_torchvision(cls, path: Path, depth: Literal["vgg16", "vgg19"] = "vgg19") -> Self:
        """Load torchvision's published weights; layers beyond relu5_1 are left out."""
        network = cls(depth)
        published = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({name: published[name] for name in network.state_dict()})
        return network

    def forward(self, images: Tensor) -> list[Tensor]:
        """Compute five feature maps of N×3×H×W in -1..1, finest first."""
        x = ((images + 1) / 2 - self.mean) / self.std
        features = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.feature_indices:
                features.append(x)
        return features
