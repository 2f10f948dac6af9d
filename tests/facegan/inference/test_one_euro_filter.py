from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.inference.one_euro_filter import OneEuroFilter


def smoothed(values, times, **settings):
    smooth = OneEuroFilter(**settings)
    return torch.stack([smooth(value, time) for value, time in zip(values, times, strict=True)]), smooth


@given(st.floats(-2, 2), st.lists(st.floats(1e-3, 0.5), min_size=1, max_size=20))
def test_smooth_constant_input_is_unchanged(value, steps):
    values = torch.full((len(steps), 3), value)
    result, smooth = smoothed(values, np.cumsum(steps))
    torch.testing.assert_close(result, values)
    assert smooth.latency == 0


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30), st.floats(5, 60))
def test_smooth_stays_within_input_range(numbers, rate):
    values = torch.tensor(numbers)[:, None]
    result, _ = smoothed(values, np.arange(len(numbers)) / rate)
    assert result.min() >= values.min() - 1e-6
    assert result.max() <= values.max() + 1e-6


def test_smooth_reduces_jitter_at_rest():
    noise = 0.01 * torch.randn(250, 20, generator=torch.Generator().manual_seed(0))
    result, _ = smoothed(noise, np.arange(250) / 25)
    assert result.diff(dim=0).std() < 0.3 * noise.diff(dim=0).std()


def test_smooth_keeps_blinks():
    """Of a lid that closes within a tenth of a second nearly all is left."""
    times = np.arange(50) / 25
    lid = torch.tensor(np.interp(times, (1.0, 1.1, 1.2, 1.3), (0, 1, 1, 0)))[:, None]
    result, _ = smoothed(lid, times)
    assert result.max() > 0.85


@pytest.mark.parametrize("rate", [25, 60])
@pytest.mark.parametrize("speed", [0.1, 1.0])
def test_smooth_latency_equals_measured_delay(rate, speed):
    """Of a steady movement the delay can be seen: distance behind over speed."""
    times = np.arange(20 * rate) / rate
    values = speed * torch.tensor(times)[:, None]
    result, smooth = smoothed(values, times)
    delay = float((values[-1] - result[-1]) / speed)
    assert smooth.latency == pytest.approx(delay, rel=0.1)


def test_smooth_parameters_are_independent():
    values = torch.rand(40, 5, generator=torch.Generator().manual_seed(1))
    times = np.arange(40) / 25
    whole, _ = smoothed(values, times)
    alone, _ = smoothed(values[:, 2:3], times)
    torch.testing.assert_close(whole[:, 2:3], alone)
