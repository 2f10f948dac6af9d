import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic_heads import MOTION_STYLES, sample_motion
from synthetic_heads.conventions import ACTION_UNITS, MOTION_NAMES, POSE_SCALE
from synthetic_heads.motion.speech import VISEMES

FPS = 25.0
SPEECH = {unit for viseme in VISEMES.values() for unit in viseme}


def column(name):
    return MOTION_NAMES.index(name)


def degrees(vectors):
    return np.degrees(vectors[:, 17:] * POSE_SCALE)


@pytest.fixture(scope="module")
def clips():
    """200 clips of four seconds, a quarter of each motion_style."""
    return {
        name: [sample_motion(4 * seed + number, 100, FPS, motion_style=name) for seed in range(50)]
        for number, name in enumerate(MOTION_STYLES)
    }


@pytest.fixture(scope="module")
def vectors(clips):
    return np.concatenate([clip.motion for some in clips.values() for clip in some])


@pytest.mark.slow
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(1, 240), st.sampled_from([None, *MOTION_STYLES])
)
def test_motion_any_seed_is_within_bounds(seed, frames, fps, motion_style):
    vectors, gaze = sample_motion(seed, frames, fps, motion_style=motion_style)
    assert vectors.shape == (frames, 20)
    assert gaze.shape == (frames, 2)
    assert vectors.dtype == gaze.dtype == np.float32
    assert (vectors[:, :17] >= 0).all()
    assert (vectors[:, :17] <= 1).all()
    assert (np.abs(degrees(vectors)) <= np.array([30, 45, 30]) + 1e-4).all()
    assert (np.abs(gaze) <= (0.5, 0.35)).all()


@pytest.mark.parametrize("seed", range(12))
def test_motion_is_independent_of_frame_rate_and_length(seed):
    short = sample_motion(seed, 50, 25.0)
    for same, step in ((sample_motion(seed, 100, 50.0), 2), (sample_motion(seed, 300, 25.0), 1)):
        np.testing.assert_allclose(short.motion, same.motion[::step][:50], atol=1e-6)
        np.testing.assert_allclose(short.gaze, same.gaze[::step][:50], atol=1e-6)
    assert np.abs(short.motion - sample_motion(seed + 100, 50, 25.0).motion).max() > 0.1


def test_motion_is_continuous_and_blink_is_fastest(clips):
    steps = np.max(
        [np.abs(np.diff(clip.motion, axis=0)).max(axis=0) for some in clips.values() for clip in some], axis=0
    )
    for name, step in zip(ACTION_UNITS, steps[:17], strict=True):
        assert step < (0.85 if name == "AU45" else 0.7 if name in SPEECH else 0.25), name
    assert steps[:17].argmax() == column("AU45")
    assert (np.degrees(steps[17:] * POSE_SCALE) < 10).all()


def test_motion_units_all_occur_and_are_not_collinear(vectors):
    units = vectors[:, :17]
    assert (units.std(axis=0) > 0.12).all()
    assert (units.max(axis=0) > 0.8).all()
    assert ((units > 0.3).mean(axis=0) > 0.04).all()
    correlation = np.corrcoef(vectors.T) - np.eye(20)
    assert np.abs(correlation).max() < 0.7
    assert np.linalg.cond(correlation + np.eye(20)) < 20


def test_blinks_close_twice_as_fast_as_they_open():
    lids = sample_motion(3, 20_000, 1000.0, motion_style="calm talker").motion[:, column("AU45")]
    shut = np.flatnonzero((lids[1:] > 0.8) & (lids[:-1] <= 0.8))
    assert 2 <= len(shut) <= 15
    speed = np.diff(lids) * 1000
    assert speed.max() == pytest.approx(1.875 / 0.08, rel=0.2)
    assert -speed.min() == pytest.approx(1.875 / 0.16, rel=0.2)
    # However they fall, a frame sees them shut.
    for start in range(40):
        assert (lids[start::40] > 0.84).any()


def test_motion_only_talkers_move_lips():
    talker, listener = (
        sample_motion(1, 30 * 25, FPS, motion_style=name).motion for name in ("calm talker", "listener")
    )
    lips = talker[:, column("AU25")]
    state = np.where(lips > 0.3, 1, np.where(lips < 0.08, -1, 0))
    closings = np.sum(np.diff(state[state != 0]) < 0) / 30
    assert 0.4 < closings < 4
    restless = [np.abs(np.diff(some[:, column("AU26")])).mean() for some in (talker, listener)]
    assert restless[0] > 5 * restless[1]


def test_gaze_has_fixations_saccades_and_counters_head(clips):
    still = []
    for clip in clips["calm talker"]:
        change = np.abs(np.diff(clip.gaze, axis=0)).max(axis=1)
        still.append((change < 0.02).mean())
    assert np.mean(still) > 0.6
    gaze, yaw, pitch = (
        np.concatenate(numbers)
        for numbers in zip(
            *(
                (clip.gaze, clip.motion[:, column("yaw")], clip.motion[:, column("pitch")])
                for clip in clips["actor"]
            ),
            strict=True,
        )
    )
    assert np.abs(np.diff(gaze[:100], axis=0)).max() > 0.1
    assert np.corrcoef(gaze[:, 0], yaw)[0, 1] > 0.4
    assert np.corrcoef(gaze[:, 1], pitch)[0, 1] < -0.4


def test_motion_seed_chooses_among_all_styles():
    quiet = [sample_motion(seed, 100, FPS).motion[:, column("AU20")].std() for seed in range(40)]
    assert 0 < np.mean(np.array(quiet) < 0.02) < 0.6
    with pytest.raises(ValueError, match="no motion style 'hurried': choose from calm talker"):
        sample_motion(0, 10, FPS, motion_style="hurried")
