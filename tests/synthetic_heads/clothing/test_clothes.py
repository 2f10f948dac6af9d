import dataclasses

import numpy as np
import pytest
from scipy.spatial import cKDTree

from synthetic_heads.clothing.clothes import STYLES, sample_clothes
from synthetic_heads.clothing.clothing_surfaces import clothes_parts
from synthetic_heads.clothing.fabrics import PATTERNS, Fabric, cloth_texture
from synthetic_heads.conventions import BACKGROUND
from synthetic_heads.face.mesh_part import Material
from synthetic_heads.face.skull import body_points
from synthetic_heads.rendering.rasterizer import vertex_normals


def dressed(style, seed=0, opening=None):
    random = np.random.default_rng(seed)
    clothes = sample_clothes(random, 0.2)
    while clothes.style != style:
        clothes = sample_clothes(random, 0.2)
    return clothes if opening is None else dataclasses.replace(clothes, opening=opening)


def normals(part):
    found = np.empty_like(part.vertices)
    vertex_normals(part.vertices, part.triangles, found)
    return found


def outside(points, width, thickness):
    """Signed distance to the skin, positive outside, by the nearest point of a dense sampling."""
    angle, heights = np.meshgrid(np.linspace(-np.pi, np.pi, 181), np.linspace(5, 34, 200))
    skin = body_points(angle, heights, width, thickness).reshape(-1, 3)
    further = body_points(angle, heights, width, thickness, 1.0).reshape(-1, 3)
    distance, nearest = cKDTree(skin).query(points)
    return distance * np.sign(((points - skin[nearest]) * (further - skin)[nearest]).sum(axis=1))


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("width", "thickness"), [(0.85, 0.9), (1.1, 1.15)])
def test_garments_lie_outside_body(style, width, thickness):
    for opening in (0.1, 0.9):
        for part, _ in clothes_parts(dressed(style, opening=opening), width, thickness):
            seen = (part.vertices[:, 1] < 26) & (part.shade > 0.64)
            assert outside(part.vertices[seen], width, thickness).min() > 0.1


@pytest.mark.parametrize("style", STYLES)
def test_garments_are_cloth_meshes(style):
    garments = clothes_parts(dressed(style), 1.0, 1.0)
    assert sum(len(part.triangles) for part, _ in garments) < 5000
    for part, tile in garments:
        assert part.material is Material.CLOTH
        assert part.label == BACKGROUND
        assert np.isfinite(part.vertices).all()
        assert np.isfinite(part.uv).all()
        assert part.triangles.max() < len(part.vertices)
        assert tile.shape == (128, 128, 3)
        assert (part.head_weight[part.vertices[:, 1] > 16] == 0).all()


def test_garments_same_settings_are_equal():
    clothes = dressed("shirt", 3)
    for one, two in zip(clothes_parts(clothes, 1.0, 1.0), clothes_parts(clothes, 1.0, 1.0), strict=True):
        np.testing.assert_array_equal(one.part.vertices, two.part.vertices)
        np.testing.assert_array_equal(one.tile, two.tile)


def test_sample_clothing_varies_styles_and_colors():
    chosen = [sample_clothes(np.random.default_rng(seed), 0.8) for seed in range(200)]
    assert {clothes.style for clothes in chosen} == set(STYLES) - {"wide neckline"}
    assert len({clothes.main.color for clothes in chosen}) > 150


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("repeats", [2, 5])
def test_fabric_texture_is_periodic(pattern, repeats):
    fabric = Fabric(pattern, (0.05, 0.1, 0.3), (0.6, 0.5, 0.4), repeats)
    tile = cloth_texture(fabric, np.random.default_rng(0))
    assert tile.dtype == np.float32
    assert tile.min() >= 0
    assert tile.max() <= 1
    for axis in (0, 1):
        steps = np.abs(np.diff(tile, axis=axis)).mean(axis=(1 - axis, 2))
        seam = np.abs(np.take(tile, 0, axis) - np.take(tile, -1, axis)).mean()
        assert seam <= steps.max() + 0.01


def test_inflate_keeps_distance():
    angle, heights = np.meshgrid(np.linspace(-3, 3, 40), np.linspace(9, 26, 40))
    distance = outside(body_points(angle, heights, 1.0, 1.0, 0.6).reshape(-1, 3), 1.0, 1.0)
    np.testing.assert_allclose(distance, 0.6, atol=0.12)
