"""Every measure: against a reference written another way, over batches, processes and types."""

import doctest
import inspect
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
    "ed_euclidean": math.dist,
    "lsim": lambda a, b: math.dist(a, b) ** 2 / 136,
    "landmarks": lambda a, b: np.mean([math.dist(a[i : i + 2], b[i : i + 2]) for i in range(0, 136, 2)]),
    "gaze": lambda a, b: (math.dist(a[:2], b[:2]) + math.dist(a[2:], b[2:])) / 2,
}
SHAPES = {
    "csim": (128,),
    "psim": (3,),
    "ed": (17,),
    "ed_euclidean": (17,),
    "lsim": (68, 2),
    "landmarks": (68, 2),
    "gaze": (2, 2),
}
FUNCTIONS = {
    "csim": csim,
    "psim": psim,
    "ed": ed,
    "ed_euclidean": lambda a, b: ed(a, b, "euclidean"),
    "lsim": lsim,
    "landmarks": landmark_error,
    "gaze": gaze_error,
}
CLASSES = {
    "csim": CSIM,
    "psim": PSIM,
    "ed": ED,
    "ed_euclidean": partial(ED, "euclidean"),
    "lsim": LSIM,
    "landmarks": LandmarkError,
    "gaze": GazeError,
}
NAMES = {
    "csim": "source_identity",
    "psim": "driver_angles",
    "ed": "driver_units",
    "ed_euclidean": "driver_units",
    "lsim": "result_landmarks",
    "landmarks": "result_landmarks",
    "gaze": "driver_gaze",
}

every = pytest.mark.parametrize("name", REFERENCES)


def pairs(name, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, count, *SHAPES[name], generator=generator).unbind()


def expected(name, first, second):
    rows = zip(first.double().flatten(1).tolist(), second.double().flatten(1).tolist(), strict=True)
    return [REFERENCES[name](a, b) for a, b in rows]


@every
def test_values_of_pairs_are_the_references(name):
    first, second = pairs(name, 7)
    np.testing.assert_allclose(FUNCTIONS[name](first, second), expected(name, first, second), rtol=1e-5)


@every
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any), seed=st.integers(0, 99))
def test_uneven_batches_are_one_batch(name, sizes, seed):
    first, second = pairs(name, sum(sizes), seed)
    metric = CLASSES[name]()
    for a, b in zip(first.split(sizes), second.split(sizes), strict=True):
        metric.update(a, b)
    assert metric.compute().item() == pytest.approx(np.mean(expected(name, first, second)), abs=1e-5)


@every
def test_class_is_the_functions_mean(name):
    first, second = pairs(name, 5)
    metric = CLASSES[name]()
    torch.testing.assert_close(metric(first, second), FUNCTIONS[name](first, second).mean())
    torch.testing.assert_close(metric.compute(), FUNCTIONS[name](first, second).mean())
    metric.reset()
    assert metric.pairs == 0


@every
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_costs_no_more_than_its_rounding(name, dtype):
    first, second = (side.to(dtype) for side in pairs(name, 40))
    metric = CLASSES[name]()
    metric.update(first, second)
    value = metric.compute()
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(np.mean(expected(name, first, second)), abs=1e-5)


@every
def test_autocast_changes_nothing(name):
    first, second = pairs(name, 6)
    with torch.autocast("cpu", torch.bfloat16):
        values = FUNCTIONS[name](first.bfloat16(), second.bfloat16())
    torch.testing.assert_close(values, FUNCTIONS[name](first.bfloat16(), second.bfloat16()))


@every
def test_is_differentiable_as_declared(name):
    first, second = (side.double().requires_grad_() for side in pairs(name, 3))
    assert CLASSES[name]().is_differentiable
    assert torch.autograd.gradcheck(FUNCTIONS[name], (first, second))
    same = first.detach().clone().requires_grad_()
    FUNCTIONS[name](same, same.detach()).sum().backward()
    assert same.grad.isfinite().all()


@every
def test_declared_direction_is_the_better_one(name):
    first, second = pairs(name, 20)
    metric = CLASSES[name]()
    same, other = metric(first, first), metric(first, second)
    assert (same > other) == metric.higher_is_better
    assert metric.plot_lower_bound <= min(same, other)


@every
def test_other_shapes_are_refused_by_name(name):
    first, second = pairs(name, 3)
    update = CLASSES[name]().update
    refused = "must be of one size" if name == "csim" else f"^{NAMES[name]} must be N×"
    with pytest.raises(ValueError, match=refused):
        update(first[..., :-1], second)
    with pytest.raises(ValueError, match=r"must be N×.*got \(\)"):
        update(first, torch.tensor(0.0))
    with pytest.raises(ValueError, match="must be pairs, got 1 and 3"):
        update(first[:1], second)
    with pytest.raises(ValueError, match="found must be one for each of 3 pairs"):
        update(first, second, torch.ones(2, dtype=torch.bool))


