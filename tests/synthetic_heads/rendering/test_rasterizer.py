import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from synthetic_heads.rendering.rasterizer import (
    FAR,
    rasterize,
    render_shadow_map,
    triangle_tangents,
    vertex_normals,
)

SOLID = np.zeros((1, 1), np.uint8)
SEEDS = st.integers(0, 10_000)


def draw(points, triangles, size=32, *, closed=False, uv=None, thin=None, strands=SOLID):
    """Triangle, shares of its three corners, and distance, for every sample."""
    points, triangles = np.asarray(points, np.float32), np.asarray(triangles, np.int32)
    uv = np.zeros((len(points), 2), np.float32) if uv is None else np.asarray(uv, np.float32)
    thin = np.zeros(len(points), np.float32) if thin is None else np.asarray(thin, np.float32)
    outer = np.full(len(triangles), closed, np.uint8)
    seen = np.full((size, size), 77, np.int32)
    weights, inverse_depth = np.full((size, size, 2), 77, np.float32), np.full((size, size), 77, np.float32)
    rasterize(points, triangles, outer, uv, thin, strands, seen, weights, inverse_depth)
    shares = np.concatenate((1 - weights.sum(axis=-1, keepdims=True), weights), axis=-1)
    return seen, shares, inverse_depth


def flat_shares(points, size=32):
    """Shares of a triangle's corners in the image's plane at every sample, and its area there."""
    a, b, c = np.asarray(points, float)[:, :2]
    y, x = np.mgrid[:size, :size] + 0.5
    area = np.cross([*(b - a), 0], [*(c - a), 0])[2]
    share_b = ((x - a[0]) * (c - a)[1] - (y - a[1]) * (c - a)[0]) / area
    share_c = ((y - a[1]) * (b - a)[0] - (x - a[0]) * (b - a)[1]) / area
    return np.stack((1 - share_b - share_c, share_b, share_c), axis=-1), area


def random_triangle(seed, size=32):
    rng = np.random.default_rng(seed)
    while True:
        points = np.column_stack((rng.uniform(-5, size + 5, (3, 2)), rng.uniform(10, 60, 3)))
        if abs(flat_shares(points)[1]) > 20:
            return points


def test_rasterize_empty_scene_covers_nothing():
    seen, _, inverse_depth = draw([(0, 0, 5), (4, 0, 5), (0, 4, 5)], [(0, 1, 2)], 8)
    expected = np.array([[x + y + 1 < 4 + 1e-3 for x in range(8)] for y in range(8)])
    np.testing.assert_array_equal(seen == 0, expected)
    assert (seen[~expected] == -1).all()
    assert (inverse_depth[~expected] == 0).all()
    np.testing.assert_allclose(inverse_depth[expected], 1 / 5, rtol=1e-6)


@given(seed=SEEDS)
def test_rasterize_triangle_covers_samples_inside(seed):
    points = random_triangle(seed)
    seen, _, _ = draw(points, [(0, 1, 2)])
    least = flat_shares(points)[0].min(axis=-1)
    assert (seen[least > 1e-3] == 0).all()
    assert (seen[least < -1e-3] == -1).all()


@given(seed=SEEDS)
def test_rasterize_barycentric_weights_are_perspective_correct(seed):
    """What is linear in space is not in the image: shares are weighted by the inverse_depth."""
    points = random_triangle(seed)
    seen, shares, inverse_depth = draw(points, [(0, 1, 2)])
    flat = flat_shares(points)[0] / points[:, 2]
    near = flat.sum(axis=-1)
    inside = seen == 0
    np.testing.assert_allclose(inverse_depth[inside], near[inside], rtol=2e-3)
    np.testing.assert_allclose(shares[inside], (flat / near[..., None])[inside], atol=2e-3)
    # Through a camera at the origin the place in space lies on the sample's ray.
    rows, columns = np.nonzero(inside)
    depth = points[:, 2:]
    place = shares[inside] @ np.column_stack((points[:, :2] * depth, depth))
    np.testing.assert_allclose(place[:, 0] / place[:, 2], columns + 0.5, atol=0.15)
    np.testing.assert_allclose(place[:, 1] / place[:, 2], rows + 0.5, atol=0.15)


@given(seed=SEEDS)
def test_rasterize_nearest_triangle_wins_in_any_order(seed):
    rng = np.random.default_rng(seed)
    points = np.concatenate([random_triangle([seed, number]) for number in range(6)])
    triangles = np.arange(18).reshape(6, 3)
    inside, near = np.empty((6, 32, 32), bool), np.empty((6, 32, 32))
    for number, triangle in enumerate(triangles):
        flat = flat_shares(points[triangle])[0]
        inside[number] = flat.min(axis=-1) > 0
        near[number] = np.where(inside[number], (flat / points[triangle, 2]).sum(axis=-1), 0)
    order = rng.permutation(6)
    seen, _, _ = draw(points, triangles[order])
    first, second = np.sort(near, axis=0)[[-1, -2]]
    edge = np.abs([flat_shares(points[triangle])[0].min(axis=-1) for triangle in triangles]).min(axis=0)
    clear = (first > second * 1.001) & (edge > 1e-3)
    np.testing.assert_array_equal(order[seen[clear & (first > 0)]], near.argmax(axis=0)[clear & (first > 0)])


