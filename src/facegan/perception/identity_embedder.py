"""Align and embed faces as dlib does, in batches and with gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facegan.networks.identity_network import IdentityNetwork
from facegan.perception import assets
from facegan.perception.dlib_weights import load_identity_network

_ANCHORS = (45, 42, 36, 39, 33)
"""Left eye's outer and inner corner, right eye's outer and inner corner, base of the nose."""

# Mean positions of the anchors over a tight face, from dlib's get_face_chip_details.
_MEAN_FACE = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)
_PADDING = 0.25
"""Margin around the tight face, in parts of its side."""


class IdentityEmbedder(nn.Module):
    """Embed the identity of faces by dlib's face-recognition ResNet, frozen.

    Args:
        network: a network with weights; by default with those of :mod:`facegan.perception.assets`.

    Raises:
        AssetError: if the weights cannot be obtained.
    """

    def __init__(self, network: IdentityNetwork | None = None) -> None:
        super().__init__()
        if network is None:
            weights = assets.fetch("dlib_face_recognition_resnet_model_v1.dat")
            network = load_identity_network(weights)
        self.network = network.eval().requires_grad_(requires_grad=False)

    def forward(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """Embed faces: the embeddings of one person are closer than 0.6 to each other.

        Args:
            images: N×3×H×W in -1..1; gradients reach them.
            landmarks: N×68×2 in -1..1 over the image.

        Returns:
            N×128, not normalized.
        """
        embeddings: Tensor = self.network(align(images, landmarks))
        return embeddings


def align(images: Tensor, landmarks: Tensor, size: int = IdentityNetwork.SIZE) -> Tensor:
    """Align faces by a similarity transform: dlib's ``get_face_chip`` with five landmarks.

    The transform takes dlib's mean face to the corners of the eyes and the base of the nose
    with the least squared error. What lies outside the image is black.

    Args:
        images: N×3×H×W in -1..1.
        landmarks: N×68×2 in -1..1 over the image.
        size: height and width of the result in pixels.

    Returns:
        N×3×size×size in -1..1.
    """
    height, width = images.shape[2:]
    sides = landmarks.new_tensor((width, height), dtype=torch.float32)
    anchors = ((landmarks[:, _ANCHORS].float() + 1) * sides - 1) / 2
    rotation, center = _similarity(anchors, size)
    scale = rotation.norm(dim=1)
    # As in dlib, the chip's first and last pixel stand on the first and last of the image's pixels in
    # the transformed square: size - 1 steps for size·scale - 1 pixels.
    span = rotation * (size - 1 / scale)[:, None]
    steps = torch.linspace(-0.5, 0.5, size, device=scale.device)
    offsets = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
    positions = center[:, None, None] + _turn(offsets, span[:, None, None])
    return _sample(images.float(), (2 * positions + 1) / sides - 1, scale)


def _similarity(anchors: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Fit the mean face to anchors by least squares.

    With a point as a complex number, the transform is p = r·c + t, and r has the closed form
    Σ conj(c)·p / Σ |c|² over the centered points.

    Args:
        anchors: N×5×2 in pixels.
        size: side of the chip.

    Returns:
        r as N×2, and the center of the chip in the image, N×2 in pixels.
    """
    mean_face = (anchors.new_tensor(_MEAN_FACE) + _PADDING) / (1 + 2 * _PADDING) * size
    middle = mean_face.mean(dim=0)
    face = mean_face - middle
    target = anchors.mean(dim=1)
    conjugate = face * face.new_tensor((1, -1))
    rotation = _turn(anchors - target[:, None], conjugate).sum(dim=1) / face.square().sum()
    return rotation, target + _turn(size / 2 - middle, rotation)


def _turn(points: Tensor, rotation: Tensor) -> Tensor:
    """Multiply two ...×2 as complex numbers."""
    x, y = points.unbind(dim=-1)
    real, imaginary = rotation.unbind(dim=-1)
    return torch.stack((x * real - y * imaginary, x * imaginary + y * real), dim=-1)


def _sample(images: Tensor, grid: Tensor, scale: Tensor) -> Tensor:
    """Sample bilinearly after halving the images until a step is less than two pixels.

    Args:
        images: N×3×H×W in -1..1.
        grid: N×h×w×2 in -1..1.
        scale: N, pixels of the image for one of the result.

    Returns:
        N×3×h×w in -1..1; -1 outside the image.
    """
    halvings = scale.detach().log2().floor().clamp(min=0)
    chips = images.new_empty(*images.shape[:2], *grid.shape[1:3])
    for count in set(halvings.tolist()):
        chosen = halvings == count
        size = [max(1, side >> int(count)) for side in images.shape[2:]]
        coarse = F.interpolate(images[chosen], size, mode="area")
        # grid_sample fills up with 0, which is gray.
        chips[chosen] = F.grid_sample(coarse + 1, grid[chosen], align_corners=False) - 1
    return chips
