import pytest
import torch

from facegan.networks import BackgroundMixer, CoarseToFineGenerator, FaceReenactor, GlobalGenerator
from facegan.networks.compositing import cut_background, cut_head, cut_predicted_head, mix

SMALL = {"width": 8, "downsamplings": 2, "blocks": 1, "local_blocks": 1}
KINDS = [("coarse_to_fine", CoarseToFineGenerator), ("global", GlobalGenerator)]


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(("kind", "generator"), KINDS)
def test_reenactor_paints_with_pix2pixhds_generator_and_labels(kind, generator):
    network = FaceReenactor(kind, **SMALL)
    assert type(network.generator) is generator
    source, heatmap = noise(2, 3, 32, 32), noise(2, 1, 32, 32, seed=1).abs()
    face, segmentation = network(source, heatmap)
    assert face.shape == segmentation.shape == (2, 3, 32, 32)
    torch.testing.assert_close(face, network.generator(torch.cat((source, heatmap), dim=1)))


@pytest.mark.parametrize(("kind", "generator"), KINDS)
def test_mixer_paints_and_masks(kind, generator):
    network = BackgroundMixer(kind, **SMALL)
    assert type(network.generator) is generator
    head, background = noise(2, 3, 32, 32), noise(2, 3, 32, 32, seed=1)
    painted, mask = network(head, background)
    assert painted.shape == (2, 3, 32, 32)
    assert mask.shape == (2, 1, 32, 32)
    assert 0 < mask.min() < mask.max() < 1
    torch.testing.assert_close(painted, network.generator(torch.cat((head, background), dim=1)))


@pytest.mark.parametrize("network", [FaceReenactor(**SMALL), BackgroundMixer(**SMALL)])
def test_second_head_trains_the_generators_features(network):
    channels = 1 if isinstance(network, FaceReenactor) else 3
    _, second = network(noise(1, 3, 32, 32), noise(1, channels, 32, 32, seed=1))
    second.square().sum().backward()
    assert network.generator.stem[0].weight.grad.abs().sum() > 0
    assert network.generator.head[0].weight.grad is None


def test_skips_and_sizes_reach_the_generator():
    sizes = [
        sum(p.numel() for p in FaceReenactor("global", width, 2, blocks).parameters())
        for width, blocks in ((8, 1), (8, 2), (16, 1))
    ]
    assert sizes[0] < sizes[1] < sizes[2]
    assert FaceReenactor("coarse_to_fine", **SMALL, skips=True).generator.skips


def test_cutting_by_labels():
    picture = noise(2, 3, 4, 4)
    labels = torch.randint(3, (2, 4, 4), generator=torch.Generator().manual_seed(0))
    head, background = cut_head(picture, labels), cut_background(picture, labels)
    torch.testing.assert_close(head + background, picture)
    assert not (head * background).any()
    for batch, row, column in labels.nonzero():
        assert torch.equal(head[batch, :, row, column], picture[batch, :, row, column])
        assert not background[batch, :, row, column].any()


def test_predicted_head_is_weighted_by_its_probability():
    face, logits = noise(2, 3, 4, 4), 3 * noise(2, 3, 4, 4, seed=1)
    weights = logits.exp()
    expected = face * ((weights[:, 1] + weights[:, 2]) / weights.sum(dim=1))[:, None]
    torch.testing.assert_close(cut_predicted_head(face, logits), expected)
    sure = torch.zeros(2, 3, 4, 4)
    sure[:, 0, :, :2], sure[:, 2, :, 2:] = 100, 100
    torch.testing.assert_close(cut_predicted_head(face, sure), cut_head(face, sure.argmax(dim=1)))


def test_mixing_goes_from_background_to_painted():
    painted, background = noise(1, 3, 2, 2), noise(1, 3, 2, 2, seed=1)
    mask = torch.tensor([0.0, 1.0, 0.25, 0.5]).view(1, 1, 2, 2)
    mixed = mix(painted, mask, background)
    assert torch.equal(mixed[..., 0, 0], background[..., 0, 0])
    assert torch.equal(mixed[..., 0, 1], painted[..., 0, 1])
    torch.testing.assert_close(mixed[..., 1, 0], 0.25 * painted[..., 1, 0] + 0.75 * background[..., 1, 0])
