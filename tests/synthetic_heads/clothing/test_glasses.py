import numpy as np
import pytest

from synthetic_heads.clothing.glasses import SHAPES, Glasses, glasses_parts, sample_glasses
from synthetic_heads.conventions import FACE
from synthetic_heads.face.canonical_face import LIDS
from synthetic_heads.face.mesh_part import Material
from synthetic_heads.face.shape import DIRECTIONS, neutral_face
from synthetic_heads.face.skull import fine_face

WEIGHTS = [
    np.zeros(len(DIRECTIONS)),
    *(np.clip(np.random.default_rng(seed).normal(0, 0.8, len(DIRECTIONS)), -1.7, 1.7) for seed in range(4)),
]


def a_face(weights):
    return fine_face().weights @ neutral_face(weights.tolist())


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_glasses_stand_before_face(shape, weights):
    face = a_face(weights)
    parts = glasses_parts(Glasses(shape, (20, 20, 20), 0.15, 2.3), face)
    front = [part for part in parts if part.vertices[:, 2].max() < 0]
    assert len(front) == 3  # two rims and the bridge
    for part in front:
        apart = np.linalg.norm(part.vertices[:, None, :2] - face[None, :, :2], axis=2)
        skin = np.where(apart < 0.3, face[:, 2], np.inf).min(axis=1)
        assert (part.vertices[:, 2] < skin).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_parts_are_valid_meshes(shape):
    glasses = Glasses(shape, (20, 20, 20), 0.12, 2.3)
    face = a_face(WEIGHTS[0])
    parts = glasses_parts(glasses, face)
    assert sum(len(part.triangles) for part in parts) <= 1500
    for part in parts:
        assert part.material == Material.HARD
        assert part.label == FACE
        assert part.triangles.max() < len(part.vertices)
    points = np.concatenate([part.vertices for part in parts])
    np.testing.assert_allclose(points[:, 0].max(), -points[:, 0].min(), atol=1e-4)
    for upper, lower in LIDS:
        eye = face[[*upper, *lower]].mean(axis=0)
        assert (np.linalg.norm(points[:, :2] - eye[:2], axis=1) > 0.8).all()


def test_sample_glasses_one_in_five_wears_some():
    drawn = [sample_glasses(np.random.default_rng(seed)) for seed in range(400)]
    worn = [glasses for glasses in drawn if glasses]
    assert 0.14 < len(worn) / len(drawn) < 0.26
    assert {glasses.shape for glasses in worn} == set(SHAPES)
    assert drawn[:20] == [sample_glasses(np.random.default_rng(seed)) for seed in range(20)]
