import numpy as np
import pytest

from synthetic_heads import sample_identity
from synthetic_heads.face.canonical_face import LIDS, LIPS_LOWER, LIPS_UPPER, canonical_mesh
from synthetic_heads.face.shape import DIRECTIONS, neutral_face, relaxed_face

RIGHT, DOWN, BACK = range(3)


def apart(right, left):
    """Distance of a vertex of the person's right from its twin on the left."""
    return lambda face: face[left, RIGHT] - face[right, RIGHT]


def up(vertex):
    return lambda face: -face[vertex, DOWN]


def down(vertex):
    return lambda face: face[vertex, DOWN]


def forwards(vertex):
    return lambda face: -face[vertex, BACK]


def below(high, low):
    return lambda face: face[low, DOWN] - face[high, DOWN]


def eye_middles(face):
    return [face[[*upper, *lower]].mean(axis=0) for upper, lower in LIDS]


MEASURES = {
    "jaw width": apart(172, 397),
    "jaw angle": down(58),
    "chin length": down(152),
    "chin width": apart(149, 378),
    "chin projection": forwards(199),
    "cheekbone width": apart(123, 352),
    "cheekbone projection": forwards(50),
    "cheek fullness": apart(207, 427),
    "temple width": apart(21, 251),
    "forehead height": up(10),
    "forehead slope": lambda face: face[10, BACK] - face[9, BACK],
    "brow ridge": lambda face: face[159, BACK] - face[105, BACK],
    "brow height": lambda face: face[159, DOWN] - face[105, DOWN],
    "brow slant": below(70, 107),
    "eye distance": lambda face: eye_middles(face)[1][RIGHT] - eye_middles(face)[0][RIGHT],
    "eye slant": below(33, 133),
    "eye depth": lambda face: eye_middles(face)[0][BACK] - face[105, BACK],
    "nose width": apart(98, 327),
    "nose length": below(168, 4),
    "nose projection": lambda face: face[50, BACK] - face[4, BACK],
    "nose bridge": forwards(197),
    "nose bridge width": apart(174, 399),
    "nose tip": up(4),
    "mouth width": apart(61, 291),
    "mouth height": up(13),
    "mouth projection": forwards(13),
    "upper lip": below(37, 82),
    "lower lip": below(87, 84),
    "cupid's bow": below(37, 0),
    "face width": apart(234, 454),
    "face length": below(10, 152),
    "lower face": below(2, 152),
    "eye size": apart(33, 133),
}
"""What grows with each direction."""


def face_of(**weights):
    return neutral_face([weights.get(name, 0.0) for name in DIRECTIONS])


@pytest.fixture(scope="module")
def people():
    return [neutral_face(sample_identity(seed).shape) for seed in range(40)]


@pytest.mark.parametrize("name", DIRECTIONS)
def test_each_direction_changes_what_it_is_named_after(name):
    measure = MEASURES[name]
    values = [measure(face_of(**{name: weight})) for weight in (-1, -0.5, 0, 0.5, 1)]
    steps = np.diff(values)
    assert steps.min() > 0.02
    # Twice the weight, twice the change.
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.05, atol=1e-4)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_each_direction_is_symmetric(name, mirrored):
    face = face_of(**{name: 1.3})
    np.testing.assert_allclose(mirrored(face), face, atol=5e-4)
    change = np.linalg.norm(face - relaxed_face(), axis=1)
    assert 0.05 < change.max() < 1.4


def test_no_direction_is_another_in_disguise():
    changes = np.array([(face_of(**{name: 1.0}) - relaxed_face()).ravel() for name in DIRECTIONS])
    changes /= np.linalg.norm(changes, axis=1, keepdims=True)
    likeness = np.abs(changes @ changes.T) - np.eye(len(changes))
    assert likeness.max() < 0.9
    assert np.linalg.matrix_rank(changes, tol=0.05) == len(DIRECTIONS)


def test_weight_zero_is_the_relaxed_face():
    np.testing.assert_array_equal(face_of(), relaxed_face())
    assert np.abs(relaxed_face() - canonical_mesh().vertices).max() < 0.8


def test_lips_are_closed_and_eyes_open_at_rest(people):
    for face in people:
        seam = face[list(LIPS_LOWER[3])] - face[list(LIPS_UPPER[3])]
        assert np.linalg.norm(seam, axis=1).max() < 0.1
        for upper, lower in LIDS:
            opening = face[list(lower), DOWN] - face[list(upper), DOWN]
            assert (opening[1:-1] > 0).all()
            assert 0.5 < opening.max() < 1.6


def test_people_keep_a_face_in_order_and_differ(people):
    for face in people:
        heights = face[[10, 105, 159, 145, 4, 0, 13, 17, 152], DOWN]
        assert (np.diff(heights) > -1e-3).all()
        assert face[4, BACK] == face[:, BACK].min()
        assert 12 < face[454, RIGHT] - face[234, RIGHT] < 19
    flat = np.array([face.ravel() for face in people])
    apart = np.linalg.norm(flat[:, None] - flat, axis=2) / np.sqrt(len(flat[0]) / 3)
    assert apart[np.triu_indices(len(people), 1)].min() > 0.15
