import math
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.synthetic.detector_agreement import (
    correlation,
    detect,
    identity_auc,
    sample_even_poses,
    sample_motions,
    sweep_action_unit,
)

from facegan.geometry.motion import MOTION_NAMES, NUM_MOTION_PARAMS, POSE_ANGLES, POSE_SCALE
from facegan.perception import FaceAnalyzer
from synthetic_heads import render, sample_identity

pytestmark = pytest.mark.slow

IDENTITIES = 20
PITCH, YAW, ROLL = (MOTION_NAMES.index(name) for name in POSE_ANGLES)


def by_identity(*sets):
    """Building an identity takes longer than rendering it."""
    return sorted((sample for samples in sets for sample in samples), key=lambda sample: sample.seed)


@pytest.fixture(scope="module")
def movements():
    return detect(by_identity(*(sample_motions(IDENTITIES, seed) for seed in range(3))))


@pytest.fixture(scope="module")
def even_poses():
    return detect(by_identity(*(sample_even_poses(IDENTITIES, seed) for seed in range(2))))


def test_sample_even_poses_is_uniform_and_reproducible():
    samples = sample_even_poses(400, 0)
    degrees = np.degrees([sample.motion[17:] * POSE_SCALE for sample in samples])
    np.testing.assert_allclose(np.abs(degrees).max(axis=0), (25, 35, 25), rtol=0.03)
    np.testing.assert_allclose(np.abs(degrees).mean(axis=0), (12.5, 17.5, 12.5), rtol=0.1)
    assert not any(sample.motion[:17].any() or sample.gaze.any() for sample in samples)
    assert [sample.seed for sample in samples] == list(range(400))
    np.testing.assert_array_equal(sample_even_poses(400, 0)[7].motion, samples[7].motion)


def test_detect_frontal_heads_finds_one_face(movements, even_poses):
    for detections in (movements, even_poses):
        frontal = np.abs(detections.true[:, YAW]) * POSE_SCALE <= math.radians(30)
        assert frontal.sum() > 30
        assert (detections.faces[frontal] != 1).sum() <= 1


def test_detect_movements_has_small_landmark_error(movements):
    assert np.nanmean(movements.error) <= 0.04
    assert np.nanmedian(movements.error) <= 0.035
    assert np.nanquantile(movements.error, 0.9) <= 0.07


def test_detect_head_pose_agrees_with_ground_truth(movements, even_poses):
    for detections in (movements, even_poses):
        for column in (YAW, ROLL):
            true, measured = detections.true[:, column], detections.measured[:, column]
            assert correlation(true, measured) >= 0.97
            known = np.isfinite(measured)
            assert 0.8 < np.polyfit(true[known], measured[known], 1)[0] < 1.2
    # The pitch of speakers varies as little as the detector's own error.
    assert correlation(even_poses.true[:, PITCH], even_poses.measured[:, PITCH]) >= 0.9
    assert correlation(movements.true[:, PITCH], movements.measured[:, PITCH]) >= 0.7


@pytest.mark.parametrize("name", ["AU01", "AU02", "AU04", "AU05", "AU12", "AU25", "AU26", "AU45"])
def test_detect_action_unit_rises_with_ground_truth(name):
    unit, identities = MOTION_NAMES.index(name), 3
    detections = detect(sweep_action_unit(unit, identities))
    true, measured = (values[:, unit].reshape(identities, -1) for values in detections[2:])
    assert np.mean([correlation(*pair) for pair in zip(true, measured, strict=True)]) >= 0.8
    assert (measured[:, -1] > measured[:, 0] + 0.03).all()


def test_identity_auc_of_synthetic_identities_is_high():
    assert identity_auc(12, 3) >= 0.97


def test_correlation_with_missing_values_ignores_them():
    a = np.array([1, 2, np.nan, 4, 3], np.float32)
    assert correlation(a, 3 - 2 * a) == pytest.approx(-1)
    assert correlation(a, np.array([1, 2, 9, np.nan, 3], np.float32)) == pytest.approx(1)


@pytest.mark.parametrize("seed", [4, 7])
def test_render_iris_points_are_in_the_order_of_mediapipe(seed):
    """The right eye comes first; of each eye middle, right, top, left, bottom."""
    identity = replace(sample_identity(seed), glasses=None)
    with FaceAnalyzer(single_images=True) as analyzer:
        for gaze in ((0, 0), (-0.3, 0), (0.3, 0), (0, 0.2)):
            frame = render(identity, np.zeros(NUM_MOTION_PARAMS), 256, gaze=gaze)
            (face,) = analyzer(frame.image)
            detected, true = face.mesh[468:, :2], frame.mesh[468:, :2]
            distances = np.linalg.norm(detected[:, None] - true, axis=2)
            np.testing.assert_array_equal(distances.argmin(axis=1), np.arange(10))
            assert np.diag(distances).max() < 2.5
            for middle, right, top, left, bottom in true.reshape(2, 5, 2):
                assert right[0] - middle[0] > 3 > 0 > -3 > left[0] - middle[0]
                assert top[1] - middle[1] < -3 < 0 < 3 < bottom[1] - middle[1]
