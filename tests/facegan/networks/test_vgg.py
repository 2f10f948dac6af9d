import pickle

import pytest
import torch
from torch.nn import functional as F

from facegan.networks import VGGFeatures

# torchvision's indices of the convolutions up to relu5_1, and of those whose features are returned.
CONVOLUTIONS = {
    "vgg16": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24),
    "vgg19": (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28),
}
FEATURES = {"vgg16": (0, 5, 10, 17, 24), "vgg19": (0, 5, 10, 19, 28)}


@pytest.fixture(scope="module", params=["vgg16", "vgg19"])
def depth(request):
    return request.param


@pytest.fixture(scope="module")
def network(depth):
    torch.manual_seed(0)
    return VGGFeatures(depth).requires_grad_(False)


def test_vgg_state_has_torchvision_names(depth, network):
    expected = {f"features.{index}.{kind}" for index in CONVOLUTIONS[depth] for kind in ("weight", "bias")}
    assert set(network.state_dict()) == expected


def test_vgg_feature_shapes(network):
    assert [tuple(features.shape) for features in network(torch.zeros(2, 3, 64, 48))] == [
        *((2, 64, 64, 48), (2, 128, 32, 24), (2, 256, 16, 12), (2, 512, 8, 6), (2, 512, 4, 3))
    ]


def test_vgg_features_equal_reference(depth, network):
    """3×3 convolutions and ReLUs; before each stage but the first, maxima of 2×2 pixels."""
    state = network.state_dict()
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    x = torch.stack([(images[:, i] - mean[i]) / deviation[i] for i in range(3)], dim=1)
    expected = []
    for index in CONVOLUTIONS[depth]:
        if index in FEATURES[depth][1:]:
            x = F.max_pool2d(x, 2)
        weight, bias = state[f"features.{index}.weight"], state[f"features.{index}.bias"]
        x = F.relu(F.conv2d(x, weight, bias, padding=1))
        if index in FEATURES[depth]:
            expected.append(x)
    for ours, theirs in zip(network(2 * images - 1), expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_from_torchvision_ignores_further_layers(tmp_path, depth, network):
    published = dict(network.state_dict()) | {
        "features.30.weight": torch.zeros(2),
        "classifier.0.weight": torch.zeros(2),
    }
    torch.save(published, tmp_path / "weights.pth")
    loaded = VGGFeatures.from_torchvision(tmp_path / "weights.pth", depth)
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_from_torchvision_refuses_pickled_code(tmp_path, depth):
    torch.save({"features.0.weight": pytest.fail}, tmp_path / "weights.pth")
    with pytest.raises(pickle.UnpicklingError):
        VGGFeatures.from_torchvision(tmp_path / "weights.pth", depth)
