"""Every measure: against a reference written another way, over batches, processes and types."""

import doctest
import math
from importlib import import_module

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from hypothesis import given
from hypothesis import strategies as st

from facegan.metrics import CSIM, ED, LSIM, PSIM, csim, ed, lsim, psim


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
}
SHAPES = {"csim": (128,), "psim": (3,), "ed": (17,), "ed_euclidean": (17,), "lsim": (68, 2)}
FUNCTIONS = {
    "csim": csim,
    "psim": psim,
    "ed": ed,
    "ed_euclidean": lambda a, b: ed(a, b, "euclidean"),
    "lsim": lsim,
}
CLASSES = {"csim": CSIM, "psim": PSIM, "ed": ED, "ed_euclidean": lambda: ED("euclidean"), "lsim": LSIM}
NAMES = {"csim": "source", "psim": "driver", "ed": "driver", "ed_euclidean": "driver", "lsim": "result"}

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
    assert metric.count == 0


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
    with pytest.raises(ValueError, match=rf"^{NAMES[name]} must be N×"):
        update(first[..., :-1], second)
    with pytest.raises(ValueError, match=r"must be N×.*got \(\)"):
        update(first, torch.tensor(0.0))
    with pytest.raises(ValueError, match="must be pairs, got 1 and 3"):
        update(first[:1], second)


def reduce(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    share = slice(0, 5) if rank == 0 else slice(5, 7)
    for name in REFERENCES:
        first, second = pairs(name, 7)
        metric = CLASSES[name]()
        metric.update(first[share], second[share])
        value = metric.compute().item()
        assert value == pytest.approx(np.mean(expected(name, first, second)), abs=1e-5)
        assert metric.count == len(first[share])
    dist.destroy_process_group()


def test_two_processes_with_uneven_shares_give_the_mean_of_all(tmp_path):
    mp.spawn(reduce, (tmp_path,), nprocs=2)


@pytest.mark.parametrize("room", ["csim", "psim", "ed", "lsim"])
def test_examples_in_the_docstrings_run(room):
    result = doctest.testmod(import_module(f"facegan.metrics.{room}"))
    assert result.attempted
    assert not result.failed
