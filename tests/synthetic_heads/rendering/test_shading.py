import numpy as np
import pytest

from synthetic_heads.face.mesh_part import Material
from synthetic_heads.rendering.rasterizer import (
    FAR,
    rasterize,
    render_shadow_map,
    triangle_tangents,
    vertex_normals,
)
from synthetic_heads.rendering.shading import (
    CHANNELS,
    CLOTH,
    EYE,
    HAIR,
    HARD,
    LASH,
    SKIN,
    TAPS,
    WET,
    Appearance,
    Lighting,
    Surface,
    shade,
)

SIZE, SAMPLES = 48, 2
FACE, HAIR_LABEL = 1, 2
LEFT_ABOVE = np.array([-0.6, -0.5, -0.62])
"""Towards the lamp: x right, y down, z away from the camera."""


def look(**changes):
    atlas = np.full((16, 32, CHANNELS), 0.0, np.float32)
    atlas[..., :3], atlas[..., 3] = 0.4, 0.3
    plain = Appearance(
        atlas=atlas,
        regions=np.zeros((16, 32), np.uint8),
        parts=np.zeros((16, 32), np.uint8),
        strands=np.full((8, 8), 128, np.uint8),
        cloth=np.stack([np.full((4, 4, 3), value, np.float32) for value in (0.1, 0.5)]),
        hair=np.array([[(0.1,) * 3, (0.3,) * 3, (0.3,) * 3], [(0.4, 0.1, 0.05)] * 3], np.float32),
        iris=np.array([0.1, 0.2, 0.5], np.float32),
        hard=np.array([0.02, 0.3, 0.02], np.float32),
        lash=np.array([0.01, 0.01, 0.01], np.float32),
    )
    return plain._replace(**changes)


def ball(radius=18.0, center=(24.0, 24.0, 50.0), rows=24, columns=48):
    """Vertices in pixels and triangles of a ball, its outer side wound as the face's."""
    down = np.linspace(0.02, np.pi - 0.02, rows)[:, None]
    around = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    parts = np.broadcast_arrays(np.sin(down) * np.cos(around), -np.cos(down), np.sin(down) * np.sin(around))
    at = np.arange(rows - 1)[:, None] * columns + np.arange(columns)
    after = np.arange(rows - 1)[:, None] * columns + (np.arange(columns) + 1) % columns
    a, b = at.ravel(), after.ravel()
    triangles = np.concatenate(
        (np.stack((a, a + columns, b), axis=1), np.stack((b, a + columns, b + columns), axis=1))
    )
    return radius * np.stack(parts, axis=-1).reshape(-1, 3) + center, triangles


def plane(depth=60.0, left=0.0, top=0.0, right=48.0, bottom=48.0):
    points = [(left, top, depth), (right, top, depth), (left, bottom, depth), (right, bottom, depth)]
    return np.array(points), np.array([(0, 2, 1), (1, 2, 3)])


def lamp_from(towards, points=None, triangles=None, ambient=0.25):
    """A white lamp; what the triangles shade is dark, else nothing is."""
    towards = np.asarray(towards, float) / np.linalg.norm(towards)
    column = np.cross([0, 1, 0], -towards)
    column /= np.linalg.norm(column)
    axes = np.array([column, np.cross(-towards, column), -towards], np.float32)
    corner = np.array([24, 24, 50]) - 60 * (axes[0] + axes[1])
    cell = 0.25
    depth = np.full((480, 480), FAR, np.float32)
    if points is not None:
        cells = ((points - corner) @ axes.T / [cell, cell, 1]).astype(np.float32)
        render_shadow_map(cells, triangles.astype(np.int32), np.zeros(len(points), np.float32), depth)
    rays = [towards, (1, 1, 1), (ambient,) * 3, (ambient,) * 3, corner]
    return Lighting(np.array(rays, np.float32), axes, cell, depth, np.zeros((4, TAPS, 2), np.float32))


