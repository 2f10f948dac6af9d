import dlib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from facegan.networks import IdentityNetwork
from facegan.networks.dlib_format import read_layers
from facegan.perception import assets


@pytest.fixture(scope="module")
def weights():
    return assets.path("dlib_face_recognition_resnet_model_v1.dat")


@pytest.fixture(scope="module")
def network(weights):
    return IdentityNetwork.from_dlib(weights).eval()


@pytest.fixture(scope="module")
def reference(weights):
    return dlib.face_recognition_model_v1(str(weights))


def pictures(cells, count=3):
    """Random pictures N×150×150×3 of 8 bits: the fewer cells, the smoother."""
    noise = torch.rand(count, 3, cells, cells, generator=torch.Generator().manual_seed(cells))
    smooth = F.interpolate(noise, 150, mode="bicubic").clamp(0, 1)
    return (255 * smooth).byte().permute(0, 2, 3, 1).contiguous().numpy()


def as_input(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1


@pytest.mark.parametrize("cells", [1, 5, 20, 150])
def test_agrees_with_dlib(network, reference, cells):
    images = pictures(cells)
    expected = np.array([reference.compute_face_descriptor(image) for image in images])
    with torch.no_grad():
        embeddings = network(as_input(images))
    np.testing.assert_allclose(embeddings.numpy(), expected, rtol=0, atol=1e-5)


def test_gradient_is_the_slope(network):
    face = as_input(pictures(5, count=1)).requires_grad_()
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


def test_features_lead_to_the_embedding(network):
    faces = as_input(pictures(5))
    with torch.no_grad():
        features = network.features(faces)
        torch.testing.assert_close(network.project(features[-1].mean(dim=(2, 3))), network(faces))
    assert [(*activation.shape[1:],) for activation in features] == [
        *((32, 72, 72), (32, 35, 35), (64, 17, 17), (128, 8, 8), (256, 4, 4), (256, 2, 2))
    ]


@pytest.mark.parametrize("size", [(256, 256), (151, 200), (64, 64), (32, 48)])
def test_features_of_any_size(network, size):
    with torch.no_grad():
        features = network.features(torch.zeros(2, 3, *size))
    assert len(features) == 6
    assert all(activation.shape[0] == 2 and activation.numel() for activation in features)


@pytest.mark.parametrize("shape", [(1, 3, 149, 150), (1, 1, 150, 150), (3, 150, 150)])
def test_refuses_other_shapes(network, shape):
    with pytest.raises(ValueError, match="150×150"):
        network(torch.zeros(shape))


@pytest.fixture(scope="module")
def head(weights):
    """The file's first layers."""
    with weights.open("rb") as stream:
        return stream.read(100_000)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_file_is_one_line(tmp_path_factory, head, data):
    """Cut off anywhere, and with a few bytes changed, most of them in the header."""
    damaged = bytearray(head[: data.draw(st.integers(0, len(head)), label="length")])
    for _ in range(data.draw(st.integers(0, 3), label="changes")) if damaged else ():
        bound = data.draw(st.sampled_from([min(400, len(damaged)), len(damaged)]))
        damaged[data.draw(st.integers(0, bound - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "damaged.dat"
    file.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"damaged\.dat") as caught:
        IdentityNetwork.from_dlib(file)
    assert "\n" not in str(caught.value)


def test_tensor_larger_than_the_file(tmp_path, head):
    file = tmp_path / "network.dat"
    begin = head.index(b"con_4") + len(b"con_4")
    file.write_bytes(head[:begin] + b"\x01\x02" + b"\x08" + b"\xff" * 8 + head[begin + 5 :])
    with pytest.raises(ValueError, match="bytes wanted"):
        read_layers(file)


def test_another_network(tmp_path, weights):
    """A well-formed file that ends before the last layer."""
    whole = weights.read_bytes()
    file = tmp_path / "network.dat"
    file.write_bytes(whole[: whole.index(b"\x01\x04fc_2")])
    assert len(read_layers(file)) == 58
    with pytest.raises(ValueError, match="another network"):
        IdentityNetwork.from_dlib(file)
