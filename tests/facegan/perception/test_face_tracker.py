import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.perception.face_tracker import DESCRIPTOR_SIZE, CentroidTracker, appearance_descriptor

FPS = 25


def follow(frames, sizes=None, **settings):
    """Track ids of faces given as a list of centroids for each frame."""
    tracker = CentroidTracker(**settings)
    ids = []
    for number, centroids in enumerate(frames):
        points = np.array(centroids, float).reshape(-1, 2)
        extents = np.full(len(points), 100.0) if sizes is None else np.array(sizes[number], float)
        ids.append(tracker.assign(points, extents, number / FPS))
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


def test_a_hidden_face_comes_out_where_its_way_leads():
    left = [(100 + 10 * i, 100) for i in range(16)]
    right = [(250 - 10 * i, 100) for i in range(16)]
    hidden = range(6, 10)
    frames = [[a] if i in hidden else [a, b] for i, (a, b) in enumerate(zip(left, right, strict=True))]
    assert follow(frames) == [[0] if i in hidden else [0, 1] for i in range(16)]


def test_who_leaves_and_who_enters_at_one_place_are_two():
    leaves, enters = [[(50 - 20 * i, 0)] for i in range(5)], [[(20 * i - 30, 0)] for i in range(5)]
    assert follow(leaves + [[]] * 4 + enters) == [[0]] * 5 + [[]] * 4 + [[1]] * 5


def in_turn(company):
    """Ids of a face of two looks in turn, three sightings each; somebody else may have been seen before."""
    tracker = CentroidTracker()
    bright, dark = (np.full((DESCRIPTOR_SIZE, DESCRIPTOR_SIZE, 3), level, np.uint8) for level in (180, 120))
    places = np.array([(100.0, 100), (500, 100)])[: 1 + company]
    tracker.assign(places, np.full(len(places), 100.0), -1 / FPS, [bright] * len(places))
    faces = [bright] * 3 + [dark] * 3 + [bright] * 3
    return [tracker.assign(places[:1], np.array([100.0]), i / FPS, [f])[0] for i, f in enumerate(faces)]


def test_a_face_that_becomes_another_opens_a_new_track():
    assert in_turn(company=True) == [0, 0, 0, 2, 2, 2, 3, 3, 3]
    assert in_turn(company=False) == [0] * 9


def test_a_look_is_of_the_face_and_stays_within_the_picture():
    image = np.zeros((100, 100, 3), np.uint8)
    image[:, 60:] = 200
    face = np.random.default_rng(0).uniform(65, 95, (68, 2)).astype(np.float32)
    assert appearance_descriptor(image, face)[:, 2:].min() == 200
    for corner in (-500, -15, 80, 500):
        assert appearance_descriptor(image, face - 65 + corner).shape == (DESCRIPTOR_SIZE, DESCRIPTOR_SIZE, 3)


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
