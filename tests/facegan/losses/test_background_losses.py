import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.losses import mask_norm, mask_smoothness

seeds = st.integers(0, 2**31 - 1)


def masks(seed):
    return torch.rand(2, 1, 5, 7, generator=torch.Generator().manual_seed(seed))


@given(seeds)
def test_smoothness_by_hand(seed):
    mask = masks(seed)
    right = [
        (mask[n, 0, y, x + 1] - mask[n, 0, y, x]) ** 2 for n in (0, 1) for y in range(5) for x in range(6)
    ]
    down = [
        (mask[n, 0, y + 1, x] - mask[n, 0, y, x]) ** 2 for n in (0, 1) for y in range(4) for x in range(7)
    ]
    expected = sum(right) / len(right) + sum(down) / len(down)
    torch.testing.assert_close(mask_smoothness(mask), expected)


def test_smoothness_of_an_edge_and_of_stripes():
    mask = torch.zeros(1, 1, 4, 4)
    assert mask_smoothness(mask) == 0
    assert mask_smoothness(mask + 0.7) == 0
    mask[..., 2:] = 1
    assert mask_smoothness(mask).item() == pytest.approx(1 / 3)
    mask[..., ::2], mask[..., 1::2] = 1, 0
    assert mask_smoothness(mask) == 1


@given(seeds)
def test_smoothness_sees_both_directions_alike(seed):
    mask = masks(seed)
    torch.testing.assert_close(mask_smoothness(mask), mask_smoothness(mask.transpose(2, 3)))
    torch.testing.assert_close(mask_smoothness(mask), mask_smoothness(1 - mask))


def test_norm_is_one_for_ones_whatever_the_size():
    for side in (2, 64):
        assert mask_norm(torch.ones(3, 1, side, side)).item() == pytest.approx(1)
    quarter = torch.zeros(1, 1, 4, 4)
    quarter[..., :2, :2] = 1
    assert mask_norm(quarter).item() == pytest.approx(0.5)


@given(seeds)
def test_norm_by_hand(seed):
    mask = masks(seed)
    expected = sum(mask[n].square().sum().sqrt().item() / math.sqrt(35) for n in (0, 1)) / 2
    assert mask_norm(mask).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("loss", [mask_norm, mask_smoothness])
@pytest.mark.parametrize("level", [0.0, 1e-4, 1.0])
def test_gradient_of_flat_masks_is_finite(loss, dtype, level):
    mask = torch.full((2, 1, 8, 8), level, dtype=dtype, requires_grad=True)
    loss(mask).backward()
    assert mask.grad.isfinite().all()


def test_norm_of_a_faint_half_precision_mask_is_not_lost():
    mask = torch.full((1, 1, 8, 8), 1e-4)
    torch.testing.assert_close(mask_norm(mask.half()), mask_norm(mask), rtol=0.01, atol=0)
