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

PerceptualNetwork = Literal["vgg19", "vgg16", "identity"]

FILES = {"vgg19": "vgg19-dcbb9e9d.pth", "vgg16": "vgg16-397923af.pth"}
IDENTITY = "dlib_face_recognition_resnet_model_v1.dat"


class PerceptualLoss(nn.Module):
    """Distance between pictures in the features of a frozen network.

    Args:
        network: ``vgg19`` (pix2pixHD's code), ``vgg16``, or ``identity`` (face recognition). Where
            VGG's weights cannot be had, the identity network takes their place, with a warning.
    """

    def __init__(self, network: PerceptualNetwork = "vgg19") -> None:
        super().__init__()
        self.network: VGGFeatures | IdentityNetwork
        if network != "identity" and assets.available(FILES[network]):
            self.network = VGGFeatures.from_torchvision(assets.path(FILES[network]), network)
        else:
            if network != "identity":
                rank_zero_warn(f"{FILES[network]} cannot be had: identity features serve the perceptual loss")
            self.network = IdentityNetwork.from_dlib(assets.path(IDENTITY))
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> PerceptualLoss:
        """Stays frozen."""
        return self

    def forward(self, generated: Tensor, truth: Tensor) -> Tensor:
        """Σ_i w_i / (C_i H_i W_i) ‖V_i(a) - V_i(b)‖₁ of pictures N×3×H×W in -1..1."""
        with torch.no_grad():
            aim = self._features(truth)
        seen = self._features(generated)
        if isinstance(self.network, VGGFeatures):
            return losses.perceptual(seen, aim)
        # Its six maps are of one magnitude: their mean.
        return losses.perceptual(seen, aim, [1 / len(seen)] * len(seen))

    def distances(self, generated: Tensor, truth: Tensor) -> Tensor:
        """How different pairs look, N: LPIPS (Zhang et al., CVPR 2018) with equal weights.

        Mean over layers and positions of the square distance between the features' directions, which
        tells blurred from sharp and here from there better than L_rp does.
        """
        layers = [
            (functional.normalize(ours.float()) - functional.normalize(theirs.float())).square()
            for ours, theirs in zip(self._features(generated), self._features(truth), strict=True)
        ]
        return torch.stack([layer.sum(dim=1).flatten(1).mean(dim=1) for layer in layers]).mean(dim=0)

    def _features(self, pictures: Tensor) -> list[Tensor]:
        if isinstance(self.network, VGGFeatures):
            return self.network(pictures)  # type: ignore[no-any-return]
        return self.network.features(pictures)
