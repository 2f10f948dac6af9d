"""What the tests of the face share: the mirror image of its vertices, and people of all kinds."""

import numpy as np
import pytest

from synthetic_heads import sample_identity
from synthetic_heads.face.canonical_face import canonical_mesh
from synthetic_heads.face.expression import Rig
from synthetic_heads.face.shape import neutral_face


@pytest.fixture(scope="session")
def mirrored():
    """Takes values V×3 at the vertices to those of the face's mirror image."""
    vertices = canonical_mesh().vertices
    away = np.linalg.norm((vertices * [-1, 1, 1])[:, None] - vertices, axis=2)
    twins = away.argmin(axis=1)
    assert away.min(axis=1).max() < 1e-6
    return lambda values: values[twins] * np.float32([-1, 1, 1])


@pytest.fixture(scope="session")
def rigs():
    return [Rig.fit(neutral_face(sample_identity(seed).shape)) for seed in range(24)]
