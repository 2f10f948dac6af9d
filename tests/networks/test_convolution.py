"""The deep convolution is PyTorch's, only faster."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torch import nn

from facegan.networks.convolution import CHANNELS_A_PIXEL, DeepConv2d


def both(channels: int, kernel: int, *, bias: bool = True) -> tuple[DeepConv2d, nn.Conv2d]:
    torch.manual_seed(channels)
    shape = {"kernel_size": kernel, "padding": kernel // 2, "padding_mode": "reflect", "bias": bias}
    deep, plain = DeepConv2d(channels, channels, **shape), nn.Conv2d(channels, channels, **shape)
    plain.load_state_dict(deep.state_dict())
    return deep.double(), plain.double()


@settings(deadline=None, max_examples=20)
@given(
    some.integers(1, 3), some.integers(2, 5), some.integers(2, 5), some.sampled_from([1, 3]), some.booleans()
)
def test_same_values_and_gradients(count: int, height: int, width: int, kernel: int, bias: bool) -> None:
    channels = CHANNELS_A_PIXEL * count * height * width
    made = []
    for layer in both(channels, kernel, bias=bias):
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


def test_strided_and_zero_padded_ones_stay_pytorchs() -> None:
    for options in ({"stride": 2, "padding": 1}, {"padding": 1}):
        deep = DeepConv2d(64, 64, 3, **options)
        pictures = torch.randn(1, 64, 4, 4)
        plain = nn.Conv2d(64, 64, 3, **options)
        plain.load_state_dict(deep.state_dict())
        assert torch.equal(deep(pictures), plain(pictures))
