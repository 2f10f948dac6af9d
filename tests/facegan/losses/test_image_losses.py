import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.functional import jaccard_index

from facegan.losses import perceptual_loss, reconstruction_loss, segmentation_loss, soft_jaccard_loss

seeds = st.integers(0, 2**31 - 1)


def images(seed, *shape):
    return torch.rand(2, *shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_reconstruction_loss_known_value():
    truth = torch.zeros(2, 3, 2, 2)
    generated = truth.clone()
    generated[0, 0, 0, 0], generated[1, 2, 1, 1] = 0.5, -1.0
    assert reconstruction_loss(generated, truth).item() == pytest.approx(1.5 / 24)


@given(seeds)
def test_reconstruction_loss_is_distance(seed):
    a, b = images(seed, 2, 3, 4, 4)
    assert reconstruction_loss(a, a) == 0
    assert reconstruction_loss(a, b) > 0
    torch.testing.assert_close(reconstruction_loss(a, b), reconstruction_loss(b, a))


def features(seed):
    shapes = [(2, 4, 8, 8), (2, 8, 4, 4), (2, 16, 2, 2), (2, 16, 1, 1), (2, 3, 1, 1)]
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for shape in shapes]


@given(seeds)
def test_perceptual_loss_is_weighted_sum_of_means(seed):
    """1/(C H W) makes every layer a mean, whatever its size; the weights are pix2pixHD's."""
    ours, theirs = features(seed), features(seed + 1)
    weights = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1)
    expected = sum(
        weight * (a - b).abs().sum() / a.numel() for weight, a, b in zip(weights, ours, theirs, strict=True)
    )
    torch.testing.assert_close(perceptual_loss(ours, theirs), expected)
    torch.testing.assert_close(perceptual_loss(ours, theirs), perceptual_loss(theirs, ours))
    assert perceptual_loss(ours, ours) == 0


def test_perceptual_loss_needs_weight_for_each_map():
    ours, theirs = [torch.zeros(1, 1, 2, 2)] * 2, [torch.ones(1, 1, 2, 2), torch.full((1, 1, 1, 1), -3.0)]
    ours[1] = torch.zeros(1, 1, 1, 1)
    assert perceptual_loss(ours, theirs, [1.0, 1.0]) == 4
    assert perceptual_loss(ours, theirs, [2.0, 0.5]) == 3.5
    with pytest.raises(ValueError, match="shorter"):
        perceptual_loss(ours, theirs)


def test_perceptual_loss_target_has_no_gradient():
    ours, theirs = (torch.rand(1, 2, 3, 3, requires_grad=True) for _ in range(2))
    perceptual_loss([ours], [theirs], [1.0]).backward()
    assert ours.grad.abs().sum() > 0
    assert theirs.grad is None


def test_segmentation_loss_known_value():
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 0.0, 0.0]]).view(2, 3, 1, 1)
    labels = torch.tensor([2, 0]).view(2, 1, 1)
    first = -math.log(math.exp(1) / (math.exp(2) + 1 + math.exp(1)))
    assert segmentation_loss(logits, labels).item() == pytest.approx((first + math.log(3)) / 2)


@given(seeds)
def test_segmentation_loss_certain_is_zero_or_large(seed):
    labels = torch.randint(3, (2, 4, 4), generator=torch.Generator().manual_seed(seed))
    right = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1) * 100.0
    assert segmentation_loss(right, labels) == 0
    assert segmentation_loss(right, (labels + 1) % 3) == 100
    assert segmentation_loss(right.half(), labels.byte()).dtype == torch.float32


def logits_of(labels, sureness=200.0):
    return torch.nn.functional.one_hot(labels, 3).movedim(-1, 1) * sureness


@given(seeds)
def test_soft_jaccard_loss_certain_equals_jaccard_of_sets(seed):
    """Against torchmetrics' count of the same pixels."""
    found, truth = torch.randint(3, (2, 2, 8, 8), generator=torch.Generator().manual_seed(seed))
    counted = jaccard_index(found, truth, task="multiclass", num_classes=3, average="macro")
    torch.testing.assert_close(soft_jaccard_loss(logits_of(found), truth), 1 - counted)


def test_soft_jaccard_loss_uniform_known_value():
    """Two pixels, background and face, half and half of both: (½ / 1½ + ½ / 1½) and hair, nowhere."""
    logits = torch.tensor([0.0, 0.0, -200.0]).view(1, 3, 1, 1).expand(1, 3, 1, 2)
    loss = soft_jaccard_loss(logits, torch.tensor([[[0, 1]]]))
    assert loss.item() == pytest.approx(1 - (1 / 3 + 1 / 3 + 1) / 3)


@pytest.mark.parametrize(("label", "size"), [(1, 64), (2, 4)])
def test_soft_jaccard_loss_is_relative_to_region_size(label, size):
    truth = torch.zeros(1, 16, 16, dtype=torch.long)
    truth[:, 4:12, 4:12], truth[:, 2, 2:6] = 1, 2
    found = truth.clone()
    found.view(-1)[(truth.view(-1) == label).nonzero()[: size // 2, 0]] = 0
    background = 256 - 64 - 4
    expected = (1 / 2 + 1 - background / (background + size // 2)) / 3
    assert soft_jaccard_loss(logits_of(found), truth).item() == pytest.approx(expected)


@given(seeds)
def test_soft_jaccard_loss_decreases_along_gradient(seed):
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 6, 6, generator=random).requires_grad_()
    truth = torch.randint(3, (2, 6, 6), generator=random).byte()
    before = soft_jaccard_loss(logits, truth)
    before.backward()
    after = soft_jaccard_loss(logits.detach() - 10 * logits.grad, truth)
    assert 0 <= after < before <= 1
    assert soft_jaccard_loss(logits.bfloat16(), truth).dtype == torch.float32
