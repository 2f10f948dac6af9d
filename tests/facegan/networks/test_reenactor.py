"""The face reenactor and the background mixer."""

import pytest
import torch

from facegan.errors import InputError
from facegan.networks import (
    BackgroundMixer,
    CoarseToFineGenerator,
    FaceReenactor,
    GlobalGenerator,
    MixerConfig,
    ReenactorConfig,
)

SMALL = {"width": 8, "downsamplings": 2, "num_residual_blocks": 1, "num_local_residual_blocks": 1}
CONFIGS = {FaceReenactor: ReenactorConfig, BackgroundMixer: MixerConfig}


def build(network, **changes):
    return network(CONFIGS[network](**SMALL | changes))


KINDS = [("coarse_to_fine", CoarseToFineGenerator), ("global", GlobalGenerator)]


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(("kind", "generator"), KINDS)
def test_face_reenactor_uses_generator_of_config(kind, generator):
    network = build(FaceReenactor, kind=kind)
    assert type(network.generator) is generator
    source, heatmap = noise(2, 3, 32, 32), noise(2, 1, 32, 32, seed=1).abs()
    face, segmentation = network(source, heatmap)
    assert face.shape == segmentation.shape == (2, 3, 32, 32)
    torch.testing.assert_close(face, network.generator(torch.cat((source, heatmap), dim=1)))


def test_face_reenactor_aligned_takes_head_labels_and_confidence():
    network = build(FaceReenactor, align_source=True)
    face, segmentation = network(noise(2, 6, 32, 32), noise(2, 1, 32, 32, seed=1).abs())
    assert face.shape == segmentation.shape == (2, 3, 32, 32)


def untrained(network, attention):
    """Predict nothing, and use the painting with this weight."""
    second = network.segmentation if isinstance(network, FaceReenactor) else network.mask
    for layer in (second[-1], network.attention[-1]):
        torch.nn.init.zeros_(layer.weight)
    torch.nn.init.constant_(network.attention[-1].bias, torch.tensor(attention).logit().item())
    return network


def test_face_reenactor_aligned_starts_from_moved_head_and_labels():
    """A border of half the head has the head's colors."""
    labels = torch.zeros(1, 2, 32, 32)
    labels[:, 0, 4:20, 8:24], labels[:, 1, 20:24, 8:24] = 1, 0.5
    image = noise(1, 3, 32, 32)
    moved = image * labels.sum(dim=1, keepdim=True)
    appearance = torch.cat((moved, labels, noise(1, 1, 32, 32)), dim=1)
    network = untrained(build(FaceReenactor, align_source=True), 1e-6)
    face, logits = network(appearance, noise(1, 1, 32, 32, seed=1).abs())
    head = labels.sum(dim=1, keepdim=True).expand_as(face) > 0
    torch.testing.assert_close(face[head], image[head], atol=1e-4, rtol=0)
    torch.testing.assert_close(logits.softmax(dim=1)[:, 1:], labels, atol=0.02, rtol=0)
    untrained(network, 0.5)
    heatmap = noise(1, 1, 32, 32, seed=1).abs()
    painted = network.generator(torch.cat((appearance, heatmap), dim=1))
    half, _ = network(appearance, heatmap)
    torch.testing.assert_close(half[head], (painted + image)[head] / 2)


def test_background_mixer_filling_starts_from_head_and_alpha():
    network = untrained(build(BackgroundMixer, fill_background=True), 1e-6)
    alpha = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(2)).clamp(0.2, 0.9)
    face, background = noise(1, 3, 32, 32), noise(1, 3, 32, 32, seed=1)
    foreground, mask = network(face * alpha, background, alpha)
    torch.testing.assert_close(foreground, face, atol=1e-4, rtol=0)
    torch.testing.assert_close(mask, alpha)
    with pytest.raises(ValueError, match="needs the head's alpha"):
        network(face, background)


@pytest.mark.parametrize(("kind", "generator"), KINDS)
def test_background_mixer_returns_foreground_and_mask(kind, generator):
    network = build(BackgroundMixer, kind=kind)
    assert type(network.generator) is generator
    head, background = noise(2, 3, 32, 32), noise(2, 3, 32, 32, seed=1)
    foreground, mask = network(head, background)
    assert foreground.shape == (2, 3, 32, 32)
    assert mask.shape == (2, 1, 32, 32)
    assert 0 < mask.min() < mask.max() < 1
    torch.testing.assert_close(foreground, network.generator(torch.cat((head, background), dim=1)))


