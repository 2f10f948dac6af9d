import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.losses import mask_norm_loss, mask_smoothness_loss

seeds = st.integers(0, 2**31 - 1)


def masks(seed):
    return torch.rand(2, 1, 5, 7, generator=torch.Generator().manual_seed(seed))


@given(seeds)
def test_mask_smoothness_loss_equals_reference(seed):
    mask = masks(seed)
    right = [
        (mask[n, 0, y, x + 1] - mask[n, 0, y, x]) ** 2 for n in (0, 1) for y in range(5) for x in range(6)
    ]
    down = [
        (mask[n, 0, y + 1, x] - mask[n, 0, y, x]) ** 2 for n in (0, 1) for y in range(4) for x in range(7)
    ]
    expected = sum(right) / len(right) + sum(down) / len(down)
    torch.testing.assert_close(mask_smoothness_loss(mask), expected)


def test_mask_smoothness_loss_edge_and_stripes():
    mask = torch.zeros(1, 1, 4, 4)
    assert mask_smoothness_loss(mask) == 0
    assert mask_smoothness_loss(mask + 0.7) == 0
    mask[..., 2:] = 1
    assert mask_smoothness_loss(mask).item() == pytest.approx(1 / 3)
    mask[..., ::2], mask[..., 1::2] = 1, 0
    assert mask_smoothness_loss(mask) == 1


@given(seeds)
def test_mask_smoothness_loss_is_symmetric(seed):
    mask = masks(seed)
    torch.testing.assert_close(mask_smoothness_loss(mask), mask_smoothness_loss(mask.transpose(2, 3)))
    torch.testing.assert_close(mask_smoothness_loss(mask), mask_smoothness_loss(1 - mask))


def test_mask_norm_loss_ones_is_one():
    for side in (2, 64):
        assert mask_norm_loss(torch.ones(3, 1, side, side)).item() == pytest.approx(1)
    quarter = torch.zeros(1, 1, 4, 4)
    quarter[..., :2, :2] = 1
    assert mask_norm_loss(quarter).item() == pytest.approx(0.5)


@given(seeds)
def test_mask_norm_loss_equals_reference(seed):
    mask = masks(seed)
    expected = sum(mask[n].square().sum().sqrt().item() / math.sqrt(35) for n in (0, 1)) / 2
    assert mask_norm_loss(mask).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("loss", [mask_norm_loss, mask_smoothness_loss])
@pytest.mark.parametrize("level", [0.0, 1e-4, 1.0])
def test_mask_losses_flat_mask_gradient_is_finite(loss, dtype, level):
    mask = torch.full((2, 1, 8, 8), level, dtype=dtype, requires_grad=True)
    loss(mask).backward()
    assert mask.grad.isfinite().all()


def test_mask_norm_loss_faint_half_precision_is_kept():
    mask = torch.full((1, 1, 8, 8), 1e-4)
    torch.testing.assert_close(mask_norm_loss(mask.half()), mask_norm_loss(mask), rtol=0.01, atol=0)
