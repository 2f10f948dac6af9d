"""Every metric: against a reference written another way, over batches, processes and types."""

import doctest
import math
from functools import partial
from importlib import import_module

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics import MetricCollection

from facegan.metrics import (
    CSIM,
    ED,
    LSIM,
    PSIM,
    GazeError,
    LandmarkError,
    csim,
    ed,
    gaze_error,
    landmark_error,
    lsim,
    psim,
)


def cosine(a, b):
    """By the law of cosines."""
    distance, first, second = math.dist(a, b), math.hypot(*a), math.hypot(*b)
    return (first**2 + second**2 - distance**2) / (2 * first * second)


REFERENCES = {
    "csim": cosine,
    "psim": cosine,
    "ed": lambda a, b: math.dist(a, b) ** 2 / 17,
    "ed_l2": math.dist,
    "lsim": lambda a, b: math.dist(a, b) ** 2 / 136,
    "landmarks": lambda a, b: np.mean([math.dist(a[i : i + 2], b[i : i + 2]) for i in range(0, 136, 2)]),
    "gaze": lambda a, b: (math.dist(a[:2], b[:2]) + math.dist(a[2:], b[2:])) / 2,
}
SHAPES = {
    "csim": (128,),
    "psim": (3,),
    "ed": (17,),
    "ed_l2": (17,),
    "lsim": (68, 2),
    "landmarks": (68, 2),
    "gaze": (2, 2),
}
FUNCTIONS = {
    "csim": csim,
    "psim": psim,
    "ed": ed,
    "ed_l2": lambda a, b: ed(a, b, "l2"),
    "lsim": lsim,
    "landmarks": landmark_error,
    "gaze": gaze_error,
}
CLASSES = {
    "csim": CSIM,
    "psim": PSIM,
    "ed": ED,
    "ed_l2": partial(ED, "l2"),
    "lsim": LSIM,
    "landmarks": LandmarkError,
    "gaze": GazeError,
}
all_metrics = pytest.mark.parametrize("name", REFERENCES)


def pairs(name, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, count, *SHAPES[name], generator=generator).unbind()


def expected(name, preds, target):
    rows = zip(preds.double().flatten(1).tolist(), target.double().flatten(1).tolist(), strict=True)
    return [REFERENCES[name](a, b) for a, b in rows]


@all_metrics
def test_function_equals_reference(name):
    preds, target = pairs(name, 7)
    np.testing.assert_allclose(FUNCTIONS[name](preds, target), expected(name, preds, target), rtol=1e-5)


@pytest.mark.slow
@all_metrics
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any), seed=st.integers(0, 99))
def test_metric_uneven_batches_equal_one_batch(name, sizes, seed):
    preds, target = pairs(name, sum(sizes), seed)
    metric = CLASSES[name]()
    for a, b in zip(preds.split(sizes), target.split(sizes), strict=True):
        metric.update(a, b)
    assert metric.compute().item() == pytest.approx(np.mean(expected(name, preds, target)), abs=1e-5)


@pytest.mark.slow
@all_metrics
def test_metric_is_mean_of_function(name):
    preds, target = pairs(name, 5)
    metric = CLASSES[name]()
    torch.testing.assert_close(metric(preds, target), FUNCTIONS[name](preds, target).mean())
    torch.testing.assert_close(metric.compute(), FUNCTIONS[name](preds, target).mean())
    metric.reset()
    assert metric.num_pairs == 0


@all_metrics
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_metric_half_precision_is_accumulated_in_float32(name, dtype):
    preds, target = (side.to(dtype) for side in pairs(name, 40))
    metric = CLASSES[name]()
    metric.update(preds, target)
    value = metric.compute()
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(np.mean(expected(name, preds, target)), abs=1e-5)


@all_metrics
def test_function_autocast_changes_nothing(name):
    preds, target = pairs(name, 6)
    with torch.autocast("cpu", torch.bfloat16):
        values = FUNCTIONS[name](preds.bfloat16(), target.bfloat16())
    torch.testing.assert_close(values, FUNCTIONS[name](preds.bfloat16(), target.bfloat16()))


@all_metrics
def test_function_is_differentiable_as_declared(name):
    preds, target = (side.double().requires_grad_() for side in pairs(name, 3))
    assert CLASSES[name]().is_differentiable
    assert torch.autograd.gradcheck(FUNCTIONS[name], (preds, target))
    same = preds.detach().clone().requires_grad_()
    FUNCTIONS[name](same, same.detach()).sum().backward()
    assert same.grad.isfinite().all()


@all_metrics
def test_metric_higher_is_better_as_declared(name):
    preds, target = pairs(name, 20)
    metric = CLASSES[name]()
    same, other = metric(preds, preds), metric(preds, target)
    assert (same > other) == metric.higher_is_better
    assert metric.plot_lower_bound <= min(same, other)


