"""Fréchet distance of sets of pictures; the Inception network itself is not there to be tested with."""

from importlib.util import find_spec
from typing import ClassVar

import numpy as np
import pytest
import torch
from torchmetrics.image.fid import FrechetInceptionDistance

from facegan.evaluation import fid as module
from facegan.evaluation.fid import NoInception, fid


class Noise:
    """Pictures of one mean color each."""

    names: ClassVar = [str(number) for number in range(40)]

    def __init__(self, seed, low, high):
        self._colors = np.random.default_rng(seed).integers(low, high, (40, 3), dtype=np.uint8)

    def read(self, index):
        return np.broadcast_to(self._colors[index], (8, 8, 3)).copy()


class MeanColor(torch.nn.Module):
    """Stands in for Inception; torchmetrics asks it for the number of features."""

    num_features = 3

    def forward(self, pictures):
        return pictures.float().mean(dim=(2, 3))


def test_is_the_distance_of_means_and_spreads(monkeypatch):
    metric = FrechetInceptionDistance(feature=MeanColor(), normalize=True, input_img_size=(3, 8, 8))
    monkeypatch.setattr(module, "_metric", lambda _: metric)
    dark, light = Noise(0, 0, 60), Noise(1, 150, 210)
    colors = [side._colors / 255 for side in (dark, light)]
    apart = np.square(colors[0].mean(axis=0) - colors[1].mean(axis=0)).sum()
    assert fid(dark, dark) == pytest.approx(0, abs=1e-4)
    assert fid(dark, light) == pytest.approx(apart, rel=0.05)
    assert fid(dark, Noise(2, 0, 60)) < 0.01 * fid(dark, light)


@pytest.mark.skipif(find_spec("torch_fidelity") is not None, reason="torch-fidelity is installed")
def test_what_is_missing_is_said():
    with pytest.raises(NoInception, match=r"pip install facegan\[fid\]"):
        fid(Noise(0, 0, 9), Noise(1, 0, 9))
