import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from synthetic_heads import render, sample_identity, sample_motion, sample_scene
from synthetic_heads.conventions import MOTION_NAMES, NUM_MOTION_PARAMS, POSE_ANGLES, POSE_SCALE
from synthetic_heads.render import PIVOT

BACKGROUND, FACE, HAIR = 0, 1, 2


def styled(seed, style):
    """Somebody with this hair, without beard and glasses."""
    identity = replace(sample_identity(seed), glasses=None, beard=None)
    skin = replace(identity.skin, scalp=0.0 if style == "bald" else 1.0)
    return replace(identity, hair=replace(identity.hair, style=style), skin=skin)


def pose(**values):
    vector = np.zeros(NUM_MOTION_PARAMS, np.float32)
    for name, value in values.items():
        vector[MOTION_NAMES.index(name)] = np.radians(value) / POSE_SCALE if name in POSE_ANGLES else value
    return vector


def in_space(frame):
    """MediaPipe's points in centimeters, back through the camera, 478×3."""
    size, camera = len(frame.image), frame.camera
    depth = frame.mesh[:, 2:] * camera.distance / (size * camera.focal)
    flat = frame.mesh[:, :2] + 0.5 - size * np.array(camera.center)
    return np.hstack((flat * (camera.distance + depth) / (size * camera.focal), depth))


def difference(one, other, blur=0.0):
    """Of two images, 0..255, H×W."""
    first, second = (image.astype(np.float32) for image in (one.image, other.image))
    if blur:
        first, second = (cv2.GaussianBlur(image, (0, 0), blur) for image in (first, second))
    return np.abs(first - second).max(axis=-1)


def digest(frame):
    return hashlib.sha256(frame.image.tobytes() + frame.mesh.tobytes()).hexdigest()


def test_render_seed_determines_identity():
    first, again, other = (
        render(sample_identity(seed), pose(AU12=0.5), 64, noise_seed=1) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.segmentation, again.segmentation)
    np.testing.assert_array_equal(first.mesh, again.mesh)
    assert difference(first, other).mean() > 10
    noisy = render(sample_identity(3), pose(AU12=0.5), 64, noise_seed=2)
    assert 0 < difference(first, noisy).mean() < 6


DRAW = """
from synthetic_heads import render, sample_identity
import hashlib
frame = render(sample_identity(8), [0.3] * 20, 96, gaze=(0.1, 0.1), noise_seed=5)
print(hashlib.sha256(frame.image.tobytes() + frame.mesh.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_render_is_independent_of_thread_count():
    frame = render(sample_identity(8), [0.3] * 20, 96, gaze=(0.1, 0.1), noise_seed=5)
    # This process has as many as there are cores, unless it was told otherwise.
    count = "2" if os.environ.get("OPENBLAS_NUM_THREADS") == "1" else "1"
    single = {"OPENBLAS_NUM_THREADS": count, "OMP_NUM_THREADS": count}
    done = subprocess.run(
        [sys.executable, "-c", DRAW], env=os.environ | single, capture_output=True, text=True, timeout=100
    )
    assert done.stdout.strip() == digest(frame), done.stderr


def test_render_every_motion_parameter_moves_mesh():
    identity = sample_identity(0)
    neutral = render(identity, pose(), 64).mesh
    for index in range(NUM_MOTION_PARAMS):
        vector = np.zeros(NUM_MOTION_PARAMS)
        vector[index] = 0.5
        assert np.abs(render(identity, vector, 64).mesh - neutral).max() > 0.05, MOTION_NAMES[index]


def test_render_angles_have_openface_signs():
    identity = sample_identity(0)
    nose = {
        name: (frame.landmarks[30] - frame.landmarks[[0, 16]].mean(axis=0), frame.landmarks)
        for name, vector in (
            ("none", pose()),
            ("yaw", pose(yaw=20)),
            ("pitch", pose(pitch=10)),
            ("roll", pose(roll=10)),
        )
        for frame in [render(identity, vector)]
    }
    assert nose["yaw"][0][0] < nose["none"][0][0] - 5
    assert nose["pitch"][0][1] > nose["none"][0][1] + 2
    assert nose["roll"][1][45, 1] > nose["roll"][1][36, 1] + 2


@pytest.mark.parametrize("seed", range(3))
def test_render_camera_projects_mesh_to_landmarks(seed):
    """All 478 points turn rigidly about the neck, by the motion's angles, seen through the camera."""
    identity, scene, expression = sample_identity(seed), sample_scene(seed + 7), {"AU12": 0.5, "AU26": 0.4}
    ahead = in_space(render(identity, pose(**expression), scene=scene, gaze=(0.2, 0.1)))
    for angles in ({"yaw": 40}, {"pitch": -20}, {"roll": 25}, {"yaw": -25, "pitch": 15, "roll": -10}):
        vector = pose(**expression, **angles)
        frame = render(identity, vector, scene=scene, gaze=(0.2, 0.1))
        turn = Rotation.from_euler("XYZ", vector[17:] * POSE_SCALE).as_matrix()
        turned = (ahead - PIVOT) @ turn.T + PIVOT
        np.testing.assert_allclose(in_space(frame), turned, atol=1e-4)
        np.testing.assert_allclose(scene.camera.project(turned, 256), frame.mesh[:, :2], atol=2e-3)
    assert frame.camera == scene.camera
    assert frame.mesh.shape == (478, 3)


