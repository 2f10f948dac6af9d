from dataclasses import replace

import pytest
import torch

from facegan.errors import InputError
from facegan.networks import (
    BackgroundMixer,
    CoarseToFineGenerator,
    FaceReenactor,
    GeneratorConfig,
    GlobalGenerator,
)
from facegan.networks.compositing import mask_background, mask_head, mask_predicted_head, mix

SMALL = GeneratorConfig(width=8, downsamplings=2, blocks=1, local_blocks=1)
KINDS = [("coarse_to_fine", CoarseToFineGenerator), ("global", GlobalGenerator)]


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(("kind", "generator"), KINDS)
def test_reenactor_paints_with_pix2pixhds_generator_and_labels(kind, generator):
    network = FaceReenactor(replace(SMALL, kind=kind))
    assert type(network.generator) is generator
    source, heatmap = noise(2, 3, 32, 32), noise(2, 1, 32, 32, seed=1).abs()
    face, segmentation = network(source, heatmap)
    assert face.shape == segmentation.shape == (2, 3, 32, 32)
    torch.testing.assert_close(face, network.generator(torch.cat((source, heatmap), dim=1)))


@pytest.mark.parametrize(("kind", "generator"), KINDS)
def test_mixer_paints_and_masks(kind, generator):
    network = BackgroundMixer(replace(SMALL, kind=kind))
    assert type(network.generator) is generator
    head, background = noise(2, 3, 32, 32), noise(2, 3, 32, 32, seed=1)
    painted, mask = network(head, background)
    assert painted.shape == (2, 3, 32, 32)
    assert mask.shape == (2, 1, 32, 32)
    assert 0 < mask.min() < mask.max() < 1
    torch.testing.assert_close(painted, network.generator(torch.cat((head, background), dim=1)))


@pytest.mark.parametrize("network", [FaceReenactor(SMALL), BackgroundMixer(SMALL)])
def test_second_head_trains_the_generators_features(network):
    channels = 1 if isinstance(network, FaceReenactor) else 3
    _, second = network(noise(1, 3, 32, 32), noise(1, channels, 32, 32, seed=1))
    second.square().sum().backward()
    assert network.generator.stem[0].weight.grad.abs().sum() > 0
    assert network.generator.head[0].weight.grad is None


@pytest.mark.parametrize("network", [FaceReenactor, BackgroundMixer])
def test_every_setting_reaches_the_generator(network):
    def parameters(**changes):
        built = network(replace(SMALL, **changes))
        return sum(p.numel() for p in built.generator.parameters())

    small = parameters()
    more = [{"width": 16}, {"downsamplings": 3}, {"blocks": 2}, {"local_blocks": 2}, {"norm": "group"}]
    assert all(parameters(**changes) > small for changes in more)
    assert parameters(kind="global") < small
    assert network(replace(SMALL, skips=True)).generator.skips
    assert any(isinstance(m, torch.nn.GroupNorm) for m in network(replace(SMALL, norm="group")).modules())
    assert not any(
        isinstance(m, torch.nn.InstanceNorm2d) for m in network(replace(SMALL, norm="group")).modules()
    )


def test_parameters_of_the_defaults():
    """pix2pixHD's generator and a second head: 3×3 to the same width, 3×3 to the classes."""
    with torch.device("meta"):
        reenactor = sum(p.numel() for p in FaceReenactor().parameters())
    assert reenactor == 182_706_531 + (32 * 32 * 9 + 32) + (32 * 3 * 9 + 3)


@pytest.mark.parametrize("network", [FaceReenactor, BackgroundMixer])
@pytest.mark.parametrize(("kind", "multiple"), [("global", 4), ("coarse_to_fine", 8)])
def test_sizes_that_fit_are_told(network, kind, multiple):
    built = network(replace(SMALL, kind=kind))
    assert built.multiple == multiple
    channels = 1 if network is FaceReenactor else 3
    side = 5 * multiple
    assert built(noise(1, 3, side, side), noise(1, channels, side, side))[0].shape == (1, 3, side, side)
    side += multiple // 2
    with pytest.raises(ValueError, match=f"multiples of {multiple}"):
        built(noise(1, 3, side, side), noise(1, channels, side, side))


