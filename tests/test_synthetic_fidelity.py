"""Agreement of detectors that are trained on real faces with the ground truth of synthetic ones."""

import math
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.synthetic.fidelity import (
    auc,
    correlation,
    identity_auc,
    look,
    random_poses,
    single_units,
    uniform_poses,
)

from facegan.geometry.motion import MOTION_NAMES, NUM_MOTION_PARAMS, POSE_ANGLES, POSE_SCALE
from facegan.perception import FaceAnalyzer
from synthetic_heads import render, sample_identity

pytestmark = pytest.mark.slow

PEOPLE = 20
PITCH, YAW, ROLL = (MOTION_NAMES.index(name) for name in POSE_ANGLES)


def person_by_person(*sets):
    """Building a person takes longer than drawing one."""
    return sorted((frame for frames in sets for frame in frames), key=lambda frame: frame[0])


@pytest.fixture(scope="module")
def natural():
    return look(person_by_person(*(random_poses(PEOPLE, seed) for seed in range(3))))


@pytest.fixture(scope="module")
def turned():
    return look(person_by_person(*(uniform_poses(PEOPLE, seed) for seed in range(2))))


def test_poses_are_spread_as_they_say():
    frames = uniform_poses(400, 0)
    degrees = np.degrees([vector[17:] * POSE_SCALE for _, vector, _ in frames])
    np.testing.assert_allclose(np.abs(degrees).max(axis=0), (25, 35, 25), rtol=0.03)
    np.testing.assert_allclose(np.abs(degrees).mean(axis=0), (12.5, 17.5, 12.5), rtol=0.1)
    assert not any(vector[:17].any() or gaze.any() for _, vector, gaze in frames)
    assert [seed for seed, _, _ in frames] == list(range(400))
    np.testing.assert_array_equal(uniform_poses(400, 0)[7][1], frames[7][1])


def test_one_face_is_found(natural, turned):
    for seen in (natural, turned):
        ahead = np.abs(seen.true[:, YAW]) * POSE_SCALE <= math.radians(30)
        assert ahead.sum() > 30
        assert (seen.found[ahead] != 1).sum() <= 1


def test_landmarks_are_where_they_are_drawn(natural):
    assert np.nanmean(natural.error) <= 0.04
    assert np.nanmedian(natural.error) <= 0.035
    assert np.nanquantile(natural.error, 0.9) <= 0.07


def test_poses_are_measured_as_they_are(natural, turned):
    for seen in (natural, turned):
        for column in (YAW, ROLL):
            assert correlation(seen.true[:, column], seen.measured[:, column]) >= 0.97
            known = np.isfinite(seen.measured[:, column])
            slope = np.polyfit(seen.true[known, column], seen.measured[known, column], 1)[0]
            assert 0.8 < slope < 1.2
    # People nod little: the detector's own error is as large.
    assert correlation(turned.true[:, PITCH], turned.measured[:, PITCH]) >= 0.9
    assert correlation(natural.true[:, PITCH], natural.measured[:, PITCH]) >= 0.7


@pytest.mark.parametrize("name", ["AU01", "AU02", "AU04", "AU05", "AU12", "AU25", "AU26", "AU45"])
def test_action_units_are_seen(name):
    unit, people = MOTION_NAMES.index(name), 3
    seen = look(single_units(unit, people))
    true, measured = (values[:, unit].reshape(people, -1) for values in (seen.true, seen.measured))
    assert np.mean([correlation(*pair) for pair in zip(true, measured, strict=True)]) >= 0.8
    assert (measured[:, -1] > measured[:, 0] + 0.03).all()


def test_people_are_themselves_to_the_identity_network():
    assert identity_auc(12, 3) >= 0.97


def test_correlation_and_auc_are_what_they_are_named():
    a = np.array([1, 2, np.nan, 4, 3], np.float32)
    assert correlation(a, 3 - 2 * a) == pytest.approx(-1)
    assert correlation(a, np.array([1, 2, 9, np.nan, 3], np.float32)) == pytest.approx(1)
    assert auc(np.array([2.0, 3]), np.array([0.0, 1])) == 1
    assert auc(np.array([0.0, 2]), np.array([1.0, 1])) == 0.5
    assert auc(np.array([1.0]), np.array([1.0])) == 0.5


@pytest.mark.parametrize("seed", [4, 7])
def test_mediapipe_sees_every_iris_point_where_it_is(seed):
    """So they are in MediaPipe's order: the person's right eye first; middle, right, top, left, bottom."""
    identity = replace(sample_identity(seed), glasses=None)
    with FaceAnalyzer(single_images=True) as analyzer:
        for gaze in ((0, 0), (-0.3, 0), (0.3, 0), (0, 0.2)):
            frame = render(identity, np.zeros(NUM_MOTION_PARAMS), 256, gaze=gaze)
            (face,) = analyzer(frame.image)
            seen, true = face.mesh[468:, :2], frame.mesh[468:, :2]
            away = np.linalg.norm(seen[:, None] - true, axis=2)
            np.testing.assert_array_equal(away.argmin(axis=1), np.arange(10))
            assert np.diag(away).max() < 2.5
            for middle, right, top, left, bottom in true.reshape(2, 5, 2):
                assert right[0] - middle[0] > 3 > 0 > -3 > left[0] - middle[0]
                assert top[1] - middle[1] < -3 < 0 < 3 < bottom[1] - middle[1]