def test_render_landmarks_lie_on_face():
    for seed in range(6):
        frame = render(sample_identity(seed), pose(AU26=0.6), 128)
        assert set(np.unique(frame.segmentation)) == {BACKGROUND, FACE, HAIR}
        columns, rows = np.rint(frame.landmarks[27:]).astype(int).T
        assert (frame.segmentation[rows, columns] == FACE).all()
        height = np.ptp(frame.landmarks[:, 1])
        assert 0.2 * 128 < height < 0.6 * 128


@pytest.mark.slow
def test_render_hair_label_covers_hair():
    bald = render(styled(0, "bald"), pose())
    assert set(np.unique(bald.segmentation)) == {BACKGROUND, FACE}
    # Without hair the whole outline is face.
    columns, rows = np.rint(bald.landmarks).astype(int).T
    near = cv2.dilate((bald.segmentation == FACE).astype(np.uint8), np.ones((5, 5), np.uint8))
    assert near[rows, columns].all()
    for seed, style in enumerate(("crop", "curly", "wavy")):
        frame = render(styled(seed, style), pose())
        hair, face = (np.argwhere(frame.segmentation == label) for label in (HAIR, FACE))
        assert len(hair) > 0.15 * len(face)
        assert hair[:, 0].min() < face[:, 0].min() < frame.landmarks[19, 1]


def test_render_background_is_static():
    scene = sample_scene(11)
    for seed in (0, 3, 7):
        frames = [
            render(sample_identity(seed), vector, scene=scene)
            for vector in (pose(), pose(yaw=25, pitch=-10, AU26=1), pose(roll=20, yaw=-15, AU12=1))
        ]
        heads = np.max([frame.segmentation > 0 for frame in frames], axis=0).astype(np.uint8)
        away = cv2.dilate(heads, np.ones((31, 31), np.uint8)) == 0
        # Below the chin neck and clothes follow the head.
        away[int(min(frame.landmarks[:, 1].max() for frame in frames)) - 10 :] = False
        assert away.sum() > 3000
        for frame in frames[1:]:
            np.testing.assert_array_equal(frame.image[away], frames[0].image[away])
        assert difference(frames[0], frames[1])[heads > 0].mean() > 10


