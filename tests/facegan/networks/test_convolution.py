"""Padded by reflection: PyTorch's convolution, only faster."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torch import nn

from facegan.networks.convolution import CHANNELS_A_PIXEL, ReflectConv2d


def both(channels: int, kernel: int) -> tuple[ReflectConv2d, nn.Conv2d]:
    torch.manual_seed(channels)
    ours = ReflectConv2d(channels, channels, kernel)
    plain = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, padding_mode="reflect")
    plain.load_state_dict(ours.state_dict())
    return ours.double(), plain.double()


@settings(deadline=None, max_examples=20)
@given(
    some.integers(1, 3), some.integers(2, 5), some.integers(2, 5), some.sampled_from([1, 3]), some.booleans()
)
def test_same_values_and_gradients(count: int, height: int, width: int, kernel: int, deep: bool) -> None:
    channels = CHANNELS_A_PIXEL * count * height * width if deep else 3
    made = []
    for layer in both(channels, kernel):
        pictures = torch.linspace(-1, 1, count * channels * height * width, dtype=torch.float64)
        pictures = pictures.sin().view(count, channels, height, width).requires_grad_()
        result = layer(pictures)
        result.square().sum().backward()
        made.append((result, pictures.grad, *(weight.grad for weight in layer.parameters())))
    for ours, theirs in zip(*made, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("channels", [CHANNELS_A_PIXEL * 16, CHANNELS_A_PIXEL * 16 - 1])
def test_only_where_it_is_deep(channels: int, train: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    unfold = torch.nn.functional.unfold
    monkeypatch.setattr(torch.nn.functional, "unfold", lambda *given: used.append(1) or unfold(*given))
    deep, _ = both(channels, 3)
    deep.train(train)(torch.zeros(1, channels, 4, 4, dtype=torch.float64))
    assert len(used) == (channels == CHANNELS_A_PIXEL * 16)


def test_exported_ones_are_pytorchs_for_every_number_of_pictures() -> None:
    channels = CHANNELS_A_PIXEL * 2 * 16
    deep, _ = both(channels, 3)
    count = torch.export.Dim("count", min=1, max=64)
    pictures = torch.randn(2, channels, 4, 4, dtype=torch.float64)
    program = torch.export.export(deep.eval(), (pictures,), dynamic_shapes=({0: count},))
    assert not any("im2col" in str(node.target) for node in program.graph.nodes)
    for many in (1, 3):
        pictures = torch.randn(many, channels, 4, 4, dtype=torch.float64)
        torch.testing.assert_close(program.module()(pictures), deep(pictures))


def test_under_autocast_the_padding_stays_in_16_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same values as with PyTorch's, whose padding is in 32 bit; gradients but for one rounding more."""
    padded = []
    pad = torch.nn.functional.pad

    def watched(*given: Any, **named: Any) -> torch.Tensor:
        padded.append(pad(*given, **named))
        return padded[-1]

    monkeypatch.setattr(torch.nn.functional, "pad", watched)
    made = []
    for layer in both(8, 3):
        pictures = torch.randn(2, 8, 9, 9, generator=torch.Generator().manual_seed(0)).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            result = layer.float()(pictures.bfloat16())
        result.float().square().sum().backward()
        made.append((result, pictures.grad, layer.weight.grad))
    assert [one.dtype for one in padded] == [torch.bfloat16, torch.float32]
    (ours, *gradients), (theirs, *expected) = made
    assert torch.equal(ours, theirs)
    for one, other in zip(gradients, expected, strict=True):
        assert (one - other).norm() < 0.01 * other.norm()
