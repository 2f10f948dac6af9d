from dataclasses import replace

import numpy as np
import pytest

from synthetic_heads.conventions import HAIR
from synthetic_heads.face.mesh_part import Material
from synthetic_heads.face.shape import DIRECTIONS, neutral_face
from synthetic_heads.face.skull import CENTER, Skull, fine_face, skull_part
from synthetic_heads.hair.hair import STYLES, sample_hair
from synthetic_heads.hair.hair_surfaces import hair_parts
from synthetic_heads.hair.scalp import Scalp, angles
from synthetic_heads.hair.strand_surfaces import strand_texture
from synthetic_heads.rendering.rasterizer import rasterize

STRANDS = strand_texture(np.random.default_rng(0), 0.2)
GROWN = [style for style in STYLES if style != "bald"]


@pytest.fixture(scope="module", params=[None, 3])
def head(request):
    """The mean person and another: skull and fine face."""
    weights = np.zeros(len(DIRECTIONS))
    if request.param is not None:
        weights = np.clip(np.random.default_rng(request.param).normal(0, 0.7, len(DIRECTIONS)), -1.7, 1.7)
    face = fine_face().weights @ neutral_face(weights.tolist())
    return Skull(face), face


def a_person(style, seed=0, **measures):
    return replace(sample_hair(np.random.default_rng(seed), 0.3, 0.5), style=style, **measures)


def grow(hair, head, seed=1):
    return hair_parts(hair, *head, np.random.default_rng(seed))


def visible(head, parts, yaw=0.0, pitch=0.0, size=160):
    """Which triangle each pixel sees, the face's before the skull's; and how many the face has."""
    skull, face = head
    scalp = skull_part(skull, len(face))
    meshes = [(face, fine_face().triangles, np.zeros((len(face), 2)), np.zeros(len(face)))]
    meshes += [(part.vertices, part.triangles, part.uv, part.transparency) for part in (scalp, *parts)]
    starts = np.cumsum([0, *(len(mesh[0]) for mesh in meshes)])
    starts[1] = 0  # the skull's triangles also use the face's vertices
    points, uv, thin = (np.concatenate([mesh[i] for mesh in meshes]).astype(np.float32) for i in (0, 2, 3))
    triangles = np.concatenate([mesh[1] + start for mesh, start in zip(meshes, starts, strict=False)])
    solid = (np.arange(len(triangles)) < len(fine_face().triangles) + len(scalp.triangles)).astype(np.uint8)
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    cos, sin = np.cos(pitch), np.sin(pitch)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ turn
    flat = (points - CENTER) @ turn.T
    flat = np.column_stack((flat[:, :2] * size / 40 + size / 2, flat[:, 2] + 100)).astype(np.float32)
    seen = np.zeros((size, size), np.int32)
    rasterize(
        flat, triangles.astype(np.int32), solid, uv, thin,
        STRANDS, seen, np.zeros((size, size, 2), np.float32),
        np.zeros((size, size), np.float32),
    )  # fmt: skip
    return seen, len(fine_face().triangles)


@pytest.mark.parametrize("style", GROWN)
def test_parts_are_valid_meshes(style, head):
    parts = grow(a_person(style), head)
    assert sum(len(part.triangles) for part in parts) <= 6000
    for part in parts:
        count = len(part.vertices)
        assert part.material == Material.HAIR
        assert part.label == HAIR
        assert part.triangles.min() >= 0
        assert part.triangles.max() < count
        assert np.isfinite(part.vertices).all()
        assert np.isfinite(part.uv).all()
        for share in (part.transparency, part.shade, part.head_weight):
            assert share.shape == (count,)
            assert share.min() >= 0
            assert share.max() <= 1


def test_hair_bald_has_no_parts(head):
    assert grow(a_person("bald"), head) == []


