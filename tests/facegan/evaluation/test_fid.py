"""The Inception network is not available to the tests: a mean color stands in for its features."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
import torchmetrics.image.fid
from torchmetrics.image.fid import FrechetInceptionDistance

from facegan.evaluation.fid import FIDComputer, FIDUnavailableError


class Noise:
    """Images of one mean color each."""

    def __init__(self, seed, low, high):
        self.names = [str(number) for number in range(40)]
        self.colors = np.random.default_rng(seed).integers(low, high, (40, 3), dtype=np.uint8)

    def read(self, index):
        return np.broadcast_to(self.colors[index], (8, 8, 3)).copy()


class MeanColor(torch.nn.Module):
    num_features = 3

    def forward(self, images):
        return images.float().mean(dim=(2, 3))


def test_fid_of_color_noise_equals_frechet_distance(monkeypatch):
    def create(normalize):
        return FrechetInceptionDistance(feature=MeanColor(), normalize=normalize, input_img_size=(3, 8, 8))

    monkeypatch.setattr(torchmetrics.image.fid, "FrechetInceptionDistance", create)
    dark, light = Noise(0, 0, 60), Noise(1, 150, 210)
    expected = np.square((dark.colors / 255).mean(axis=0) - (light.colors / 255).mean(axis=0)).sum()
    fid = FIDComputer()
    assert fid.compute(dark, dark) == pytest.approx(0, abs=1e-4)
    assert fid.compute(dark, light) == pytest.approx(expected, rel=0.05)
    assert fid.compute(dark, Noise(2, 0, 60)) < 0.01 * fid.compute(dark, light)


@pytest.mark.skipif(find_spec("torch_fidelity") is not None, reason="torch-fidelity is installed")
def test_fid_without_its_package_raises():
    with pytest.raises(FIDUnavailableError, match=r"pip install facegan\[fid\]"):
        FIDComputer()