@pytest.mark.parametrize("size", [32, 100, 257])
def test_render_size_sets_resolution(size):
    small, large = render(sample_identity(1), pose(), size), render(sample_identity(1), pose(), 256)
    assert small.image.shape == (size, size, 3)
    np.testing.assert_allclose((small.landmarks + 0.5) / size, (large.landmarks + 0.5) / 256, atol=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_render_small_image_is_scaled_large_one(seed):
    small, large = (render(sample_identity(seed), pose(yaw=5), size) for size in (128, 256))
    scaled = cv2.resize(large.image, (128, 128), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(scaled - small.image).mean() < 4
    np.testing.assert_allclose(scaled.mean(axis=(0, 1)), small.image.mean(axis=(0, 1)), atol=0.5)
    assert (small.segmentation == large.segmentation[::2, ::2]).mean() > 0.98


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 8])
def test_render_is_continuous_in_motion(seed):
    """Nothing pops from one frame to the next."""
    identity, scene = sample_identity(seed), sample_scene(seed)
    vectors, gazes = sample_motion(seed, 30, 25)
    frames = [
        render(identity, vector, 128, gaze=gaze, scene=scene)
        for vector, gaze in zip(vectors, gazes, strict=True)
    ]
    pairs = list(pairwise(frames))
    change = np.array([difference(*pair, blur=1.5).mean() for pair in pairs])
    step = np.array([np.linalg.norm(np.diff([f.mesh[:, :2] for f in pair], axis=0), axis=-1).mean()
                     for pair in pairs])  # fmt: skip
    assert step.max() > 0.3
    assert (change < 6 * (step + 0.05)).all()
    assert np.corrcoef(change, step)[0, 1] > 0.8
    # An eighth of the largest step changes a fraction of what it does: no jump is hidden in it.
    at = int(change.argmax())
    vector = vectors[at] + (vectors[at + 1] - vectors[at]) / 8
    gaze = gazes[at] + (gazes[at + 1] - gazes[at]) / 8
    little = difference(frames[at], render(identity, vector, 128, gaze=gaze, scene=scene), blur=1.5).mean()
    assert little < 0.3 * change[at]


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [(0, 1), (3, 8), (6, 9)])
def test_render_motion_of_another_identity_is_transferred(one, other):
    vector = sample_motion(other, 30, 25).motion[15].copy()
    vector[17:] = 0
    vector[[MOTION_NAMES.index("AU12"), MOTION_NAMES.index("AU26")]] = 0.5

    def moved(seed, tone):
        identity, scene = sample_identity(seed), sample_scene(seed)
        identity = replace(identity, skin=replace(identity.skin, tone=tone))
        frames = [render(identity, values, scene=scene) for values in (pose(), vector)]
        return in_space(frames[1])[:468] - in_space(frames[0])[:468], *frames

    mine, neutral, answer = moved(one, (240, 200, 174))
    theirs, _, driving = moved(other, (138, 92, 64))
    assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] > 0.95
    assert 0.85 < np.linalg.norm(mine) / np.linalg.norm(theirs) < 1.18
    before, after, driver = (
        np.median(frame.image[frame.segmentation == FACE], axis=0) for frame in (neutral, answer, driving)
    )
    assert np.abs(after - before).max() < 8
    assert np.abs(after - driver).max() > 20


@pytest.mark.parametrize("bad", [np.zeros(19), np.full(20, np.nan), np.zeros((1, 20)), np.full(20, np.inf)])
def test_render_bad_motion_is_refused(bad):
    with pytest.raises(ValueError, match="motion must be 20 finite numbers") as told:
        render(sample_identity(0), bad)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("bad", [(0,), (0, np.nan), np.zeros((2, 2))])
def test_render_bad_gaze_is_refused(bad):
    with pytest.raises(ValueError, match="gaze must be 2 finite numbers") as told:
        render(sample_identity(0), pose(), gaze=bad)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("size", [8, 0, -5])
def test_render_tiny_size_is_refused(size):
    with pytest.raises(ValueError, match="too small") as told:
        render(sample_identity(0), pose(), size)
    assert "\n" not in str(told.value)
