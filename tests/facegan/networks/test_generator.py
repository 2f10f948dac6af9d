"""pix2pixHD's generators, against the paper's description written once more with plain functions."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from facegan.errors import InputError
from facegan.networks import CoarseToFineGenerator, GlobalGenerator
from facegan.networks.generator import downsample, image_pyramid


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def conv(x, weights, padding, stride=1, mode="reflect"):
    weight, bias = next(weights), next(weights)
    return F.conv2d(F.pad(x, (padding,) * 4, mode=mode), weight, bias, stride)


def conv_norm_relu(x, weights, padding, **how):
    return F.relu(F.instance_norm(conv(x, weights, padding, **how)))


def up(x, weights):
    weight, bias = next(weights), next(weights)
    x = F.conv_transpose2d(x, weight, bias, stride=2, padding=1, output_padding=1)
    return F.relu(F.instance_norm(x))


def residual(x, weights):
    y = conv_norm_relu(x, weights, 1)
    return x + F.instance_norm(conv(y, weights, 1))


def global_features(x, weights, downsamplings, blocks, skips):
    x = conv_norm_relu(x, weights, 3)
    encoded = []
    for _ in range(downsamplings):
        encoded.append(x)
        x = conv_norm_relu(x, weights, 1, stride=2, mode="constant")
    for _ in range(blocks):
        x = residual(x, weights)
    for _ in range(downsamplings):
        x = up(x, weights)
        same_size = encoded.pop()
        x = x + same_size if skips else x
    return x


def half(x):
    """3×3 mean at every second pixel; outside of the image there is nothing to count."""
    sums = F.conv2d(x, torch.ones(x.shape[1], 1, 3, 3), stride=2, padding=1, groups=x.shape[1])
    counts = F.conv2d(torch.ones_like(x[:, :1]), torch.ones(1, 1, 3, 3), stride=2, padding=1)
    return sums / counts


def coarse_to_fine(x, weights, downsamplings, blocks, local_blocks, skips):
    coarse = global_features(half(x), weights, downsamplings, blocks, skips)
    stem = conv_norm_relu(x, weights, 3)
    x = conv_norm_relu(stem, weights, 1, stride=2, mode="constant") + coarse
    for _ in range(local_blocks):
        x = residual(x, weights)
    x = up(x, weights)
    x = x + stem if skips else x
    return torch.tanh(conv(x, weights, 3))


@pytest.mark.parametrize(
    ("kind", "width", "downsamplings", "expected"),
    [
        (GlobalGenerator, 64, 4, 182_446_403),
        (GlobalGenerator, 64, 3, 45_596_483),
        (CoarseToFineGenerator, 32, 4, 182_706_531),
        (CoarseToFineGenerator, 32, 3, 45_856_611),
    ],
)
@pytest.mark.parametrize("skips", [False, True])
def test_generator_num_parameters_equals_pix2pixhd(kind, width, downsamplings, expected, skips):
    with torch.device("meta"):
        assert parameters(kind(4, 3, width, downsamplings, use_skip_connections=skips)) == expected


def test_global_generator_group_norm_adds_scale_and_shift():
    """Scale and shift of every normed layer: stem, down, two a block, up."""
    with torch.device("meta"):
        added = parameters(GlobalGenerator(4, 3, norm="group")) - 182_446_403
    widths = [64, 128, 256, 512, 1024]
    assert added == 2 * (64 + sum(widths[1:]) + 2 * 9 * 1024 + sum(widths[:-1]))


@pytest.fixture
def images():
    return torch.randn(2, 4, 32, 48, generator=torch.Generator().manual_seed(0))


def lively(network):
    """Random weights that let something through: with N(0, 0.02) biases are zero and signals small."""
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network


@pytest.mark.parametrize("skips", [False, True])
def test_global_generator_forward_equals_reference(images, skips):
    network = lively(GlobalGenerator(4, 3, width=4, downsamplings=3, blocks=2, use_skip_connections=skips))
    weights = iter(list(network.parameters()))
    features = global_features(images, weights, 3, 2, skips)
    torch.testing.assert_close(network.features(images), features, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(network(images), torch.tanh(conv(features, weights, 3)), atol=1e-4, rtol=1e-4)
    assert next(weights, None) is None


@pytest.mark.parametrize("skips", [False, True])
def test_coarse_to_fine_generator_forward_equals_reference(images, skips):
    network = lively(
        CoarseToFineGenerator(
            4, 3, width=4, downsamplings=2, blocks=2, local_blocks=2, use_skip_connections=skips
        )
    )
    weights = iter(list(network.parameters()))
    expected = coarse_to_fine(images, weights, 2, 2, 2, skips)
    assert next(weights, None) is None
    output = network(images)
    torch.testing.assert_close(output, expected, atol=1e-4, rtol=1e-4)
    assert output.std() > 0.1


def test_coarse_to_fine_generator_gradient_reaches_every_weight(images):
    network = CoarseToFineGenerator(4, 3, width=4, downsamplings=2, blocks=1, local_blocks=1)
    network(images).square().sum().backward()
    # A bias before an instance norm is taken away again: its gradient is there, and about zero.
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(weight.grad.abs().sum() > 0 for weight in network.parameters() if weight.ndim == 4)


def test_generator_initial_weights_as_pix2pixhd():
    network = CoarseToFineGenerator(4, 3, width=16, downsamplings=2, blocks=2)
    weights = torch.cat([p.flatten() for p in network.parameters() if p.ndim == 4])
    assert weights.mean().item() == pytest.approx(0, abs=1e-3)
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert not any(p.any() for p in network.parameters() if p.ndim == 1)


@pytest.mark.parametrize(
    ("network", "multiple"),
    [(GlobalGenerator(1, 1, 2, 3, 1), 8), (CoarseToFineGenerator(1, 1, 2, 2, 1, 1), 8)],
)
def test_generator_size_not_multiple_is_refused(network, multiple):
    with pytest.raises(ValueError, match=f"32×36 pixels: both must be multiples of {multiple}"):
        network(torch.zeros(1, 1, 32, 36))
    assert network(torch.zeros(1, 1, 16, 24)).shape == (1, 1, 16, 24)


def test_image_pyramid_border_is_not_darkened(images):
    torch.testing.assert_close(downsample(images), half(images))
    levels = list(image_pyramid(torch.ones(1, 3, 20, 14), 3))
    assert [level.shape[2:] for level in levels] == [(20, 14), (10, 7), (5, 4)]
    assert all((level == 1).all() for level in levels)


@pytest.mark.parametrize("norm", ["instance", "group"])
@pytest.mark.parametrize("skips", [False, True])
def test_load_global_generator_is_bit_exact(images, norm, skips):
    torch.manual_seed(0)
    trained = lively(GlobalGenerator(4, 3, 8, 2, 2, norm=norm, use_skip_connections=skips))
    network = CoarseToFineGenerator(4, 3, 4, 2, 2, 1, norm=norm, use_skip_connections=skips)
    rest = {n: p.clone() for n, p in network.state_dict().items() if not n.startswith("global_generator.")}
    network.load_global_generator(trained.state_dict())
    state = trained.state_dict()
    assert all(
        torch.equal(tensor, state[name]) for name, tensor in network.global_generator.state_dict().items()
    )
    assert state.keys() - network.global_generator.state_dict().keys() == {"head.0.weight", "head.0.bias"}
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in rest.items())
    torch.testing.assert_close(
        network.global_generator.features(downsample(images)),
        trained.features(downsample(images)),
        atol=0,
        rtol=0,
    )
    with torch.no_grad():
        trained.stem[0].weight.zero_()
    assert network.global_generator.stem[0].weight.any()


OTHERS = {
    "as wide": GlobalGenerator(4, 3, 4, 2, 2),
    "fewer downsamplings": GlobalGenerator(4, 3, 8, 1, 2),
    "fewer blocks": GlobalGenerator(4, 3, 8, 2, 1),
    "more blocks": GlobalGenerator(4, 3, 8, 2, 3),
    "other input": GlobalGenerator(6, 3, 8, 2, 2),
    "other norm": GlobalGenerator(4, 3, 8, 2, 2, norm="group"),
    "coarse to fine": CoarseToFineGenerator(4, 3, 8, 2, 2),
    "nothing": nn.Module(),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_load_global_generator_other_sizes_are_refused_and_nothing_is_copied(other):
    network = CoarseToFineGenerator(4, 3, 4, 2, 2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(InputError, match=r"^global generator of other sizes: .*width 8 ") as caught:
        network.load_global_generator(other.state_dict())
    assert "\n" not in str(caught.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