@pytest.mark.parametrize("network", [build(FaceReenactor), build(BackgroundMixer)])
def test_second_head_gradient_reaches_generator(network):
    channels = 1 if isinstance(network, FaceReenactor) else 3
    _, second = network(noise(1, 3, 32, 32), noise(1, channels, 32, 32, seed=1))
    second.square().sum().backward()
    assert network.generator.stem[0].weight.grad.abs().sum() > 0
    assert network.generator.head[0].weight.grad is None


@pytest.mark.parametrize("network", [FaceReenactor, BackgroundMixer])
def test_generator_config_reaches_generator(network):
    def parameters(**changes):
        built = build(network, **changes)
        return sum(p.numel() for p in built.generator.parameters())

    small = parameters()
    more = [
        {"width": 16},
        {"downsamplings": 3},
        {"num_residual_blocks": 2},
        {"num_local_residual_blocks": 2},
        {"norm": "group"},
    ]
    assert all(parameters(**changes) > small for changes in more)
    assert parameters(kind="global") < small
    assert build(network, use_skip_connections=True).generator.use_skip_connections
    assert any(isinstance(m, torch.nn.GroupNorm) for m in build(network, norm="group").modules())
    assert not any(isinstance(m, torch.nn.InstanceNorm2d) for m in build(network, norm="group").modules())


def test_face_reenactor_default_num_parameters():
    """pix2pixHD's generator and a second head: 3×3 to the same width, 3×3 to the classes."""
    with torch.device("meta"):
        reenactor = sum(p.numel() for p in FaceReenactor().parameters())
    assert reenactor == 182_706_531 + (32 * 32 * 9 + 32) + (32 * 3 * 9 + 3)


@pytest.mark.parametrize("network", [FaceReenactor, BackgroundMixer])
@pytest.mark.parametrize(("kind", "multiple"), [("global", 4), ("coarse_to_fine", 8)])
def test_multiple_is_required_size(network, kind, multiple):
    built = build(network, kind=kind)
    assert built.multiple == multiple
    channels = 1 if network is FaceReenactor else 3
    side = 5 * multiple
    assert built(noise(1, 3, side, side), noise(1, channels, side, side))[0].shape == (1, 3, side, side)
    side += multiple // 2
    with pytest.raises(ValueError, match=f"multiples of {multiple}"):
        built(noise(1, 3, side, side), noise(1, channels, side, side))


@pytest.mark.parametrize("network", [FaceReenactor, BackgroundMixer])
def test_load_global_generator_is_bit_exact(network):
    trained = build(network, kind="global", width=16)
    grown = build(network)
    own = {
        n: t.clone() for n, t in grown.state_dict().items() if not n.startswith("generator.global_generator.")
    }
    grown.load_global_generator(trained.state_dict())
    state = trained.generator.state_dict()
    assert all(torch.equal(t, state[n]) for n, t in grown.generator.global_generator.state_dict().items())
    assert all(torch.equal(grown.state_dict()[name], tensor) for name, tensor in own.items())
    images = noise(1, 4 if network is FaceReenactor else 6, 16, 16)
    torch.testing.assert_close(
        grown.generator.global_generator.features(images), trained.generator.features(images), atol=0, rtol=0
    )


@pytest.mark.parametrize(
    ("settings", "state", "message"),
    [
        ({}, build(FaceReenactor, kind="global"), "other sizes: .* width 16 "),
        (
            {},
            build(BackgroundMixer, kind="global", width=16),
            r"stem\.0\.weight is 16×6×7×7, not 16×4",
        ),
        ({}, build(FaceReenactor), "other sizes"),
        ({}, torch.nn.Linear(1, 1), "is absent, not"),
        (
            {"kind": "global"},
            build(FaceReenactor, kind="global", width=16),
            "only a coarse_to_fine one",
        ),
    ],
)
def test_load_global_generator_other_sizes_are_refused(settings, state, message):
    with pytest.raises(InputError, match=message) as caught:
        build(FaceReenactor, **settings).load_global_generator(state.state_dict())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("network", [FaceReenactor, BackgroundMixer])
def test_init_kaiming_scales_with_fan_in_except_heads(network):
    torch.manual_seed(0)
    networks = {
        start: network(CONFIGS[network](kind="global", width=16, num_residual_blocks=1, init=start))
        for start in ("normal", "kaiming")
    }
    for name, module in networks["kaiming"].named_modules():
        if isinstance(module, torch.nn.Conv2d):
            wanted = (2 / (module.in_channels * module.kernel_size[0] ** 2)) ** 0.5
            last = name in ("generator.head.0", "segmentation.1", "mask.1")
            assert module.weight.std().item() == pytest.approx(0.02 if last else wanted, rel=0.15), name
    for name, module in networks["normal"].named_modules():
        if isinstance(module, torch.nn.Conv2d):
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.15), name
