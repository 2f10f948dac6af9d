import numpy as np
import pytest

from synthetic_heads import sample_identity
from synthetic_heads.face.canonical_face import LIDS, LIPS_LOWER, LIPS_UPPER, canonical_mesh
from synthetic_heads.face.shape import DIRECTIONS, neutral_face, relaxed_face

RIGHT, DOWN, BACK = range(3)


def face_of(**weights):
    return neutral_face([weights.get(name, 0.0) for name in DIRECTIONS])


@pytest.fixture(scope="module")
def people():
    return [neutral_face(sample_identity(seed).shape) for seed in range(40)]


@pytest.mark.parametrize("name", DIRECTIONS)
def test_shape_directions_are_symmetric(name, mirrored):
    face = face_of(**{name: 1.3})
    np.testing.assert_allclose(mirrored(face), face, atol=5e-4)
    change = np.linalg.norm(face - relaxed_face(), axis=1)
    assert 0.05 < change.max() < 1.4


def test_shape_directions_are_independent():
    changes = np.array([(face_of(**{name: 1.0}) - relaxed_face()).ravel() for name in DIRECTIONS])
    changes /= np.linalg.norm(changes, axis=1, keepdims=True)
    likeness = np.abs(changes @ changes.T) - np.eye(len(changes))
    assert likeness.max() < 0.9
    assert np.linalg.matrix_rank(changes, tol=0.05) == len(DIRECTIONS)


def test_shape_zero_weights_give_mean_face():
    np.testing.assert_array_equal(face_of(), relaxed_face())
    assert np.abs(relaxed_face() - canonical_mesh().vertices).max() < 0.8


def test_shape_at_rest_has_closed_lips_and_open_eyes(people):
    for face in people:
        seam = face[list(LIPS_LOWER[3])] - face[list(LIPS_UPPER[3])]
        assert np.linalg.norm(seam, axis=1).max() < 0.1
        for upper, lower in LIDS:
            opening = face[list(lower), DOWN] - face[list(upper), DOWN]
            assert (opening[1:-1] > 0).all()
            assert 0.5 < opening.max() < 1.6


def test_shape_identities_are_valid_and_differ(people):
    for face in people:
        heights = face[[10, 105, 159, 145, 4, 0, 13, 17, 152], DOWN]
        assert (np.diff(heights) > -1e-3).all()
        assert face[4, BACK] == face[:, BACK].min()
        assert 12 < face[454, RIGHT] - face[234, RIGHT] < 19
    flat = np.array([face.ravel() for face in people])
    apart = np.linalg.norm(flat[:, None] - flat, axis=2) / np.sqrt(len(flat[0]) / 3)
    assert apart[np.triu_indices(len(people), 1)].min() > 0.15
