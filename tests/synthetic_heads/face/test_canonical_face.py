import numpy as np
import pytest

from synthetic_heads.arrays import as_float32
from synthetic_heads.face.canonical_face import COUNT, LIDS, LIPS_LOWER, LIPS_UPPER, OVAL, canonical_mesh
from synthetic_heads.face.skull import fine_face
from synthetic_heads.face.subdivision import refine


def edges(triangles):
    """Edges and in how many triangles each is."""
    sides = np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)])
    return np.unique(np.sort(sides, axis=1), axis=0, return_counts=True)


def normals(vertices, triangles):
    a, b, c = (vertices[corner] for corner in triangles.T)
    normal = np.cross(b - a, c - a)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def creases(vertices, triangles):
    """Angles between the triangles on both sides of each edge."""
    normal, sides = normals(vertices, triangles), {}
    for number, triangle in enumerate(triangles.tolist()):
        for i in range(3):
            sides.setdefault(frozenset((triangle[i], triangle[(i + 1) % 3])), []).append(number)
    pairs = np.array([pair for pair in sides.values() if len(pair) == 2])
    return np.arccos(np.clip((normal[pairs[:, 0]] * normal[pairs[:, 1]]).sum(axis=1), -1, 1))


def icosahedron():
    golden = (1 + 5**0.5) / 2
    points = [np.roll((0, a, b * golden), turn) for turn in range(3) for a in (-1, 1) for b in (-1, 1)]
    points = np.array(points) / np.hypot(1, golden)
    near = np.linalg.norm(points[:, None] - points, axis=2) < 1.1
    triangles = [
        (a, b, c) if np.linalg.det(points[[a, b, c]]) > 0 else (a, c, b)
        for a in range(12)
        for b in range(a)
        for c in range(b)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    assert len(triangles) == 20
    return points, np.array(triangles, np.int32)


def test_canonical_face_has_its_vertices_and_looks_at_the_camera():
    mesh = canonical_mesh()
    assert mesh.vertices.shape == (COUNT, 3)
    assert mesh.uv.shape == (COUNT, 2)
    assert mesh.uv.min() >= 0
    assert mesh.uv.max() <= 1
    assert np.array_equal(np.unique(mesh.triangles), np.arange(COUNT))
    tip, chin, forehead = mesh.vertices[[4, 152, 10]]
    assert tip[2] == mesh.vertices[:, 2].min()
    assert forehead[1] < tip[1] < chin[1]
    # The person's right is on the left of the image; its map too has the forehead above.
    assert mesh.vertices[33, 0] < 0 < mesh.vertices[263, 0]
    assert mesh.uv[33, 0] < mesh.uv[263, 0]
    assert mesh.uv[10, 1] < mesh.uv[152, 1]
    # Seen from in front all but folds turn their outer side to the camera.
    assert (normals(mesh.vertices, mesh.triangles)[:, 2] < 0).mean() > 0.97


def test_eyes_and_mouth_are_cut_open_and_nothing_else_is():
    triangles = canonical_mesh().triangles
    lines, faces = edges(triangles)
    assert faces.max() == 2
    borders = {frozenset(line) for line in lines[faces == 1].tolist()}
    rings = [OVAL, LIPS_UPPER[3] + LIPS_LOWER[3][-2:0:-1]]
    rings += [upper + lower[-2:0:-1] for upper, lower in LIDS]
    expected = {frozenset((ring[i - 1], ring[i])) for ring in rings for i in range(len(ring))}
    assert borders == expected


@pytest.mark.parametrize("levels", [1, 2])
def test_refinement_goes_through_the_coarse_vertices(levels):
    mesh = canonical_mesh()
    refinement = refine(mesh.triangles, COUNT, levels)
    assert len(refinement.triangles) == 4**levels * len(mesh.triangles)
    assert edges(refinement.triangles)[1].max() == 2
    rng = np.random.default_rng(0)
    for coarse in (mesh.vertices, as_float32(rng.normal(0, 5, (COUNT, 3)))):
        fine = refinement.apply(coarse)
        assert fine.dtype == np.float32
        np.testing.assert_allclose(fine[:COUNT], coarse, atol=2e-5)
        np.testing.assert_allclose(fine, refinement.weights @ coarse, atol=1e-4)


def test_refinement_reproduces_affine_maps_and_planes():
    mesh, rng = canonical_mesh(), np.random.default_rng(1)
    fine = fine_face().apply(mesh.vertices)
    for _ in range(5):
        matrix, shift = rng.normal(size=(3, 3)), rng.normal(0, 10, 3)
        moved = fine_face().apply(as_float32(mesh.vertices @ matrix.T + shift))
        np.testing.assert_allclose(moved, fine @ matrix.T + shift, atol=3e-4)
        normal = rng.normal(size=3)
        flat = mesh.vertices - np.outer(mesh.vertices @ normal - 2, normal) / (normal @ normal)
        np.testing.assert_allclose(fine_face().apply(as_float32(flat)) @ normal, 2, atol=2e-4)


def test_refined_ball_is_round():
    points, triangles = icosahedron()
    refinement = refine(triangles, 12, 3)
    fine = refinement.apply(as_float32(points))
    assert len(fine) == 642
    radii = np.linalg.norm(fine, axis=1)
    np.testing.assert_allclose(radii[:12], 1, atol=1e-5)
    # Flat triangles would reach 0.79 only.
    assert radii.min() > 0.95
    assert radii.max() < 1.03
    a, b, c = (fine[corner] for corner in refinement.triangles.T)
    assert (np.linalg.det(np.stack((a, b, c), axis=1)) > 0).all()


def test_the_border_of_a_round_sheet_is_round():
    """Borders are cubic splines: lips and lids have no corners."""
    count = 10
    angle = 2 * np.pi * np.arange(count) / count
    points = np.vstack((np.zeros(3), np.stack((np.cos(angle), np.sin(angle), 0 * angle), axis=1)))
    ring = 1 + np.arange(count)
    triangles = np.stack((0 * ring, ring, np.roll(ring, -1)), axis=1).astype(np.int32)
    refinement = refine(triangles, count + 1, 3)
    fine = refinement.apply(as_float32(points))
    lines, faces = edges(refinement.triangles)
    rim = fine[np.unique(lines[faces == 1])]
    assert len(rim) == 8 * count
    # Straight sides would reach 0.951 only.
    np.testing.assert_allclose(np.linalg.norm(rim, axis=1), 1, atol=2e-3)


def test_a_border_depends_on_its_own_vertices_alone():
    """So lids that meet in a line have no gap, whatever the skin beside them does."""
    lines, faces = edges(canonical_mesh().triangles)
    rim = np.unique(lines[faces == 1])
    lines, faces = edges(fine_face().triangles)
    fine_rim = np.unique(lines[faces == 1])
    assert len(fine_rim) == 4 * len(rim)
    inside = np.setdiff1d(np.arange(COUNT), rim)
    assert np.abs(fine_face().weights[np.ix_(fine_rim, inside)]).max() < 1e-6


def test_fine_face_is_smooth():
    mesh = canonical_mesh()
    coarse = creases(mesh.vertices, mesh.triangles)
    fine = creases(fine_face().apply(mesh.vertices), fine_face().triangles)
    # A surface without creases halves its angles with each level.
    assert np.quantile(fine, 0.95) < 0.4 * np.quantile(coarse, 0.95)
    assert np.median(fine) < 0.35 * np.median(coarse)