def draw(*meshes, lamp=None, uv=None, materials=None, labels=None, variants=None, wrinkles=None, look_=None):
    """The image of meshes whose x and y are pixels, seen from far along -z."""
    points, starts = [], np.cumsum([0, *(len(mesh[0]) for mesh in meshes)])
    points = np.concatenate([mesh[0] for mesh in meshes]).astype(np.float32)
    triangles = np.concatenate([m[1] + s for m, s in zip(meshes, starts, strict=False)]).astype(np.int32)
    counts = [len(mesh[1]) for mesh in meshes]

    def per_triangle(values, default):
        return np.repeat([default] * len(meshes) if values is None else values, counts).astype(np.uint8)

    uv = np.tile(np.float32([0.5, 0.5]), (len(points), 1)) if uv is None else np.asarray(uv, np.float32)
    normals, tangents = np.empty_like(points), np.empty((len(triangles), 6), np.float32)
    vertex_normals(points, triangles, normals)
    triangle_tangents(points, uv, triangles, tangents)
    surface = Surface(
        points, normals, uv, np.ones(len(points), np.float32), triangles, per_triangle(materials, SKIN),
        tangents, per_triangle(labels, FACE), per_triangle(variants, 0),
    )  # fmt: skip
    side = SIZE * SAMPLES
    seen = np.empty((side, side), np.int32)
    weights, inverse_depth = np.empty((side, side, 2), np.float32), np.empty((side, side), np.float32)
    flat = points * np.float32([SAMPLES, SAMPLES, 1])
    strands = np.full((1, 1), 255, np.uint8)
    open_, solid = np.zeros(len(triangles), np.uint8), np.zeros(len(points), np.float32)
    rasterize(flat, triangles, open_, uv, solid, strands, seen, weights, inverse_depth)
    folds = np.zeros(8, np.float32) if wrinkles is None else np.asarray(wrinkles, np.float32)
    lamp = lamp or lamp_from(LEFT_ABOVE)
    return shade(seen, weights, surface, look_ or look(), folds, lamp, SIZE), seen


def test_material_indices_match_meshes():
    assert list(Material) == [SKIN, HAIR, EYE, WET, CLOTH, HARD, LASH]


@pytest.mark.parametrize("towards", [LEFT_ABOVE, (0.7, -0.2, -0.6), (0.1, 0.8, -0.5)])
def test_shade_sphere_is_brightest_towards_light(towards):
    image, _ = draw(ball(), lamp=lamp_from(towards))
    bright = image.color.mean(axis=-1)
    rows, columns = np.mgrid[:SIZE, :SIZE] - 23.5
    away = np.stack((columns, rows)) / 18
    inside = np.hypot(*away) < 0.9
    top = inside & (bright >= np.quantile(bright[inside], 0.9))
    place = away[:, top].mean(axis=1)
    flat = np.array(towards)[:2] / np.linalg.norm(towards)
    # Between the place that faces the lamp and that of its highlight, half way to the camera.
    assert place @ flat / np.linalg.norm(flat) / np.linalg.norm(place) > 0.97
    assert 0.3 * np.linalg.norm(flat) < np.linalg.norm(place) < 1.1 * np.linalg.norm(flat) + 0.1
    # The side away from it keeps the light that comes from everywhere, and light never dies.
    opposite = bright[inside & (np.tensordot(flat / np.linalg.norm(flat), away, 1) < -0.7)]
    assert 0.05 < opposite.mean() < 0.5 * bright[top].mean()


def test_shade_occluder_casts_shadow_away_from_light():
    wall, disc = plane(60), plane(45, 18, 18, 26, 26)
    points = np.concatenate((wall[0], disc[0]))
    triangles = np.concatenate((wall[1], disc[1] + 4))
    towards = np.array([-0.6, 0, -0.8])
    alone, _ = draw(wall, lamp=lamp_from(towards))
    shaded, seen = draw(wall, lamp=lamp_from(towards, points, triangles))
    assert (seen >= 0).all()
    ratio = shaded.color[..., 1] / alone.color[..., 1]
    # 15 behind the disc, along a light of slope 3/4.
    shift = round(15 * 0.6 / 0.8)
    assert (ratio[20:25, 20 + shift : 25 + shift] < 0.6).all()
    assert (ratio[20:25, 20 + shift : 25 + shift] > 0.1).all()
    assert (ratio[:15] > 0.99).all()
    assert (ratio[30:] > 0.99).all()
    assert (ratio[:, : 16 + shift] > 0.99).all()


