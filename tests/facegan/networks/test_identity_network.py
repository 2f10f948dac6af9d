"""The identity network against dlib's own implementation."""

import dlib
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from facegan.perception import assets
from facegan.perception.dlib_weights import load_identity_network


@pytest.fixture(scope="module")
def weights():
    return assets.fetch("dlib_face_recognition_resnet_model_v1.dat")


@pytest.fixture(scope="module")
def network(weights):
    return load_identity_network(weights).eval()


@pytest.fixture(scope="module")
def reference(weights):
    return dlib.face_recognition_model_v1(str(weights))


def random_images(cells, count=3):
    """Random images N×150×150×3 of 8 bits: the fewer cells, the smoother."""
    noise = torch.rand(count, 3, cells, cells, generator=torch.Generator().manual_seed(cells))
    smooth = F.interpolate(noise, 150, mode="bicubic").clamp(0, 1)
    return (255 * smooth).byte().permute(0, 2, 3, 1).contiguous().numpy()


def as_input(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1


@pytest.mark.parametrize("cells", [1, 5, 20, 150])
def test_identity_network_embedding_equals_dlib(network, reference, cells):
    images = random_images(cells)
    expected = np.array([reference.compute_face_descriptor(image) for image in images])
    with torch.no_grad():
        embeddings = network(as_input(images))
    np.testing.assert_allclose(embeddings.numpy(), expected, rtol=0, atol=1e-5)


def test_identity_network_gradient_is_slope(network):
    face = as_input(random_images(5, count=1)).requires_grad_()
    with torch.no_grad():
        target = network(face + 0.1)

    def loss(face):
        return (network(face) - target).square().sum()

    before = loss(face)
    (gradient,) = torch.autograd.grad(before, face)
    step = 0.02 * before.detach() / gradient.square().sum()
    with torch.no_grad():
        after = loss(face - step * gradient)
    assert 0.97 < after / before < 0.99


def test_features_pooled_and_projected_are_embedding(network):
    faces = as_input(random_images(5))
    with torch.no_grad():
        features = network.features(faces)
        torch.testing.assert_close(network.project(features[-1].mean(dim=(2, 3))), network(faces))
    assert [(*activation.shape[1:],) for activation in features] == [
        *((32, 72, 72), (32, 35, 35), (64, 17, 17), (128, 8, 8), (256, 4, 4), (256, 2, 2))
    ]


@pytest.mark.parametrize("size", [(256, 256), (151, 200), (64, 64), (32, 48)])
def test_features_any_size_are_six(network, size):
    with torch.no_grad():
        features = network.features(torch.zeros(2, 3, *size))
    assert len(features) == 6
    assert all(activation.shape[0] == 2 and activation.numel() for activation in features)


@pytest.mark.parametrize("shape", [(1, 3, 149, 150), (1, 1, 150, 150), (3, 150, 150)])
def test_identity_network_other_shape_is_refused(network, shape):
    with pytest.raises(ValueError, match="150×150"):
        network(torch.zeros(shape))
