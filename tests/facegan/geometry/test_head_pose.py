from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.geometry.crop import Crop
from facegan.geometry.head_pose import HeadPose, head_angles
from facegan.geometry.landmarks import landmarks_from_mesh
from facegan.perception import FaceAnalyzer, assets, mediapipe_api
from synthetic_heads import render, sample_identity


@pytest.fixture(scope="module")
def head_pose():
    return HeadPose()


@pytest.fixture(scope="module")
def mesh():
    with FaceAnalyzer(single_images=True) as analyzer:
        return analyzer(render(sample_identity(5), np.zeros(20, np.float32), 256).image)[0].mesh


def test_fit_equals_mediapipes_matrix(head_pose):
    vision = mediapipe_api.import_vision()
    options = vision.FaceLandmarkerOptions(
        base_options=mediapipe_api.base_options(model_asset_path=str(assets.fetch("face_landmarker.task"))),
        output_facial_transformation_matrixes=True,
    )
    landmarker = vision.FaceLandmarker.create_from_options(options)
    for seed, yaw, roll, shape in (
        (3, 0, 0, (256, 256)),
        (5, 0.5, 0.2, (300, 700)),
        (8, -0.4, 0, (640, 360)),
    ):
        motion = np.zeros(20, np.float32)
        motion[18:] = yaw, roll
        picture = np.full((*shape, 3), 120, np.uint8)
        picture[-256:, -256:] = render(sample_identity(seed), motion, 256).image
        result = landmarker.detect(mediapipe_api.to_mediapipe_image(picture))
        points = np.array([(p.x, p.y, p.z) for p in result.face_landmarks[0]])
        expected = np.asarray(result.facial_transformation_matrixes[0])[:3, :3]
        np.testing.assert_allclose(head_pose.fit(points, shape[1] / shape[0]), expected, atol=1e-4)
    landmarker.close()


@given(st.floats(-5000, 5000), st.floats(-5000, 5000), st.floats(0.05, 40))
def test_head_pose_is_invariant_to_position_and_scale(head_pose, mesh, x, y, scale):
    moved = scale * mesh.astype(np.float64) + (x, y, 0)
    np.testing.assert_allclose(head_pose(moved), head_pose(mesh.astype(np.float64)), atol=1e-6)


@given(st.floats(-0.3, 0.3))
def test_head_pose_of_a_rotated_image_changes_roll(head_pose, mesh, angle):
    turn = np.array(
        [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]]
    )
    before, after = head_angles(head_pose(mesh)), head_angles(head_pose(mesh @ turn.T))
    assert after[2] - before[2] == pytest.approx(angle, abs=0.03)


def test_head_pose_of_frame_and_crop_are_equal(head_pose, mesh):
    crop = Crop.for_face(landmarks_from_mesh(mesh))
    np.testing.assert_allclose(head_pose(crop.to_crop(mesh, 256)), head_pose(mesh), atol=1e-4)


yaw_range = st.floats(-1.4, 1.4)
full_range = st.floats(-3.1, 3.1)


def rotation_of(pitch, yaw, roll):
    """MediaPipe's matrix (y up, z towards the camera) of OpenFace's angles (y down, z away)."""
    about_x = [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
    about_y = [[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]]
    about_z = [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
    axes = np.diag([1, -1, -1])
    return axes @ np.array(about_x) @ about_y @ about_z @ axes


@given(full_range, yaw_range, full_range, st.floats(0.01, 30))
def test_head_angles_inverts_a_scaled_rotation(pitch, yaw, roll, scale):
    angles = head_angles(scale * rotation_of(pitch, yaw, roll))
    assert angles.dtype == np.float32
    np.testing.assert_allclose(angles, [pitch, yaw, roll], atol=1e-4)


@given(full_range, yaw_range, full_range)
def test_head_angles_of_a_mirrored_head_negates_yaw_and_roll(pitch, yaw, roll):
    mirror = np.diag([-1, 1, 1])
    mirrored = head_angles(mirror @ rotation_of(pitch, yaw, roll) @ mirror)
    np.testing.assert_allclose(mirrored, [pitch, -yaw, -roll], atol=1e-4)


def test_head_angles_have_openfaces_signs():
    """Directions of nose and crown with y up and z towards the camera."""
    nose, crown = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert (rotation_of(0.3, 0, 0) @ nose)[1] < 0  # nods down
    assert (rotation_of(0, 0.3, 0) @ nose)[0] < 0  # turns to the picture's left
    assert (rotation_of(0, 0, 0.3) @ crown)[0] > 0  # tilts clockwise
    for index in range(3):
        angles = np.zeros(3)
        angles[index] = 0.3
        np.testing.assert_allclose(head_angles(rotation_of(*angles)), angles, atol=1e-6)
