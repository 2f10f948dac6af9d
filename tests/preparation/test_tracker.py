import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.preparation import CentroidTracker

FPS = 25


def follow(frames, sizes=None, **settings):
    """Track ids of faces given as a list of centroids for each frame."""
    tracker = CentroidTracker(**settings)
    ids = []
    for number, centroids in enumerate(frames):
        points = np.array(centroids, float).reshape(-1, 2)
        extents = np.full(len(points), 100.0) if sizes is None else np.array(sizes[number], float)
        ids.append(tracker.update(points, extents, number / FPS))
    return ids


def test_one_moving_face_is_one_track():
    assert follow([[(10 + 20 * i, 50)] for i in range(9)]) == [[0]] * 9


def test_two_faces_keep_their_ids_when_the_detector_swaps_them():
    left, right = (100, 100), (400, 100)
    assert follow([[left, right], [right, left], [left, right]]) == [[0, 1], [1, 0], [0, 1]]


def test_the_assignment_is_the_best_of_all_together():
    # Nearest first would give the face at 60 to the track at 70 and leave the one at 100 too far away.
    assert follow([[(30, 0), (70, 0)], [(60, 0), (100, 0)]]) == [[0, 1], [0, 1]]


def test_a_new_face_opens_a_track_and_an_old_one_comes_back():
    a, b = (100, 100), (400, 100)
    assert follow([[a], [a, b], [b], [b, a], []]) == [[0], [0, 1], [1], [1, 0], []]


def test_a_jump_opens_a_new_track():
    assert follow([[(100, 100)], [(149, 100)], [(250, 100)]]) == [[0], [0], [1]]


def test_another_size_opens_a_new_track():
    assert follow([[(0, 0)]] * 4, sizes=[[100], [149], [100], [151]]) == [[0], [0], [0], [1]]


@pytest.mark.parametrize(("gap", "expected"), [(12, 0), (14, 1)])
def test_a_track_ends_after_half_a_second(gap, expected):
    face = [(100, 100)]
    assert follow([face] + [[]] * (gap - 1) + [face])[-1] == [expected]


def test_two_claimants_of_one_track():
    assert follow([[(100, 100)], [(110, 100), (102, 100)]]) == [[0], [1, 0]]


@given(
    st.lists(st.permutations(range(4)), min_size=2, max_size=8),
    st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=4, max_size=4),
)
def test_ids_follow_the_faces_in_whatever_order_they_come(orders, speeds):
    start = np.array([(0, 0), (300, 0), (0, 300), (300, 300)], float)
    frames = [(start + i * np.array(speeds))[list(order)] for i, order in enumerate(orders)]
    names = {}
    for order, ids in zip(orders, follow(frames), strict=True):
        assert sorted(ids) == [0, 1, 2, 3]
        for person, id_ in zip(order, ids, strict=True):
            assert names.setdefault(person, id_) == id_


def test_hundreds_of_faces_far_apart_and_none():
    grid = [(200 * x, 200 * y) for x in range(15) for y in range(15)]
    assert follow([grid, [], grid[::-1]])[2] == list(range(225))[::-1]