@given(seed=SEEDS, count=st.integers(0, 400))
def test_rasterize_adjacent_triangles_leave_no_gap(seed, count):
    """A mesh over the whole image covers every sample, even of needles and with corners on samples."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 32, (count, 2))
    points[::3] = np.floor(points[::3]) + 0.5
    points = np.unique(np.concatenate((points, [(0, 0), (32, 0), (0, 32), (32, 32)])), axis=0)
    triangles = Delaunay(points).simplices
    flips = rng.random(len(triangles)) < 0.5
    triangles[flips] = triangles[flips][:, ::-1]
    depth = 50 + rng.uniform(-20, 20, len(points))
    seen, shares, _ = draw(np.column_stack((points, depth)), triangles)
    assert seen.min() >= 0
    assert shares.min() > -0.02
    assert shares.max() < 1.02


def test_rasterize_culls_back_faces():
    points, front, back = [(2, 2, 9), (28, 4, 9), (6, 30, 9)], [(0, 2, 1)], [(0, 1, 2)]
    assert (draw(points, front, closed=True)[0] == 0).sum() > 200
    assert (draw(points, back, closed=True)[0] == -1).all()
    np.testing.assert_array_equal(draw(points, front)[0], draw(points, back)[0])
    # The outer side is the one whose normal comes towards the camera.
    normals = np.empty((3, 3), np.float32)
    vertex_normals(np.array(points, np.float32), np.array(front, np.int32), normals)
    np.testing.assert_allclose(normals, np.tile([0, 0, -1], (3, 1)), atol=1e-6)


@pytest.mark.parametrize("missing", [0.0, 0.2, 0.5, 0.9])
def test_rasterize_transparent_surfaces_show_what_is_behind(missing):
    size = 96
    strands = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    square = np.array([(0, 0), (size, 0), (0, size), (size, size)], float)
    points = np.concatenate([np.column_stack((square, np.full(4, depth))) for depth in (5, 9)])
    triangles = [(0, 1, 2), (1, 3, 2), (4, 5, 6), (5, 7, 6)]
    uv = np.tile(square / size * 1.5, (2, 1))
    thin = np.repeat([missing, 0.0], 4)
    seen, _, inverse_depth = draw(points, triangles, size, uv=uv, thin=thin, strands=strands)
    through = seen >= 2
    assert seen.min() >= 0
    assert through.mean() == pytest.approx(missing, abs=0.02)
    np.testing.assert_allclose(inverse_depth, np.where(through, 1 / 9, 1 / 5), rtol=1e-4)
    # The same places of the texture are missing wherever the surface is.
    moved, _, _ = draw(
        points[:4] + np.array([3, 0, 1]), triangles[:2], size, uv=uv[:4], thin=thin[:4], strands=strands
    )
    np.testing.assert_array_equal(moved[:, 3:] < 0, through[:, :-3])


def test_rasterize_ignores_outside_and_degenerate_triangles():
    points = [(-90, -90, 5), (-50, -90, 5), (-90, -50, 5), (4, 4, 5), (4, 4, 5), (9, 9, 5), (1e6, 1e6, 5)]
    seen, _, _ = draw(points, [(0, 1, 2), (3, 4, 5), (3, 5, 5)])
    assert (seen == -1).all()
    seen, _, _ = draw([(-1e4, -1e4, 5), (3e4, -1e4, 5), (-1e4, 3e4, 5)], [(0, 1, 2)])
    assert (seen == 0).all()


def test_rasterize_shadow_map_holds_nearest_opaque_surface():
    points = np.array([(0, 0, 7), (20, 0, 7), (0, 20, 7), (0, 0, 3), (10, 0, 3), (0, 10, 3)], np.float32)
    triangles = np.array([(0, 1, 2), (3, 4, 5)], np.int32)
    depth = np.empty((24, 24), np.float32)
    render_shadow_map(points, triangles, np.zeros(6, np.float32), depth)
    rows, columns = np.mgrid[:24, :24] + 0.5
    near, far = rows + columns < 9.9, rows + columns < 19.9
    np.testing.assert_allclose(depth[near], 3, atol=1e-5)
    np.testing.assert_allclose(depth[far & (rows + columns > 10.1)], 7, atol=1e-5)
    assert (depth[rows + columns > 20.1] == FAR).all()
    # Strands that are mostly missing throw none.
    render_shadow_map(points, triangles, np.repeat([0.0, 0.6], 3).astype(np.float32), depth)
    np.testing.assert_allclose(depth[near], 7, atol=1e-5)


def test_tangents_follow_texture():
    rng = np.random.default_rng(0)
    points, triangles = rng.uniform(0, 48, (600, 3)), np.arange(600).reshape(-1, 3)
    uv = rng.uniform(0, 1, (len(points), 2)).astype(np.float32)
    tangents = np.empty((len(triangles), 6), np.float32)
    triangle_tangents(points.astype(np.float32), uv, triangles.astype(np.int32), tangents)
    np.testing.assert_allclose(np.linalg.norm(tangents.reshape(-1, 2, 3), axis=2), 1, atol=1e-4)
    corners, places = points[triangles], uv[triangles]
    sides, steps = corners[:, 1:] - corners[:, :1], places[:, 1:] - places[:, :1]
    # Along u only u grows: the direction times the gradient of v is nothing.
    gradient = np.linalg.solve(steps.astype(float), sides)
    along = gradient / np.linalg.norm(gradient, axis=2, keepdims=True)
    well = np.abs(np.linalg.det(steps)) > 1e-2
    np.testing.assert_allclose(tangents[well].reshape(-1, 2, 3), along[well], atol=2e-3)
