"""dlib's face recognition network: identity embeddings of 128 dimensions.

Davis King, "High quality face recognition with deep metric learning", 2017: a ResNet of 29
convolutions after He et al., "Deep residual learning for image recognition", CVPR 2016.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_MEAN = (122.782, 117.001, 104.298)
_SCALE = 256.0


class IdentityNetwork(nn.Module):
    """Aligned faces to identity embeddings.

    dlib's affine layer after each convolution, a frozen batch norm, is folded into the convolution.
    :func:`facegan.perception.dlib_weights.load_identity_network` loads the published weights.
    """

    SIZE = 150
    """Height and width of an aligned face in pixels."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.stem = nn.Conv2d(3, 32, kernel_size=7, stride=2)
        self.levels = nn.ModuleList(
            (
                nn.Sequential(*(_Block(32, 32) for _ in range(3))),
                _level(32, 64, blocks=4),
                _level(64, 128, blocks=3),
                _level(128, 256, blocks=3),
                _level(256, 256, blocks=1),
            )
        )
        self.project = nn.Linear(256, 128, bias=False)

    def features(self, images: Tensor) -> list[Tensor]:
        """Compute activations at six depths, for perceptual losses; the faces need not be aligned.

        Args:
            images: N×3×H×W in -1..1; those under 150 pixels are enlarged to 150.

        Returns:
            Finest first: 32, 32, 64, 128, 256 and 256 channels at about 1/2, 1/4, … 1/64 of the size.
        """
        smallest = min(images.shape[2:])
        if smallest < self.SIZE:
            size = [round(side * self.SIZE / smallest) for side in images.shape[2:]]
            images = F.interpolate(images, size, mode="bilinear", align_corners=False)
        x = ((images + 1) * 127.5 - self.mean) / _SCALE
        x = F.relu(self.stem(x))
        activations = [x]
        x = F.max_pool2d(x, 3, stride=2)
        for level in self.levels:
            x = level(x)
            activations.append(x)
        return activations

    def forward(self, faces: Tensor) -> Tensor:
        """Embed faces: the distance of two of one identity is below 0.6.

        Args:
            faces: N×3×150×150 in -1..1, aligned as dlib does it.

        Returns:
            N×128, not normalized.

        Raises:
            ValueError: if the faces are of another shape.
        """
        if faces.shape[1:] != (3, self.SIZE, self.SIZE):
            msg = f"faces must be N×3×{self.SIZE}×{self.SIZE}, got {tuple(faces.shape)}"
            raise ValueError(msg)
        embeddings: Tensor = self.project(self.features(faces)[-1].mean(dim=(2, 3)))
        return embeddings


class _Block(nn.Module):
    """Two convolutions and a shortcut.

    As in dlib, a convolution with stride has no padding, and the smaller of the two summands, in
    channels and in size, is filled up with zeros.
    """

    def __init__(self, in_channels: int, out_channels: int, *, downsample: bool = False) -> None:
        super().__init__()
        self.downsample = downsample
        self.conv1 = nn.Conv2d(
            in_channels, out_channels, 3, stride=2 if downsample else 1, padding=0 if downsample else 1
        )
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """N×in_channels×H×W to N×out_channels×h×w."""
        residual = self.conv2(F.relu(self.conv1(x)))
        shortcut = F.avg_pool2d(x, 2) if self.downsample else x
        shape = [max(sizes) for sizes in zip(residual.shape[1:], shortcut.shape[1:], strict=True)]
        return F.relu(_fill(residual, shape) + _fill(shortcut, shape))


def _level(in_channels: int, out_channels: int, blocks: int) -> nn.Sequential:
    """Build blocks of which the first halves the size."""
    first = _Block(in_channels, out_channels, downsample=True)
    return nn.Sequential(first, *(_Block(out_channels, out_channels) for _ in range(blocks - 1)))


def _fill(x: Tensor, shape: list[int]) -> Tensor:
    """Pad with zeros behind the last channel, row and column to a shape C×H×W."""
    channels, height, width = (after - before for before, after in zip(x.shape[1:], shape, strict=True))
    return F.pad(x, (0, width, 0, height, 0, channels))
