"""Validation metrics against their definitions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.stages.validation_metrics import (
    MeanWithConfidence,
    masked_mean,
    masked_mse,
    mean_iou,
)

numbers = st.lists(st.floats(-1e3, 1e3, width=32) | st.just(float("nan")), max_size=30)


@given(st.lists(numbers, min_size=1, max_size=4))
def test_mean_with_confidence_ignores_nan(batches):
    metric = MeanWithConfidence()
    for values in batches:
        metric.update(torch.tensor(values, dtype=torch.float32))
    mean, half_width = metric.compute()
    known = np.array([value for values in batches for value in values if value == value], dtype=np.float32)
    if len(known) == 0:
        assert mean.isnan()
        return
    assert mean.item() == pytest.approx(known.mean(dtype=np.float64), rel=1e-9, abs=1e-9)
    error = np.std(known.astype(np.float64), ddof=1) / np.sqrt(len(known)) if len(known) > 1 else 0
    assert half_width.item() == pytest.approx(1.96 * error, rel=1e-6, abs=1e-3)


def test_mean_with_confidence_covers_mean_in_95_percent():
    generator = torch.Generator().manual_seed(0)
    held = 0
    for _ in range(400):
        metric = MeanWithConfidence()
        metric.update(torch.randn(50, generator=generator) + 3)
        mean, half_width = metric.compute()
        held += abs(mean.item() - 3) < half_width.item()
    assert 0.92 < held / 400 < 0.98


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 99)), min_size=1, max_size=20), st.integers(1, 5))
def test_mean_with_confidence_weights_are_repetitions(pairs, size):
    weighted = MeanWithConfidence()
    for start in range(0, len(pairs), size):
        values, weights = zip(*pairs[start : start + size], strict=True)
        weighted.update(torch.tensor(values), torch.tensor(weights))
    repeated = [value for value, weight in pairs for _ in range(weight)]
    mean, half_width = weighted.compute()
    if repeated:
        assert mean.item() == pytest.approx(np.mean(repeated), rel=1e-5, abs=1e-6)
        assert half_width >= 0
    else:
        assert mean.isnan()


def test_mean_with_confidence_covers_ratio_in_95_percent():
    """Values that go with their weights, as large hair is found better: the truth is 2/3."""
    generator = torch.Generator().manual_seed(0)
    held = 0
    for _ in range(400):
        metric = MeanWithConfidence()
        weights = torch.rand(80, generator=generator)
        metric.update(weights + 0.1 * torch.randn(80, generator=generator), weights)
        mean, half_width = metric.compute()
        held += abs(mean.item() - 2 / 3) < half_width.item()
    assert 0.92 < held / 400 < 0.98


def test_masked_mse_scale_is_0_to_1():
    white, black = torch.ones(2, 3, 4, 4), -torch.ones(2, 3, 4, 4)
    assert masked_mse(white, black).tolist() == [1, 1]
    assert masked_mse(white, white).tolist() == [0, 0]
    region = torch.zeros(2, 4, 4, dtype=torch.bool)
    region[0, 1, 2] = True
    within = masked_mse(white, torch.where(region[:, None], white, black), region)
    assert within[0] == 0
    assert within[1].isnan()


def test_masked_mean_known_value():
    values = torch.arange(8.0).view(2, 2, 2)
    region = torch.tensor([[[1, 1], [0, 0]], [[0, 0], [0, 1]]], dtype=torch.bool)
    assert masked_mean(values, region).tolist() == [0.5, 7]


def classes(labels):
    return torch.nn.functional.one_hot(torch.tensor(labels), 3).permute(0, 3, 1, 2).float()


def test_mean_iou_known_value():
    truth = torch.tensor([[[0, 1], [2, 2]]])
    found = mean_iou(classes([[[0, 1], [1, 2]]]), truth)
    assert {name: value.item() for name, (value, _) in found.items()} == {
        "head_iou": 1,
        "face_iou": 0.5,
        "hair_iou": 0.5,
    }


def test_mean_iou_without_hair_is_nan():
    values, _ = mean_iou(classes([[[0, 0], [0, 0]]]), torch.zeros(1, 2, 2, dtype=torch.long))["hair_iou"]
    assert values.isnan()


def test_mean_iou_mean_is_over_all_pixels():
    """One hair pixel missed on a bald head, four of four found on another: 4 of 5."""
    truth = torch.tensor([[[1, 1], [1, 2]], [[2, 2], [2, 2]]])
    metric = MeanWithConfidence()
    metric.update(*mean_iou(classes([[[1, 1], [1, 1]], [[2, 2], [2, 2]]]), truth)["hair_iou"])
    assert metric.compute()[0] == pytest.approx(0.8)