@pytest.mark.slow
@pytest.mark.parametrize("style", GROWN)
def test_hair_leaves_face_free(style, head):
    middle = head[1][fine_face().triangles].mean(axis=1)
    # From the brows down and within the eyes' outer corners.
    inner = np.flatnonzero((np.abs(middle[:, 0]) < 4) & (middle[:, 1] > -4))
    parts = grow(a_person(style, height=4.0), head)
    for yaw, pitch in ((0, 0), (0.7, 0), (-0.7, 0), (0, -0.5)):
        bare, first = visible(head, [], yaw, pitch)
        haired, _ = visible(head, parts, yaw, pitch)
        assert (haired[np.isin(bare, inner)] < first).mean() > (0.75 if yaw else 0.97)


@pytest.mark.slow
@pytest.mark.parametrize("style", [style for style in GROWN if style != "horseshoe"])
def test_hair_covers_skull_above_hairline(style, head):
    hair = a_person(style)
    scalp = skull_part(head[0], len(head[1]))
    corners = np.concatenate((head[1], scalp.vertices))[scalp.triangles]
    azimuth, elevation = angles(corners.mean(axis=1) - CENTER)
    edge = Scalp(*head, hair.height, hair.recession).hairline(azimuth)
    # Short hair fades over up to a third of the way to the crown.
    covered = elevation > edge + 0.33 * (np.pi / 2 - edge)
    for yaw, pitch in ((0, 0), (0.8, 0), (-0.8, 0), (0, 0.5)):
        seen, first = visible(head, grow(hair, head), yaw, pitch)
        bare = (seen >= first) & (seen < first + len(scalp.triangles))
        assert covered[seen[bare] - first].sum() < 0.015 * (seen >= first + len(scalp.triangles)).sum()


@pytest.mark.slow
@pytest.mark.parametrize("style", GROWN)
def test_hair_same_generator_state_is_equal(style, head):
    one, same, other = (grow(a_person(style), head, seed) for seed in (1, 1, 2))
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a.vertices, b.vertices)
        np.testing.assert_array_equal(a.uv, b.uv)
    assert any(not np.array_equal(a.vertices, b.vertices) for a, b in zip(one, other, strict=True))


def test_hair_long_rests_on_shoulders(head):
    for part in grow(a_person("straight", length=1.0), head):
        assert (part.head_weight[part.vertices[:, 1] > 14.5] == 0).all()
        assert (part.head_weight[part.vertices[:, 1] < 2] > 0.98).all()


def test_sample_hair_covers_all_styles():
    random = np.random.default_rng(0)
    young = [sample_hair(random, 0.1, 0.9) for _ in range(200)]
    old = [sample_hair(random, 0.95, 0.9) for _ in range(200)]
    women = [sample_hair(random, 0.3, 0.05) for _ in range(200)]
    assert {hair.style for hair in young + old + women} == set(STYLES)
    assert np.mean([hair.gray for hair in old]) > 0.5 > 0.05 > np.mean([hair.gray for hair in young])
    falling = ("bob", "straight", "wavy", "ponytail", "bun")
    assert np.mean([hair.style in falling for hair in women]) > 0.5
    assert np.mean([hair.style in falling for hair in young]) < 0.2
    for hair in young + old + women:
        for color in (hair.root, hair.tip, hair.natural):
            assert min(color) >= 0
            assert max(color) <= 255
    assert sample_hair(np.random.default_rng(5), 0.5, 0.5) == sample_hair(np.random.default_rng(5), 0.5, 0.5)


@pytest.mark.parametrize("curl", [0.0, 0.5, 1.0])
def test_strand_texture_varies_along_and_across(curl):
    texture = strand_texture(np.random.default_rng(0), curl)
    assert texture.shape == (256, 256)
    assert texture.dtype == np.uint8
    for thin in (0.25, 0.5, 0.9):
        assert (texture < 255 * thin).mean() == pytest.approx(thin, abs=0.01)
    # Nothing of a surface is left where all is missing.
    assert texture.max() < 255
    steps = [np.abs(np.diff(texture.astype(float), axis=axis)).mean() for axis in (0, 1)]
    if curl < 1:
        assert steps[0] < steps[1]
    # Its ends meet.
    for axis, step in enumerate(steps):
        ends = np.abs(texture.take(0, axis).astype(float) - texture.take(-1, axis))
        assert ends.mean() < 1.3 * step
