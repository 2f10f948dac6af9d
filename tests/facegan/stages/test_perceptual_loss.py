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
def images(prepared):
    pairs = ValidationPairs(FaceCrops(prepared, "train"), 6)
    return torch.stack([pairs[index].driving_image for index in range(6)])


def blurred(images, times):
    for _ in range(times):
        images = functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    return images


def test_distances_equal_images_are_zero(network, images):
    torch.testing.assert_close(network.distances(images, images), torch.zeros(6))


def test_distances_grow_with_blur(network, images):
    distances = torch.stack([network.distances(blurred(images, times), images) for times in (1, 2, 4, 8)])
    assert (distances.diff(dim=0) > 0).all()


def test_distances_are_independent_of_batch(network, images):
    together = network.distances(blurred(images, 2), images)
    alone = [network.distances(blurred(images, 2)[n : n + 1], images[n : n + 1]) for n in range(6)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-3, atol=1e-5)


def test_perceptual_loss_gradient_reaches_image_only(network, images):
    generated = blurred(images, 1).requires_grad_()
    network(generated, images).backward()
    assert generated.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network.parameters())