@pytest.mark.parametrize("network", [FaceReenactor, BackgroundMixer])
def test_second_phase_begins_where_the_first_has_ended(network):
    trained = network(replace(SMALL, kind="global", width=16))
    grown = network(SMALL)
    own = {n: t.clone() for n, t in grown.state_dict().items() if not n.startswith("generator.coarse.")}
    grown.load_global(trained.state_dict())
    state = trained.generator.state_dict()
    assert all(torch.equal(t, state[n]) for n, t in grown.generator.coarse.state_dict().items())
    assert all(torch.equal(grown.state_dict()[name], tensor) for name, tensor in own.items())
    pictures = noise(1, 4 if network is FaceReenactor else 6, 16, 16)
    torch.testing.assert_close(
        grown.generator.coarse.features(pictures), trained.generator.features(pictures), atol=0, rtol=0
    )


@pytest.mark.parametrize(
    ("settings", "state", "message"),
    [
        (SMALL, FaceReenactor(replace(SMALL, kind="global")), "other sizes: .* width 16 "),
        (
            SMALL,
            BackgroundMixer(replace(SMALL, kind="global", width=16)),
            r"stem\.0\.weight is 16×6×7×7, not 16×4",
        ),
        (SMALL, FaceReenactor(SMALL), "other sizes"),
        (SMALL, torch.nn.Linear(1, 1), "is absent, not"),
        (
            replace(SMALL, kind="global"),
            FaceReenactor(replace(SMALL, kind="global", width=16)),
            "only a coarse_to_fine one",
        ),
    ],
)
def test_first_phase_that_does_not_fit(settings, state, message):
    with pytest.raises(InputError, match=message) as caught:
        FaceReenactor(settings).load_global(state.state_dict())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("network", [FaceReenactor, BackgroundMixer])
def test_coarse_parameters_are_the_global_generators(network):
    grown = network(SMALL)
    coarse = list(grown.coarse_parameters())
    assert {id(p) for p in coarse} == {
        id(p) for n, p in grown.named_parameters() if n.startswith("generator.coarse.")
    }
    assert 0 < len(coarse) < len(list(grown.parameters()))
    assert not list(network(replace(SMALL, kind="global")).coarse_parameters())


def test_cutting_by_labels():
    picture = noise(2, 3, 4, 4)
    labels = torch.randint(3, (2, 4, 4), generator=torch.Generator().manual_seed(0))
    head, background = mask_head(picture, labels), mask_background(picture, labels)
    torch.testing.assert_close(head + background, picture)
    assert not (head * background).any()
    for batch, row, column in labels.nonzero():
        assert torch.equal(head[batch, :, row, column], picture[batch, :, row, column])
        assert not background[batch, :, row, column].any()


def test_predicted_head_is_weighted_by_its_probability():
    face, logits = noise(2, 3, 4, 4), 3 * noise(2, 3, 4, 4, seed=1)
    weights = logits.exp()
    expected = face * ((weights[:, 1] + weights[:, 2]) / weights.sum(dim=1))[:, None]
    torch.testing.assert_close(mask_predicted_head(face, logits), expected)
    sure = torch.zeros(2, 3, 4, 4)
    sure[:, 0, :, :2], sure[:, 2, :, 2:] = 100, 100
    torch.testing.assert_close(mask_predicted_head(face, sure), mask_head(face, sure.argmax(dim=1)))


def test_mixing_goes_from_background_to_painted():
    painted, background = noise(1, 3, 2, 2), noise(1, 3, 2, 2, seed=1)
    mask = torch.tensor([0.0, 1.0, 0.25, 0.5]).view(1, 1, 2, 2)
    mixed = mix(painted, mask, background)
    assert torch.equal(mixed[..., 0, 0], background[..., 0, 0])
    assert torch.equal(mixed[..., 0, 1], painted[..., 0, 1])
    torch.testing.assert_close(mixed[..., 1, 0], 0.25 * painted[..., 1, 0] + 0.75 * background[..., 1, 0])


@pytest.mark.parametrize("painter", [FaceReenactor, BackgroundMixer])
def test_kaimings_start_follows_the_layers_sizes_and_leaves_the_heads(painter):
    torch.manual_seed(0)
    networks = {
        start: painter(GeneratorConfig(kind="global", width=16, blocks=1, init=start))
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
