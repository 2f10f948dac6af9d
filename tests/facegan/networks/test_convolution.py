"""Convolution with reflection padding against PyTorch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from facegan.networks.convolution import MIN_CHANNELS_PER_PIXEL, ReflectConv2d


def both(channels: int, kernel: int) -> tuple[ReflectConv2d, nn.Conv2d]:
    torch.manual_seed(channels)
    ours = ReflectConv2d(channels, channels, kernel)
    plain = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, padding_mode="reflect")
    plain.load_state_dict(ours.state_dict())
    return ours.double(), plain.double()


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 3), st.integers(2, 5), st.integers(2, 5), st.sampled_from([1, 3]), st.booleans())
def test_reflect_conv_equals_pytorch_with_gradients(
    count: int, height: int, width: int, kernel: int, deep: bool
) -> None:
    channels = MIN_CHANNELS_PER_PIXEL * count * height * width if deep else 3
    results = []
    for layer in both(channels, kernel):
        images = torch.linspace(-1, 1, count * channels * height * width, dtype=torch.float64)
        images = images.sin().view(count, channels, height, width).requires_grad_()
        result = layer(images)
        result.square().sum().backward()
        results.append((result, images.grad, *(weight.grad for weight in layer.parameters())))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("channels", [MIN_CHANNELS_PER_PIXEL * 16, MIN_CHANNELS_PER_PIXEL * 16 - 1])
def test_reflect_conv_unfolds_only_deep_layers(
    channels: int, train: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    unfold = torch.nn.functional.unfold
    monkeypatch.setattr(torch.nn.functional, "unfold", lambda *given: used.append(1) or unfold(*given))
    deep, _ = both(channels, 3)
    deep.train(train)(torch.zeros(1, channels, 4, 4, dtype=torch.float64))
    assert len(used) == (channels == MIN_CHANNELS_PER_PIXEL * 16)


def test_reflect_conv_exported_is_pytorch_for_any_batch() -> None:
    channels = MIN_CHANNELS_PER_PIXEL * 2 * 16
    deep, _ = both(channels, 3)
    count = torch.export.Dim("count", min=1, max=64)
    images = torch.randn(2, channels, 4, 4, dtype=torch.float64)
    program = torch.export.export(deep.eval(), (images,), dynamic_shapes=({0: count},))
    assert not any("im2col" in str(node.target) for node in program.graph.nodes)
    for many in (1, 3):
        images = torch.randn(many, channels, 4, 4, dtype=torch.float64)
        torch.testing.assert_close(program.module()(images), deep(images))


def test_reflect_conv_autocast_pads_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same values as with PyTorch's, whose padding is in 32 bit; gradients but for one rounding more."""
    padded = []
    pad = torch.nn.functional.pad

    def watched(*given: Any, **named: Any) -> torch.Tensor:
        padded.append(pad(*given, **named))
        return padded[-1]

    monkeypatch.setattr(torch.nn.functional, "pad", watched)
    results = []
    for layer in both(8, 3):
        images = torch.randn(2, 8, 9, 9, generator=torch.Generator().manual_seed(0)).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            result = layer.float()(images.bfloat16())
        result.float().square().sum().backward()
        results.append((result, images.grad, layer.weight.grad))
    assert [one.dtype for one in padded] == [torch.bfloat16, torch.float32]
    (ours, *gradients), (theirs, *expected) = results
    assert torch.equal(ours, theirs)
    for one, other in zip(gradients, expected, strict=True):
        assert (one - other).norm() < 0.01 * other.norm()
