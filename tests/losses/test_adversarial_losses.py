import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from facegan.losses import discriminator_loss, generator_loss

FORMS = ("log", "least_squares", "hinge")
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


def hinge(maps, sign):
    return sum(F.hinge_embedding_loss(sign * x, torch.full_like(x, -1.0)) for x in maps)


@given(seeds)
def test_log_form_is_binary_cross_entropy(seed):
    real, fake = logits(seed)
    expected = binary_cross_entropy(real, 1.0) + binary_cross_entropy(fake, 0.0)
    assert discriminator_loss(real, fake).item() == pytest.approx(expected.item(), rel=1e-5)
    assert generator_loss(fake).item() == pytest.approx(binary_cross_entropy(fake, 1.0).item(), rel=1e-5)


@given(seeds)
def test_least_squares_form_is_the_distance_to_the_labels(seed):
    real, fake = logits(seed)
    expected = square_distance(real, 1.0) + square_distance(fake, 0.0)
    torch.testing.assert_close(discriminator_loss(real, fake, "least_squares"), expected)
    torch.testing.assert_close(generator_loss(fake, "least_squares"), square_distance(fake, 1.0))


@given(seeds)
def test_hinge_form_stops_at_the_margin(seed):
    real, fake = logits(seed)
    expected = hinge(real, 1.0) + hinge(fake, -1.0)
    torch.testing.assert_close(discriminator_loss(real, fake, "hinge"), expected)
    torch.testing.assert_close(generator_loss(fake, "hinge"), -sum(x.mean() for x in fake))


def test_numbers():
    real, fake = [torch.zeros(1, 1, 1, 1)], [torch.zeros(1, 1, 1, 1)]
    assert discriminator_loss(real, fake).item() == pytest.approx(2 * math.log(2))
    assert generator_loss(fake).item() == pytest.approx(math.log(2))
    assert discriminator_loss(real, fake, "least_squares") == 1
    assert discriminator_loss(real, fake, "hinge") == 2


@forms
@given(seed=seeds)
def test_scales_add_up(form, seed):
    real, fake = logits(seed)
    total = sum(discriminator_loss([r], [f], form) for r, f in zip(real, fake, strict=True))
    torch.testing.assert_close(discriminator_loss(real, fake, form), total)
    torch.testing.assert_close(generator_loss(fake, form), sum(generator_loss([f], form) for f in fake))


@forms
@given(seed=seeds)
def test_who_wins_pays_less(form, seed):
    real, fake = logits(seed)
    higher, lower = [x.abs() + 2 for x in real], [-x.abs() - 2 for x in fake]
    assert discriminator_loss(higher, lower, form) < discriminator_loss(lower, higher, form)
    assert generator_loss([x + 0.1 for x in lower], form) < generator_loss(lower, form)


@forms
def test_gradient_is_there_when_the_discriminator_is_sure(form):
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
def test_half_precision_is_computed_in_single(form):
    real, fake = logits(0)
    half = discriminator_loss([x.bfloat16() for x in real], [x.bfloat16() for x in fake], form)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, discriminator_loss(real, fake, form), rtol=0.01, atol=0.01)


def test_one_map_for_each_scale():
    real, fake = logits(0)
    with pytest.raises(ValueError, match="shorter"):
        discriminator_loss(real, fake[:2])
