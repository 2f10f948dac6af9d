import numpy as np
import pytest

from synthetic_heads.rendering.sensor_noise import camera_noise, to_srgb

WEIGHTS = np.array([0.2126, 0.7152, 0.0722])


def flat(light, side=256):
    return np.full((side, side, 3), light, np.float32)


def test_tone_map_equals_srgb_below_shoulder():
    light = np.linspace(0, 0.7, 500, dtype=np.float32)
    standard = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(to_srgb(light) - 255 * standard).max() < 1.01


def test_tone_map_highlights_are_monotone_and_end_at_white():
    coded = to_srgb(np.linspace(0, 3, 4000, dtype=np.float32)).astype(int)
    assert (np.diff(coded) >= 0).all()
    assert coded[0] == 0
    assert coded[-1] == 255
    assert 235 < to_srgb(np.float32([1.0]))[0] < 250


def test_tone_map_clips_out_of_range():
    np.testing.assert_array_equal(to_srgb(np.float32([-3, np.inf, -np.inf])), [0, 255, 0])


@pytest.mark.parametrize("strength", [0.5, 2, 4])
def test_sensor_noise_strength_is_deviation_at_middle_gray(strength):
    light = camera_noise(flat(0.18), 4, strength) @ WEIGHTS
    assert light.std() * 304.8 == pytest.approx(strength, rel=0.05)


def test_sensor_noise_variance_grows_and_mean_stays():
    deviations = []
    for light in (0.0, 0.05, 0.2, 0.8):
        noise = camera_noise(flat(light), 9, 3) - light
        assert abs(noise.mean()) < 0.1 * noise.std()
        deviations.append(noise.std())
    assert deviations == sorted(deviations)
    # Shot noise: four times the light, about twice the deviation.
    assert deviations[3] / deviations[2] == pytest.approx(2, rel=0.1)
    assert deviations[0] > 0


def test_sensor_noise_frames_are_independent_and_seeded():
    frames = [camera_noise(flat(0.3), seed, 2).ravel() for seed in range(12)]
    correlation = np.corrcoef(frames) - np.eye(12)
    assert np.abs(correlation).max() < 0.03
    np.testing.assert_array_equal(camera_noise(flat(0.3), 5, 2).ravel(), frames[5])
