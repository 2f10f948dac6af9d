"""Adversarial losses against textbook formulas."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from facegan.losses import discriminator_loss, feature_matching_loss, generator_loss
from facegan.networks import MultiScaleDiscriminator

FORMS = ("log", "least_squares")
forms = pytest.mark.parametrize("form", FORMS)
seeds = st.integers(0, 2**31 - 1)


def logits(seed):
    """Maps of three scales, real and fake."""
    generator = torch.Generator().manual_seed(seed)
    return [[3 * torch.randn(2, 1, side, side, generator=generator) for side in (7, 4, 3)] for _ in range(2)]


def binary_cross_entropy(maps, label):
    return sum(
        F.binary_cross_entropy(torch.sigmoid(x.double()), torch.full_like(x, label).double()) for x in maps
    )


def square_distance(maps, label):
    return sum(F.mse_loss(x, torch.full_like(x, label)) for x in maps)


@given(seeds)
def test_log_form_equals_binary_cross_entropy(seed):
    real, fake = logits(seed)
    expected = binary_cross_entropy(real, 1.0) + binary_cross_entropy(fake, 0.0)
    assert discriminator_loss(real, fake).item() == pytest.approx(expected.item(), rel=1e-5)
    assert generator_loss(fake).item() == pytest.approx(binary_cross_entropy(fake, 1.0).item(), rel=1e-5)


@given(seeds)
def test_least_squares_form_equals_mse_to_labels(seed):
    real, fake = logits(seed)
    expected = square_distance(real, 1.0) + square_distance(fake, 0.0)
    torch.testing.assert_close(discriminator_loss(real, fake, "least_squares"), expected)
    torch.testing.assert_close(generator_loss(fake, "least_squares"), square_distance(fake, 1.0))


def test_losses_zero_logits_have_known_values():
    real, fake = [torch.zeros(1, 1, 1, 1)], [torch.zeros(1, 1, 1, 1)]
    assert discriminator_loss(real, fake).item() == pytest.approx(2 * math.log(2))
    assert generator_loss(fake).item() == pytest.approx(math.log(2))
    assert discriminator_loss(real, fake, "least_squares") == 1


@forms
@given(seed=seeds)
def test_losses_are_sums_over_scales(form, seed):
    real, fake = logits(seed)
    total = sum(discriminator_loss([r], [f], form) for r, f in zip(real, fake, strict=True))
    torch.testing.assert_close(discriminator_loss(real, fake, form), total)
    torch.testing.assert_close(generator_loss(fake, form), sum(generator_loss([f], form) for f in fake))


@forms
@given(seed=seeds)
def test_losses_winning_side_is_lower(form, seed):
    real, fake = logits(seed)
    higher, lower = [x.abs() + 2 for x in real], [-x.abs() - 2 for x in fake]
    assert discriminator_loss(higher, lower, form) < discriminator_loss(lower, higher, form)
    assert generator_loss([x + 0.1 for x in lower], form) < generator_loss(lower, form)


@forms
def test_generator_gradient_certain_discriminator_is_finite_and_large(form):
    """log(1 - D) would leave the generator without one; this form must not, nor overflow."""
    for certainty in (-100.0, 100.0):
        fake = torch.full((1, 1, 2, 2), certainty, requires_grad=True)
        loss = generator_loss([fake], form) + discriminator_loss([-fake.detach()], [fake.detach()], form)
        loss.backward()
        assert loss.isfinite()
        assert fake.grad.isfinite().all()
        if certainty < 0:
            assert (fake.grad < -0.2).all()


@forms
def test_discriminator_loss_half_precision_is_float32(form):
    real, fake = logits(0)
    half = discriminator_loss([x.bfloat16() for x in real], [x.bfloat16() for x in fake], form)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, discriminator_loss(real, fake, form), rtol=0.01, atol=0.01)


def test_discriminator_loss_missing_scale_is_refused():
    real, fake = logits(0)
    with pytest.raises(ValueError, match="shorter"):
        discriminator_loss(real, fake[:2])


def activations(seed, scales, layers):
    generator = torch.Generator().manual_seed(seed)
    return [
        [torch.randn(2, 3 + layer, 8 >> layer, 5, generator=generator) for layer in range(layers)]
        for _ in range(scales)
    ]


@given(seeds, st.integers(1, 3), st.integers(2, 4))
def test_feature_matching_loss_equals_loop(seed, scales, layers):
    """pix2pixHD's: 4 / (layers but the logits) and 1 / scales."""
    fake, real = activations(seed, scales, layers), activations(seed + 1, scales, layers)
    expected = 0.0
    for i in range(scales):
        for j in range(layers - 1):
            distance = (fake[i][j] - real[i][j]).abs().sum().item() / fake[i][j].numel()
            expected += 1 / scales * 4 / (layers - 1) * distance
    assert feature_matching_loss(fake, real).item() == pytest.approx(expected, rel=1e-5)
    assert feature_matching_loss(real, real) == 0


def test_feature_matching_loss_has_no_gradient_for_logits_and_real():
    fake, real = (
        [[x.requires_grad_() for x in scale] for scale in activations(seed, 2, 3)] for seed in (0, 1)
    )
    feature_matching_loss(fake, real).backward()
    assert all(x.grad is None for scale in real for x in scale)
    for *hidden, logits_ in fake:
        assert logits_.grad is None
        assert all(x.grad.abs().sum() > 0 for x in hidden)


def test_feature_matching_loss_takes_discriminator_outputs():
    network = MultiScaleDiscriminator(3, width=4)
    images = torch.randn(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0)).unbind()
    fake, real = (network(image) for image in images)
    loss = feature_matching_loss([[x.bfloat16() for x in scale] for scale in fake], real)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, feature_matching_loss(fake, real), rtol=0.01, atol=0.01)
    with pytest.raises(ValueError, match="shorter"):
        feature_matching_loss(fake, real[:2])
