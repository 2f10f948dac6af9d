import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthetic_heads.conventions import MOTION_NAMES, NUM_MOTION_PARAMS
from synthetic_heads.face.canonical_face import LIDS
from synthetic_heads.face.eyes import Eyes, rim, upper_rim
from synthetic_heads.face.mesh_part import Material
from synthetic_heads.face.skull import fine_face
from synthetic_heads.rendering.shading import IRIS

NEUTRAL = np.zeros(NUM_MOTION_PARAMS, np.float32)
ANGLES = st.floats(-0.5, 0.5)


def eyes_of(rig):
    return Eyes(rig, 0.7)


def centers(rig, gaze):
    return eyes_of(rig).iris(np.float32(gaze))[[0, 5]]


def test_eyelid_rims_start_at_outer_corner_over_upper_lid():
    for eye, (above, below) in enumerate(LIDS):
        loop = rim(eye).tolist()
        assert len(set(loop)) == len(loop) == 4 * 16
        assert loop[::4] == [*above, *below[-2:0:-1]]
        assert upper_rim(eye)[::4].tolist() == list(above)


@given(right=ANGLES, down=ANGLES)
def test_iris_points_lie_on_eyeball_around_gaze(rigs, right, down):
    rig = rigs[0]
    points = eyes_of(rig).iris(np.float32([right, down]))
    assert points.shape == (10, 3)
    for middle, (pupil, *ring) in zip(rig.eyes, points.reshape(2, 5, 3), strict=True):
        away = np.array([pupil, *ring]) - middle
        np.testing.assert_allclose(np.linalg.norm(away, axis=1), rig.radius, rtol=1e-4)
        direction = np.array([np.sin(right), np.sin(down) * np.cos(right), -np.cos(down) * np.cos(right)])
        towards = away[0] / rig.radius
        # Both angles are small enough that their order matters little.
        assert np.arccos(np.clip(towards @ direction, -1, 1)) < 0.13
        np.testing.assert_allclose(np.linalg.norm(ring - pupil, axis=1).std(), 0, atol=1e-4)
        across = np.linalg.norm(ring[0] - ring[2]), np.linalg.norm(ring[1] - ring[3])
        np.testing.assert_allclose(across, 2 * IRIS * rig.radius, rtol=1e-3)
        # An iris is about 12 mm wide, its eye about 30.
        assert 1.0 < across[0] < 1.6


def test_gaze_has_sign_and_size(rigs):
    for rig in rigs:
        ahead = centers(rig, (0, 0))
        np.testing.assert_allclose(ahead[:, :2], rig.eyes[:, :2], atol=1e-5)
        assert (ahead[:, 2] < rig.eyes[:, 2]).all()
        for angle in (-0.4, 0.2, 0.4):
            step = rig.radius * np.sin(angle)
            np.testing.assert_allclose((centers(rig, (angle, 0)) - ahead)[:, 0], step, rtol=1e-4)
            np.testing.assert_allclose((centers(rig, (0, angle)) - ahead)[:, 1], step, rtol=1e-4)
        assert np.abs((centers(rig, (0.4, 0)) - ahead)[:, 1]).max() < 1e-5


def test_lashes_follow_lids(rigs):
    for rig in rigs[:6]:
        eyes = eyes_of(rig)
        parts = eyes.parts()
        assert [part.material for part in parts] == [
            Material.EYE, Material.WET, Material.LASH, Material.WET, Material.LASH,
        ]  # fmt: skip
        ends = np.cumsum([len(part.vertices) for part in parts])
        for shut in (0.0, 0.5, 1.0):
            vector = NEUTRAL.copy()
            vector[MOTION_NAMES.index("AU45")] = shut
            face = fine_face().apply(rig.deform(vector))
            vertices = eyes.deform(face, np.zeros(2, np.float32))[0]
            assert len(vertices) == ends[-1]
            _, right_rim, right_lash, left_rim, left_lash = np.split(vertices, ends[:-1])
            for eye, (wet, lash) in enumerate(((right_rim, right_lash), (left_rim, left_lash))):
                outer, inner = np.split(wet, 2)
                np.testing.assert_array_equal(outer, face[rim(eye)])
                assert (np.linalg.norm(inner - rig.eyes[eye], axis=1) < rig.radius).all()
                root, tip = np.split(lash, 2)
                assert np.linalg.norm(root - face[upper_rim(eye)], axis=1).max() < 0.05
                # They stand out towards the camera, a few millimeters.
                assert (tip[1:-1, 2] < root[1:-1, 2]).all()
                assert 0.1 < np.linalg.norm(tip - root, axis=1).max() < 0.5