@every
@given(found=st.lists(st.booleans(), min_size=1, max_size=12), size=st.integers(1, 5))
def test_a_miss_counts_as_no_likeness_and_can_be_left_out(name, found, size):
    """Whatever the result of a miss holds, it is not looked at."""
    first, second = pairs(name, len(found))
    found = torch.tensor(found)
    values = torch.tensor(expected(name, first, second))
    holes = torch.where(found.view(-1, *[1] * len(SHAPES[name])), second, torch.nan)
    first, holes = (first, holes) if NAMES[name] != "result_landmarks" else (holes, first)
    scored, kept = CLASSES[name](), CLASSES[name](score_misses=False)
    each, seen = CLASSES[name](reduction="none"), CLASSES[name](reduction="none", score_misses=False)
    for metric in (scored, kept, each, seen):
        for a, b, f in zip(first.split(size), holes.split(size), found.split(size), strict=True):
            metric.update(a, b, f)
        assert metric.misses == (~found).sum()
    counted = torch.where(found, values, scored.miss)
    assert scored.compute().item() == pytest.approx(counted.mean().item(), abs=1e-4)
    # torchmetrics makes a scalar of a single value.
    torch.testing.assert_close(each.compute().double().view(-1), counted.double(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(seen.compute().double().view(-1), values[found].double(), rtol=1e-4, atol=1e-4)
    if found.any():
        assert kept.compute().item() == pytest.approx(values[found].mean().item(), abs=1e-4)
    else:
        assert kept.compute().isnan()


@every
def test_no_likeness_is_no_better_than_any_found_likeness_of_strangers(name):
    """Faces with no relation at all: the miss is not better than their mean."""
    metric = CLASSES[name]()
    first, second = pairs(name, 300)
    scale = 0.1 if name not in ("csim", "psim") else 1.0
    mean = metric(scale * first, scale * second).item()
    assert mean > metric.miss - 0.2 if metric.higher_is_better else mean < metric.miss


def test_all_in_one_collection():
    """Each takes its own of the names."""
    inputs, wanted = {}, {}
    for name, metric in {"csim": CSIM, "psim": PSIM, "ed": ED, "lsim": LSIM}.items():
        first, second = pairs(name, 4)
        one, other = list(inspect.signature(metric.update).parameters)[1:3]
        inputs |= {one: first, other: second}
        wanted[metric.__name__] = np.mean(expected(name, first, second))
    collection = MetricCollection([CSIM(), PSIM(), ED(), LSIM()])
    collection.update(**inputs, found=torch.ones(4, dtype=torch.bool))
    found = {name: value.item() for name, value in collection.compute().items()}
    assert found == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("first", ["all are misses", "all are perfect"])
def test_a_collection_keeps_apart_what_is_equal_after_the_first_batch(first):
    """torchmetrics takes metrics of equal states for one."""
    classes = {"csim": CSIM, "psim": PSIM, "ed": ED, "lsim": LSIM}
    alone = {name: metric() for name, metric in classes.items()}
    alone |= {"loose psim": PSIM(epsilon=10), "euclidean": ED("euclidean")}
    together = MetricCollection({name: metric.clone() for name, metric in alone.items()})
    for batch in range(2):
        inputs = {}
        found = torch.full((5,), batch == 1 or first == "all are perfect")
        for name, metric in classes.items():
            one, other = pairs(name, 5)
            names = list(inspect.signature(metric.update).parameters)[1:3]
            inputs |= dict(zip(names, (one, other if batch else one), strict=True))
        together.update(**inputs, found=found)
        for metric in alone.values():
            names = list(inspect.signature(metric.update).parameters)[:2]
            metric.update(*(inputs[name] for name in names), found)
    assert together.compute() == {name: metric.compute() for name, metric in alone.items()}


@every
def test_plots_a_value_and_a_row_of_values(name):
    metric = CLASSES[name]()
    values = [metric(*pairs(name, 3, seed)) for seed in range(3)]
    for figure, axes in (metric.plot(), metric.plot(values)):
        assert axes.lines
        plt.close(figure)


def test_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match="unknown reduction 'sum': choose mean or none"):
        CSIM(reduction="sum")


def reduce(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    share = slice(0, 5) if rank == 0 else slice(5, 7)
    for name in REFERENCES:
        first, second = pairs(name, 7)
        metric = CLASSES[name]()
        metric.update(first[share], second[share])
        value = metric.compute().item()
        assert value == pytest.approx(np.mean(expected(name, first, second)), abs=1e-5)
        assert metric.pairs == len(first[share])
        found = torch.arange(7) % 3 > 0
        each, mean = CLASSES[name](reduction="none"), CLASSES[name]()
        for one in (each, mean):
            one.update(first[share], second[share], found[share])
        values = torch.where(found, torch.tensor(expected(name, first, second)), each.miss)
        torch.testing.assert_close(each.compute().double(), values.double(), rtol=1e-4, atol=1e-4)
        assert mean.compute().item() == pytest.approx(values.mean().item(), abs=1e-5)
    dist.destroy_process_group()


def test_two_processes_with_uneven_shares_give_the_mean_of_all(tmp_path):
    mp.spawn(reduce, (tmp_path,), nprocs=2)


@pytest.mark.parametrize("room", ["csim", "psim", "ed", "lsim", "eyes", "landmark_error"])
def test_examples_in_the_docstrings_run(room):
    result = doctest.testmod(import_module(f"facegan.metrics.{room}"))
    assert result.attempted
    assert not result.failed