@all_metrics
def test_metric_other_shapes_are_refused_by_name(name):
    preds, target = pairs(name, 3)
    update = CLASSES[name]().update
    refused = "must be of one size" if name == "csim" else "^preds must be N×"
    with pytest.raises(ValueError, match=refused):
        update(preds[..., :-1], target)
    with pytest.raises(ValueError, match=r"must be N×.*got \(\)"):
        update(preds, torch.tensor(0.0))
    with pytest.raises(ValueError, match="must be pairs, got 1 and 3"):
        update(preds[:1], target)
    with pytest.raises(ValueError, match="detected must be one for each of 3 pairs"):
        update(preds, target, torch.ones(2, dtype=torch.bool))


@pytest.mark.slow
@all_metrics
@given(detected=st.lists(st.booleans(), min_size=1, max_size=12), size=st.integers(1, 5))
def test_metric_undetected_is_penalized_or_left_out(name, detected, size):
    """Whatever the prediction without a face holds is ignored."""
    preds, target = pairs(name, len(detected))
    detected = torch.tensor(detected)
    values = torch.tensor(expected(name, preds, target))
    preds = torch.where(detected.view(-1, *[1] * len(SHAPES[name])), preds, torch.nan)
    scored, kept = CLASSES[name](), CLASSES[name](penalize_undetected=False)
    each, seen = CLASSES[name](reduction="none"), CLASSES[name](reduction="none", penalize_undetected=False)
    for metric in (scored, kept, each, seen):
        for a, b, f in zip(preds.split(size), target.split(size), detected.split(size), strict=True):
            metric.update(a, b, f)
        assert metric.num_undetected == (~detected).sum()
    counted = torch.where(detected, values, scored.missing_value)
    assert scored.compute().item() == pytest.approx(counted.mean().item(), abs=1e-4)
    # torchmetrics makes a scalar of a single value.
    torch.testing.assert_close(each.compute().double().view(-1), counted.double(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        seen.compute().double().view(-1), values[detected].double(), rtol=1e-4, atol=1e-4
    )
    if detected.any():
        assert kept.compute().item() == pytest.approx(values[detected].mean().item(), abs=1e-4)
    else:
        assert kept.compute().isnan()


@all_metrics
def test_missing_value_is_no_better_than_unrelated_faces(name):
    metric = CLASSES[name]()
    preds, target = pairs(name, 300)
    scale = 0.1 if name not in ("csim", "psim") else 1.0
    mean = metric(scale * preds, scale * target).item()
    assert mean > metric.missing_value - 0.2 if metric.higher_is_better else mean < metric.missing_value


@pytest.mark.parametrize("first", ["undetected", "perfect"])
def test_collection_without_compute_groups_keeps_equal_states_apart(first):
    """The sums of all metrics are equal after the first batch."""
    alone = {"mse": ED(), "l2": ED("l2"), "detected": ED(penalize_undetected=False)}
    together = MetricCollection(
        {name: metric.clone() for name, metric in alone.items()}, compute_groups=False
    )
    preds, target = pairs("ed", 5)
    for batch in range(2):
        detected = torch.full((5,), batch == 1 or first == "perfect")
        inputs = (preds if batch else target, target, detected)
        together.update(*inputs)
        for metric in alone.values():
            metric.update(*inputs)
    assert together.compute() == {name: metric.compute() for name, metric in alone.items()}


@all_metrics
def test_plot_one_value_and_sequence(name):
    metric = CLASSES[name]()
    values = [metric(*pairs(name, 3, seed)) for seed in range(3)]
    for figure, axes in (metric.plot(), metric.plot(values)):
        assert axes.lines
        plt.close(figure)


def test_metric_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match="unknown reduction 'sum': choose mean or none"):
        CSIM(reduction="sum")


def reduce(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    share = slice(0, 5) if rank == 0 else slice(5, 7)
    for name in REFERENCES:
        preds, target = pairs(name, 7)
        metric = CLASSES[name]()
        metric.update(preds[share], target[share])
        value = metric.compute().item()
        assert value == pytest.approx(np.mean(expected(name, preds, target)), abs=1e-5)
        assert metric.num_pairs == len(preds[share])
        detected = torch.arange(7) % 3 > 0
        each, mean = CLASSES[name](reduction="none"), CLASSES[name]()
        for one in (each, mean):
            one.update(preds[share], target[share], detected[share])
        values = torch.where(detected, torch.tensor(expected(name, preds, target)), each.missing_value)
        torch.testing.assert_close(each.compute().double(), values.double(), rtol=1e-4, atol=1e-4)
        assert mean.compute().item() == pytest.approx(values.mean().item(), abs=1e-5)
    dist.destroy_process_group()


@pytest.mark.slow
def test_metric_two_processes_uneven_shares_equal_one_process(tmp_path):
    mp.spawn(reduce, (tmp_path,), nprocs=2)


@pytest.mark.parametrize("module", ["csim", "psim", "ed", "lsim", "eye_metrics", "landmark_error"])
def test_docstring_examples_run(module):
    result = doctest.testmod(import_module(f"facegan.metrics.{module}"))
    assert result.attempted
    assert not result.failed
