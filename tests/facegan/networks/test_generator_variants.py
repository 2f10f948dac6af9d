"""What every norm, memory format and compiler must leave as it is, for all networks in training."""

import pytest
import torch
from torch import nn

from facegan.networks import (
    BackgroundMixer,
    FaceReenactor,
    MixerConfig,
    MultiScaleDiscriminator,
    ReenactorConfig,
)
from facegan.networks.generator import norm_layer

NORMS = ("instance", "group")
SIZE = 64


def small(config, norm="instance", kind="coarse_to_fine"):
    return config(
        kind, width=8, downsamplings=2, num_residual_blocks=1, num_local_residual_blocks=1, norm=norm
    )


def discriminator(norm):
    return MultiScaleDiscriminator(3, width=8, layers=2, scales=2, norm=norm)


BUILDERS = {
    "reenactor": lambda norm: FaceReenactor(small(ReenactorConfig, norm)),
    "global reenactor": lambda norm: FaceReenactor(small(ReenactorConfig, norm, "global")),
    "mixer": lambda norm: BackgroundMixer(small(MixerConfig, norm)),
    "discriminator": discriminator,
}
builders = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
norms = pytest.mark.parametrize("norm", NORMS)


def lively(build, norm):
    """Weights large enough that a fault shows."""
    torch.manual_seed(0)
    network = build(norm)
    for name, parameter in network.named_parameters():
        if parameter.ndim == 4 or name.endswith("bias"):
            nn.init.normal_(parameter, std=0.1)
    return network


def inputs(network, count=2, seed=0):
    channels = {FaceReenactor: (3, 1), BackgroundMixer: (3, 3), MultiScaleDiscriminator: (3,)}[type(network)]
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(count, c, SIZE, SIZE, generator=generator) * 2 - 1 for c in channels]


def outputs(network, images):
    """All that a network returns, as one flat list."""
    output = network(*images)
    if isinstance(network, MultiScaleDiscriminator):
        return [layer for scale in output for layer in scale]
    return list(output)


def gradients(network, output):
    network.zero_grad()
    sum(value.square().mean() for value in output).backward()
    return {name: parameter.grad for name, parameter in network.named_parameters()}


@builders
@norms
def test_network_outputs_finite_and_every_weight_has_gradient(build, norm):
    torch.manual_seed(0)
    untouched = build(norm)
    assert all(value.isfinite().all() for value in outputs(untouched, inputs(untouched)))
    network = lively(build, norm)
    output = outputs(network, inputs(network))
    assert all(value.isfinite().all() and value.std() > 1e-3 for value in output)
    for name, gradient in gradients(network, output).items():
        assert gradient.isfinite().all()
        # A bias before an instance norm is taken away again; a weight is not.
        assert gradient.abs().sum() > 0 or name.endswith("bias")


@builders
@norms
def test_pictures_of_a_batch_do_not_see_each_other(build, norm):
    """While training: batch norm would pass in evaluation."""
    network = lively(build, norm)
    images, others = inputs(network, 3), inputs(network, 3, seed=1)
    mixed = [torch.cat((p[:1], 5 * o[1:])) for p, o in zip(images, others, strict=True)]
    with torch.no_grad():
        whole, other, alone = (
            [value[:1] for value in outputs(network, batch)]
            for batch in (images, mixed, [p[:1] for p in images])
        )
    torch.testing.assert_close(other, whole, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(alone, whole, atol=1e-5, rtol=1e-5)


@builders
@norms
def test_network_train_and_eval_mode_agree(build, norm):
    """No statistics are kept."""
    network = lively(build, norm)
    images = inputs(network)
    training = outputs(network, images)
    assert all(torch.equal(a, b) for a, b in zip(training, outputs(network.eval(), images), strict=True))


@builders
@norms
def test_network_channels_last_changes_nothing(build, norm):
    usual, channels_last = (lively(build, norm) for _ in range(2))
    channels_last.to(memory_format=torch.channels_last)
    images = inputs(usual)
    ours = outputs(usual, images)
    theirs = outputs(channels_last, [p.to(memory_format=torch.channels_last) for p in images])
    assert any(value.is_contiguous(memory_format=torch.channels_last) for value in theirs)
    torch.testing.assert_close(theirs, ours, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(gradients(channels_last, theirs), gradients(usual, ours), atol=1e-4, rtol=1e-4)


def test_norm_layer_group_has_scale_and_differs():
    learned = {norm: dict(lively(BUILDERS["reenactor"], norm).named_parameters()) for norm in NORMS}
    assert {p.ndim for p in learned["instance"].values()} == {1, 4}
    added = learned["group"].keys() - learned["instance"].keys()
    # stem, two down, two a block, two up in the global one; stem, down, two a block, up; second head
    assert len(added) == 2 * (7 + 5 + 1)
    networks = [lively(BUILDERS["reenactor"], norm) for norm in NORMS]
    faces = [outputs(network, inputs(network))[0] for network in networks]
    assert not torch.allclose(*faces, atol=1e-3)


@pytest.mark.parametrize(
    ("channels", "groups"), [(3, 3), (4, 1), (8, 1), (24, 3), (40, 5), (64, 4), (512, 32)]
)
def test_norm_layer_group_equals_reference(channels, groups):
    hidden = torch.randn(2, channels, 5, 6, generator=torch.Generator().manual_seed(0)) * 3 + 1
    blocks = hidden.reshape(2, groups, -1)
    variance, mean = torch.var_mean(blocks, dim=2, keepdim=True, correction=0)
    expected = ((blocks - mean) / (variance + 1e-5).sqrt()).view_as(hidden)
    torch.testing.assert_close(norm_layer("group", channels)(hidden), expected)
