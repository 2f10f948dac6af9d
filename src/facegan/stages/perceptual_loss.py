"""The perceptual loss with its frozen network: L_rp and L_bp."""

from __future__ import annotations

from typing import Literal

import torch
from lightning_utilities.core.rank_zero import rank_zero_warn
from torch import Tensor, nn
from torch.nn import functional

from facegan import losses
from facegan.networks import IdentityNetwork, VGGFeatures
from facegan.perception import assets
from facegan.perception.dlib_weights import load_identity_network

PerceptualNetwork = Literal["vgg19", "vgg16", "identity"]

FILES = {"vgg19": "vgg19-dcbb9e9d.pth", "vgg16": "vgg16-397923af.pth"}
IDENTITY = "dlib_face_recognition_resnet_model_v1.dat"


class PerceptualLoss(nn.Module):
    """Distance between images in the features of a frozen network.

    Args:
        network: ``vgg19`` (pix2pixHD's code), ``vgg16``, or ``identity`` (face recognition). Where
            VGG's weights are not available, the identity network replaces it, with a warning.
    """

    def __init__(self, network: PerceptualNetwork = "vgg19") -> None:
        super().__init__()
        self.network: VGGFeatures | IdentityNetwork
        if network != "identity" and assets.is_available(FILES[network]):
            self.network = VGGFeatures.from_torchvision(assets.fetch(FILES[network]), network)
        else:
            if network != "identity":
                rank_zero_warn(
                    f"{FILES[network]} is not available: the perceptual loss uses identity features"
                )
            self.network = load_identity_network(assets.fetch(IDENTITY))
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> PerceptualLoss:
        """Stay in evaluation mode."""
        return self

    def forward(self, generated: Tensor, target: Tensor) -> Tensor:
        """Compute Σ_i w_i / (C_i H_i W_i) ‖V_i(a) - V_i(b)‖₁ of images N×3×H×W in -1..1."""
        with torch.no_grad():
            target_features = self._features(target)
        features = self._features(generated)
        if isinstance(self.network, VGGFeatures):
            return losses.perceptual_loss(features, target_features)
        # The identity network's six maps are of one magnitude: their mean.
        return losses.perceptual_loss(features, target_features, [1 / len(features)] * len(features))

    def distances(self, preds: Tensor, target: Tensor) -> Tensor:
        """Compute LPIPS (Zhang et al., CVPR 2018) with equal weights, N.

        Mean over layers and positions of the squared distance between the normalized features, which is
        more sensitive to blur and misalignment than L_rp.
        """
        layers = [
            (functional.normalize(ours.float()) - functional.normalize(theirs.float())).square()
            for ours, theirs in zip(self._features(preds), self._features(target), strict=True)
        ]
        return torch.stack([layer.sum(dim=1).flatten(1).mean(dim=1) for layer in layers]).mean(dim=0)

    def _features(self, images: Tensor) -> list[Tensor]:
        if isinstance(self.network, VGGFeatures):
            return self.network(images)  # type: ignore[no-any-return]
        return self.network.features(images)
