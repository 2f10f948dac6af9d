import numpy as np
import pytest

from synthetic_heads.arrays import as_float32
from synthetic_heads.face.canonical_face import COUNT, canonical_mesh
from synthetic_heads.face.skull import fine_face
from synthetic_heads.face.subdivision import refine


def edges(triangles):
    """Edges and in how many triangles each is."""
    sides = np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)])
    return np.unique(np.sort(sides, axis=1), axis=0, return_counts=True)


@pytest.mark.parametrize("levels", [1, 2])
def test_refine_keeps_coarse_vertices(levels):
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


def test_refine_reproduces_affine_maps_and_planes():
    mesh, rng = canonical_mesh(), np.random.default_rng(1)
    fine = fine_face().apply(mesh.vertices)
    for _ in range(5):
        matrix, shift = rng.normal(size=(3, 3)), rng.normal(0, 10, 3)
        moved = fine_face().apply(as_float32(mesh.vertices @ matrix.T + shift))
        np.testing.assert_allclose(moved, fine @ matrix.T + shift, atol=3e-4)
        normal = rng.normal(size=3)
        flat = mesh.vertices - np.outer(mesh.vertices @ normal - 2, normal) / (normal @ normal)
        np.testing.assert_allclose(fine_face().apply(as_float32(flat)) @ normal, 2, atol=2e-4)


def test_refine_border_of_disc_is_circle():
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


def test_refine_border_depends_on_border_vertices_only():
    """So lids that meet in a line have no gap, whatever the skin beside them does."""
    lines, faces = edges(canonical_mesh().triangles)
    rim = np.unique(lines[faces == 1])
    lines, faces = edges(fine_face().triangles)
    fine_rim = np.unique(lines[faces == 1])
    assert len(fine_rim) == 4 * len(rim)
    inside = np.setdiff1d(np.arange(COUNT), rim)
    assert np.abs(fine_face().weights[np.ix_(fine_rim, inside)]).max() < 1e-6