def test_shade_surface_does_not_shadow_itself():
    points, triangles = ball()
    towards = (-0.5, -0.4, -0.76)
    alone, _ = draw((points, triangles), lamp=lamp_from(towards))
    own, _ = draw((points, triangles), lamp=lamp_from(towards, points, triangles))
    rows, columns = np.mgrid[:SIZE, :SIZE] - 23.5
    lit = (columns * -0.5 + rows * -0.4) / 18 + 0.76 * np.sqrt(
        np.clip(1 - (columns**2 + rows**2) / 18**2, 0, 1)
    )
    facing = (lit > 0.35) & (np.hypot(rows, columns) < 17)
    np.testing.assert_allclose(own.color[facing], alone.color[facing], rtol=0.12)


def test_label_of_pixel_is_majority_of_samples():
    wall = plane(60)
    # A second surface over one, two, three and all four quarters of pixels.
    cover = [(10, 10, 10.5, 10.5), (20, 10, 20.5, 11), (30, 10, 31, 11)]
    patches = [plane(40, *edges) for edges in cover]
    three = [plane(40, 5, 30, 6, 30.5), plane(40, 5, 30.5, 5.5, 31)]
    image, _ = draw(wall, *patches, *three, labels=[FACE] + [HAIR_LABEL] * 5, materials=[SKIN] + [HAIR] * 5)
    assert image.segmentation[10, 10] == FACE
    assert image.segmentation[10, 30] == HAIR_LABEL
    assert image.segmentation[30, 5] == HAIR_LABEL
    assert image.segmentation[10, 20] in (FACE, HAIR_LABEL)
    assert image.segmentation[40, 40] == FACE
    hidden, _ = draw(wall, patches[2], labels=[HAIR_LABEL, 0], materials=[HAIR, CLOTH])
    assert hidden.segmentation[10, 30] == 0


def test_coverage_is_fraction_of_covered_samples():
    image, seen = draw(ball(radius=13.3, center=(21, 25, 50)))
    share = (seen >= 0).reshape(SIZE, SAMPLES, SIZE, SAMPLES).mean(axis=(1, 3))
    np.testing.assert_allclose(image.cover, share, atol=1e-6)
    assert {0.0, 0.25, 0.5, 0.75, 1.0} == set(np.unique(share))
    assert (image.color[share == 0] == 0).all()
    assert (image.segmentation[share == 0] == 0).all()
    assert (image.segmentation[share > 0.5] == FACE).all()
    # Color is that of what is seen, times its share: edges are as bright as what is beside them.
    edge = (share > 0) & (share < 1)
    assert (image.color[edge] / share[edge][:, None]).min() > 0.04


def test_label_of_skin_with_hair_is_hair():
    parts = np.zeros((16, 32), np.uint8)
    parts[:, 8:] = HAIR_LABEL
    points, triangles = plane(60)
    uv = np.column_stack((points[:, 0] / 48, points[:, 1] / 48))
    image, _ = draw((points, triangles), uv=uv, look_=look(parts=parts))
    assert (image.segmentation[:, :23] == FACE).all()
    assert (image.segmentation[:, 25:] == HAIR_LABEL).all()


def test_wrinkles_change_only_their_region():
    atlas = look().atlas.copy()
    atlas[4:8, 4:8, 6:8], atlas[4:8, 4:8, 8] = 0.8, 0.3
    regions = np.zeros((16, 32), np.uint8)
    regions[4:8, 4:8] = 3
    points, triangles = plane(60)
    uv = np.column_stack((points[:, 0] / 48, points[:, 1] / 48))
    images = [
        draw((points, triangles), uv=uv, look_=look(atlas=atlas, regions=regions), wrinkles=folds)[0].color
        for folds in (np.zeros(8), np.eye(8)[3], np.eye(8)[2])
    ]
    changed = np.abs(images[1] - images[0]).max(axis=-1) > 1e-6
    assert changed[13:23, 13:23].all()
    assert changed.sum() < 20 * 20
    np.testing.assert_array_equal(images[0], images[2])
