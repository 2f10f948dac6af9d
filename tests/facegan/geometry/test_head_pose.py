from __future__ import annotations

import math
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.geometry.head_pose import HeadPose
from facegan.perception import FaceAnalyzer, assets
from facegan.perception import mediapipe_api as tasks
from facegan.perception.face_analyzer import head_angles
from synthetic_heads import render, sample_identity


@pytest.fixture(scope="module")
def head_pose():
    with zipfile.ZipFile(assets.path("face_landmarker.task")) as bundle:
        return HeadPose(bundle.read("geometry_pipeline_metadata_landmarks.binarypb"))


@pytest.fixture(scope="module")
def mesh():
    with FaceAnalyzer(single_images=True) as analyzer:
        return analyzer(render(sample_identity(5), np.zeros(20, np.float32), 256).image)[0].mesh


def test_the_fit_is_mediapipes_own(head_pose):
    """Of whole pictures it gives the rotation that MediaPipe gives."""
    vision = tasks.import_vision()
    options = vision.FaceLandmarkerOptions(
        base_options=tasks.base_options(model_asset_path=str(assets.path("face_landmarker.task"))),
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
        result = landmarker.detect(tasks.to_mediapipe_image(picture))
        points = np.array([(p.x, p.y, p.z) for p in result.face_landmarks[0]])
        expected = np.asarray(result.facial_transformation_matrixes[0])[:3, :3]
        np.testing.assert_allclose(head_pose.fit(points, shape[1] / shape[0]), expected, atol=1e-4)
    landmarker.close()


@given(st.floats(-5000, 5000), st.floats(-5000, 5000), st.floats(0.05, 40))
def test_neither_place_nor_size_counts(head_pose, mesh, x, y, scale):
    moved = scale * mesh.astype(np.float64) + (x, y, 0)
    np.testing.assert_allclose(head_pose(moved), head_pose(mesh.astype(np.float64)), atol=1e-6)


@given(st.floats(-0.3, 0.3))
def test_a_turned_picture_turns_the_roll(head_pose, mesh, angle):
    turn = np.array(
        [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]]
    )
    before, after = head_angles(head_pose(mesh)), head_angles(head_pose(mesh @ turn.T))
    assert after[2] - before[2] == pytest.approx(angle, abs=0.03)


def test_the_crop_of_a_frame_gives_the_frames_angles(mesh):
    """The square is that of the crops."""
    from facegan.geometry import crop, head_pose
    from facegan.geometry.landmarks import landmarks_from_mesh

    assert tuple(head_pose.EYES) == crop.EYES
    assert head_pose.SIDE == crop.SIDE
    square = crop.Crop.for_face(landmarks_from_mesh(mesh))
    assert square.side == pytest.approx(crop.SIDE * np.ptp(landmarks_from_mesh(mesh), axis=0).max())
