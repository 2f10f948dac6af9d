"""pix2pixHD's discriminators, against the paper's description written once more with plain functions."""

from dataclasses import asdict

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from facegan.networks import DiscriminatorConfig, MultiScaleDiscriminator


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def one_scale(x, weights, strides, normed):
    outputs = []
    for stride, norm in zip(strides, normed, strict=True):
        x = F.conv2d(x, next(weights), next(weights), stride, padding=2)
        x = F.instance_norm(x) if norm else x
        last = len(outputs) == len(strides) - 1
        x = x if last else F.leaky_relu(x, 0.2)
        outputs.append(x)
    return outputs


@pytest.mark.parametrize(("scales", "expected"), [(1, 2_764_737), (3, 8_294_211)])
def test_discriminator_num_parameters_equals_pix2pixhd(scales, expected):
    with torch.device("meta"):
        assert parameters(MultiScaleDiscriminator(3, scales=scales)) == expected


@pytest.mark.parametrize(("size", "expected"), [(256, [35, 19, 11]), (128, [19, 11, 7])])
def test_discriminator_logit_map_sizes_equal_pix2pixhd(size, expected):
    with torch.device("meta"):
        outputs = MultiScaleDiscriminator(3)(torch.empty(2, 3, size, size))
    assert [scale[-1].shape for scale in outputs] == [(2, 1, side, side) for side in expected]
    assert [[layer.shape[1] for layer in scale] for scale in outputs] == [[64, 128, 256, 512, 1]] * 3


@pytest.mark.parametrize(("layers", "strides"), [(3, [2, 2, 2, 1, 1]), (2, [2, 2, 1, 1])])
def test_discriminator_forward_equals_reference(layers, strides):
    network = MultiScaleDiscriminator(3, width=4, layers=layers, scales=2)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    image = torch.randn(2, 3, 40, 32, generator=torch.Generator().manual_seed(0))
    counts = F.avg_pool2d(torch.ones_like(image), 3, 2, 1)
    images = [image, F.avg_pool2d(image, 3, 2, 1) / counts]
    weights = iter(list(network.parameters()))
    normed = [False] + [True] * layers + [False]
    expected = [one_scale(level, weights, strides, normed) for level in images]
    assert next(weights, None) is None
    for ours, theirs in zip(network(image), expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_discriminator_channels_stop_at_512():
    with torch.device("meta"):
        (outputs,) = MultiScaleDiscriminator(3, width=64, layers=5, scales=1)(torch.empty(1, 3, 256, 256))
    assert [layer.shape[1] for layer in outputs] == [64, 128, 256, 512, 512, 512, 1]


def test_discriminator_group_norm_adds_scale_and_shift():
    """Scale and shift of the three normed layers of each scale."""
    with torch.device("meta"):
        added = parameters(MultiScaleDiscriminator(3, norm="group")) - 8_294_211
    assert added == 3 * 2 * (128 + 256 + 512)


def test_discriminator_config_is_its_arguments():
    with torch.device("meta"):
        assert parameters(MultiScaleDiscriminator(3, **asdict(DiscriminatorConfig()))) == 8_294_211


def test_discriminator_width_above_512_is_512():
    with torch.device("meta"):
        (outputs,) = MultiScaleDiscriminator(3, width=600, layers=1, scales=1)(torch.empty(1, 3, 64, 64))
    assert [layer.shape[1] for layer in outputs] == [512, 512, 1]


def test_discriminator_initial_weights_as_pix2pixhd():
    network = MultiScaleDiscriminator(3, width=16)
    weights = torch.cat([p.flatten() for p in network.parameters() if p.ndim == 4])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert not any(p.any() for p in network.parameters() if p.ndim == 1)
    starts = [scale.layers[0][0].weight for scale in network.scales]
    assert not torch.equal(starts[0], starts[1])
