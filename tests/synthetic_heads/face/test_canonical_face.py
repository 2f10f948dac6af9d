import numpy as np

from synthetic_heads.face.canonical_face import COUNT, LIDS, LIPS_LOWER, LIPS_UPPER, OVAL, canonical_mesh


def edges(triangles):
    """Edges and in how many triangles each is."""
    sides = np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)])
    return np.unique(np.sort(sides, axis=1), axis=0, return_counts=True)


def normals(vertices, triangles):
    a, b, c = (vertices[corner] for corner in triangles.T)
    normal = np.cross(b - a, c - a)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def test_canonical_face_has_478_vertices_facing_camera():
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


def test_canonical_face_openings_are_eyes_and_mouth():
    triangles = canonical_mesh().triangles
    lines, faces = edges(triangles)
    assert faces.max() == 2
    borders = {frozenset(line) for line in lines[faces == 1].tolist()}
    rings = [OVAL, LIPS_UPPER[3] + LIPS_LOWER[3][-2:0:-1]]
    rings += [upper + lower[-2:0:-1] for upper, lower in LIDS]
    expected = {frozenset((ring[i - 1], ring[i])) for ring in rings for i in range(len(ring))}
    assert borders == expected
