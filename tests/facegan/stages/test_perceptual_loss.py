"""The perceptual measure ranks what people rank."""

import pytest
import torch
from torch.nn import functional

from facegan.data import FaceCrops, ValidationPairs
from facegan.stages.perceptual_loss import PerceptualLoss


@pytest.fixture(scope="module")
def network():
    return PerceptualLoss("identity")


@pytest.fixture(scope="module")
def pictures(prepared):
    pairs = ValidationPairs(FaceCrops(prepared, "train"), 6)
    return torch.stack([pairs[index].driving_image for index in range(6)])


def blurred(pictures, times):
    for _ in range(times):
        pictures = functional.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)
    return pictures


def test_a_picture_is_no_distance_from_itself(network, pictures):
    torch.testing.assert_close(network.distances(pictures, pictures), torch.zeros(6))


def test_more_blur_is_farther_for_every_picture(network, pictures):
    distances = torch.stack([network.distances(blurred(pictures, times), pictures) for times in (1, 2, 4, 8)])
    assert (distances.diff(dim=0) > 0).all()


def test_a_pair_is_measured_alone(network, pictures):
    together = network.distances(blurred(pictures, 2), pictures)
    alone = [network.distances(blurred(pictures, 2)[n : n + 1], pictures[n : n + 1]) for n in range(6)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-3, atol=1e-5)


def test_the_frozen_network_passes_gradients_and_gets_none(network, pictures):
    generated = blurred(pictures, 1).requires_grad_()
    network(generated, pictures).backward()
    assert generated.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network.parameters())
