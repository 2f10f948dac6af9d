import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from facegan.losses import discriminator_loss, feature_matching, generator_loss, gradient_penalty
from facegan.networks import MultiScaleDiscriminator

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


def activations(seed, scales, layers):
    generator = torch.Generator().manual_seed(seed)
    return [
        [torch.randn(2, 3 + layer, 8 >> layer, 5, generator=generator) for layer in range(layers)]
        for _ in range(scales)
    ]


@given(seeds, st.integers(1, 3), st.integers(2, 4))
def test_feature_matching_by_a_loop(seed, scales, layers):
    """pix2pixHD's: 4 / (layers but the logits) and 1 / scales."""
    fake, real = activations(seed, scales, layers), activations(seed + 1, scales, layers)
    expected = 0.0
    for i in range(scales):
        for j in range(layers - 1):
            distance = (fake[i][j] - real[i][j]).abs().sum().item() / fake[i][j].numel()
            expected += 1 / scales * 4 / (layers - 1) * distance
    assert feature_matching(fake, real).item() == pytest.approx(expected, rel=1e-5)
    assert feature_matching(real, real) == 0


def test_feature_matching_sees_neither_logits_nor_the_true_side():
    fake, real = (
        [[x.requires_grad_() for x in scale] for scale in activations(seed, 2, 3)] for seed in (0, 1)
    )
    feature_matching(fake, real).backward()
    assert all(x.grad is None for scale in real for x in scale)
    for *hidden, logits_ in fake:
        assert logits_.grad is None
        assert all(x.grad.abs().sum() > 0 for x in hidden)


def test_feature_matching_of_the_discriminators_own_activations():
    network = MultiScaleDiscriminator(3, width=4)
    pictures = torch.randn(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0)).unbind()
    fake, real = (network(picture) for picture in pictures)
    loss = feature_matching([[x.bfloat16() for x in scale] for scale in fake], real)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, feature_matching(fake, real), rtol=0.01, atol=0.01)
    with pytest.raises(ValueError, match="shorter"):
        feature_matching(fake, real[:2])


@given(seeds)
def test_r1_of_linear_discriminators(seed):
    """D(x) = Σ_scales mean over the map of w·x: the gradient is known, whatever the picture."""
    generator = torch.Generator().manual_seed(seed)
    weights = [torch.randn(4, 2 * 3 * 3, generator=generator, requires_grad=True) for _ in range(2)]
    real = torch.randn(3, 2, 3, 3, generator=generator, requires_grad=True)
    maps = [(real.flatten(1) @ weight.T).view(3, 1, 2, 2) for weight in weights]
    penalty = gradient_penalty(maps, real)
    slope = sum(weight.mean(dim=0) for weight in weights).detach()
    assert penalty.item() == pytest.approx(slope.square().sum().item() / 2, rel=1e-4)
    # d/dw_k ½‖mean of w‖² = mean of w / 4 rows
    penalty.backward()
    for weight in weights:
        torch.testing.assert_close(weight.grad, (slope / 4).expand(4, -1))


def test_r1_is_the_mean_over_pictures():
    """D(x) = ½‖x‖² has the gradient x."""
    real = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    scores = [real.flatten(1).square().sum(dim=1).view(3, 1, 1, 1) / 2]
    expected = sum(x.square().sum().item() for x in real) / 3 / 2
    assert gradient_penalty(scores, real).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("norm", ["instance", "group", "none"])
@pytest.mark.parametrize("spectral_norm", [False, True])
def test_r1_and_its_gradient_by_finite_differences(norm, spectral_norm):
    torch.manual_seed(0)
    network = MultiScaleDiscriminator(
        2, width=4, layers=2, scales=2, norm=norm, spectral_norm=spectral_norm
    ).double()
    network.eval()  # spectral norm stands still
    for module in network.modules():
        if isinstance(module, nn.LeakyReLU):
            module.forward = nn.functional.softplus  # no kinks for a finite step to cross
    weights = [p for p in network.parameters() if p.ndim == 4]
    for weight in weights:
        nn.init.normal_(weight, std=0.3)
    real = torch.randn(2, 2, 16, 16, dtype=torch.float64).requires_grad_()

    def score(pictures):
        return sum(scale[-1].mean(dim=(1, 2, 3)) for scale in network(pictures))

    def penalty():
        return gradient_penalty([scale[-1] for scale in network(real)], real)

    # The slope in a direction is the gradient's component in it: E over normal directions of its square
    # is the squared norm; a basis gives it exactly.
    step = 1e-5
    with torch.no_grad():
        basis = torch.eye(real[0].numel(), dtype=torch.float64).view(-1, *real.shape[1:])
        slopes = [(score(x + step * basis) - score(x - step * basis)) / (2 * step) for x in real]
    expected = sum(slope.square().sum().item() for slope in slopes) / 2 / 2
    assert penalty().item() == pytest.approx(expected, rel=1e-4)

    penalty().backward()
    direction = [torch.randn_like(weight) for weight in weights]
    predicted = sum((weight.grad * d).sum().item() for weight, d in zip(weights, direction, strict=True))

    def moved(step):
        with torch.no_grad():
            for weight, d in zip(weights, direction, strict=True):
                weight += step * d
        return penalty().item()

    step = 1e-3
    upper = moved(step)
    lower = moved(-2 * step)
    assert predicted == pytest.approx((upper - lower) / (2 * step), rel=1e-2)


def test_r1_is_computed_in_single_precision():
    """Squares of gradients below 2e-4 would be none in 16 bits."""
    real = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0)).half().requires_grad_()
    penalty = gradient_penalty([1e-4 * real.mean(dim=(1, 2, 3), keepdim=True)], real)
    assert penalty.dtype == torch.float32
    assert penalty.item() == pytest.approx(16 * (1e-4 / 16) ** 2 / 2, rel=0.05)
