import numpy as np
import pytest

from synthetic_heads.conventions import FACE, MOTION_NAMES
from synthetic_heads.face.canonical_face import LIPS_LOWER, LIPS_UPPER
from synthetic_heads.face.expression import Rig
from synthetic_heads.face.shape import DIRECTIONS, neutral_face
from synthetic_heads.face.skull import fine_face
from synthetic_heads.hair.beard import STYLES, Beard, BeardShells, beard_region, sample_beard
from synthetic_heads.rendering.rasterizer import vertex_normals

BROWN = (80.0, 55.0, 40.0)
GROWN = [style for style in STYLES if style != "stubble"]


@pytest.fixture(scope="module")
def rig():
    return Rig.fit(neutral_face([0.0] * len(DIRECTIONS)))


def moved(rig, **units):
    vector = np.zeros(20, np.float32)
    for name, strength in units.items():
        vector[MOTION_NAMES.index(name)] = strength
    face = np.ascontiguousarray(fine_face().weights @ rig.deform(vector), np.float32)
    normals = np.empty_like(face)
    vertex_normals(face, fine_face().triangles, normals)
    return face, normals


def shells(style, rig, length=0.6):
    face, _ = moved(rig)
    return BeardShells(Beard(style, length, 0.9, BROWN), face)


@pytest.mark.parametrize("style", GROWN)
def test_build_beard_is_valid_mesh(style, rig):
    part = shells(style, rig).part
    assert part.label == FACE
    assert 0 < len(part.triangles) <= 4000
    assert part.triangles.max() < len(part.vertices)
    for share in (part.transparency, part.shade):
        assert share.shape == (len(part.vertices),)
        assert share.min() >= 0
        assert share.max() <= 1
    assert (part.transparency < 0.3).any()


@pytest.mark.parametrize("style", GROWN)
def test_beard_follows_opening_jaw(style, rig):
    beard = shells(style, rig)
    shut, opened = beard.deform(*moved(rig)), beard.deform(*moved(rig, AU26=1.0))
    fallen = opened[:, 1] - shut[:, 1]
    if style == "mustache":
        assert np.median(np.abs(fallen)) < 0.3
    else:
        chin = shut[:, 1] > 7.5
        face_fallen = moved(rig, AU26=1.0)[0][152, 1] - moved(rig)[0][152, 1]
        assert np.median(fallen[chin]) == pytest.approx(face_fallen, rel=0.4)


@pytest.mark.parametrize("style", GROWN)
def test_beard_leaves_mouth_free(style, rig):
    for units in ({}, {"AU26": 1.0, "AU25": 1.0}, {"AU12": 1.0, "AU26": 0.5}):
        face, normals = moved(rig, **units)
        beard = shells(style, rig)
        points = beard.deform(face, normals)[beard.part.transparency < 0.6]
        upper, lower = face[list(LIPS_UPPER[3])], face[list(LIPS_LOWER[3])]
        left, right = upper[1:-1, 0].min(), upper[1:-1, 0].max()
        inside = (points[:, 0] > left) & (points[:, 0] < right)
        top = np.interp(points[:, 0], upper[:, 0], upper[:, 1])
        bottom = np.interp(points[:, 0], lower[:, 0], lower[:, 1])
        assert not (inside & (points[:, 1] > top) & (points[:, 1] < bottom)).any()


def test_beard_regions_match_style():
    lips = sorted({vertex for row in (*LIPS_UPPER, *LIPS_LOWER) for vertex in row})
    full = beard_region("short")
    assert full.min() >= 0
    assert full.max() <= 1
    for style in STYLES:
        region = beard_region(style)
        assert (region <= full + 1e-6).all()
        assert region[lips].max() < 0.05
        assert region[[4, 10, 50, 159, 386]].max() == 0  # nose, forehead, cheek, eyes
    assert beard_region("goatee")[199] == 1
    assert beard_region("goatee")[[58, 288]].max() == 0
    assert full[[58, 288, 199]].min() > 0.9
    assert beard_region("mustache")[199] == 0


def test_sample_beard_covers_all_styles():
    random = np.random.default_rng(0)
    assert all(sample_beard(random, 0.2, 0.5, BROWN) is None for _ in range(50))
    men = [sample_beard(random, 1.0, 0.5, BROWN) for _ in range(200)]
    assert 0.3 < np.mean([beard is None for beard in men]) + 0.2 < 0.9
    assert {beard.style for beard in men if beard} == set(STYLES)
    old = [sample_beard(random, 1.0, 1.0, BROWN) for _ in range(100)]
    brightness = [np.mean([sum(beard.color) for beard in group if beard]) for group in (men, old)]
    assert brightness[0] < brightness[1]
