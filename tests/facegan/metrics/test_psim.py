"""PSIM: frontal faces, which have no direction."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.metrics import PSIM, psim

directions = st.floats(0, 2 * math.pi)


def pose(length, angle):
    return torch.tensor([[length * math.cos(angle), length * math.sin(angle), 0.0]])


@given(directions, directions)
def test_psim_two_frontal_faces_is_one(a, b):
    assert psim(pose(0.009, a), pose(0.004, b)) == 1
    assert psim(pose(0.0, a), pose(0.0, b)) == 1


@given(directions, directions, st.floats(0.011, 1.5), st.floats(0.001, 1.5))
def test_psim_one_turned_head_is_cosine(a, b, longer, other):
    assert psim(pose(longer, a), pose(other, b)).item() == pytest.approx(math.cos(a - b), abs=1e-4)


def test_psim_zero_vector_and_turned_head_is_zero():
    assert psim(torch.zeros(1, 3), pose(0.5, 1.0)) == 0


def test_psim_epsilon_sets_frontal_range():
    assert PSIM(epsilon=0.2)(pose(0.1, 0), pose(0.1, math.pi)) == 1
    assert PSIM()(pose(0.1, 0), pose(0.1, math.pi)) == -1
