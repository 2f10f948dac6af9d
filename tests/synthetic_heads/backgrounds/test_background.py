import cv2
import numpy as np
import pytest

from synthetic_heads.backgrounds import background
from synthetic_heads.backgrounds.background import KINDS, paint_background
from synthetic_heads.backgrounds.painting import WORK, defocus


@pytest.fixture(params=list(KINDS))
def only(request, monkeypatch):
    """Leaves one kind of background."""
    monkeypatch.setattr(background, "KINDS", {request.param: KINDS[request.param]})


@pytest.mark.slow
def test_background_kinds_are_linear_and_vary(only):
    images = []
    for seed in range(3):
        image, above, below = paint_background(np.random.default_rng(seed), 64)
        assert image.shape == (64, 64, 3)
        assert image.dtype == np.float32
        assert image.min() >= 0
        assert image.max() <= 1
        np.testing.assert_allclose(above, image[:32].mean(axis=(0, 1)), atol=0.02)
        np.testing.assert_allclose(below, image[32:].mean(axis=(0, 1)), atol=0.02)
        images.append(image)
    assert np.abs(images[0] - images[1]).mean() > 0.004
    assert np.abs(images[1] - images[2]).mean() > 0.004


def test_background_is_independent_of_size(only):
    large, small = (paint_background(np.random.default_rng(5), size).image for size in (256, 128))
    reduced = cv2.resize(large, (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(reduced - small).mean() < 0.003
    assert np.abs(reduced - small).max() < 0.06


def test_background_same_seed_is_equal():
    one, two = (paint_background(np.random.default_rng(11), 96) for _ in range(2))
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)


def test_defocus_point_becomes_disc_of_equal_energy():
    image = np.zeros((WORK, WORK, 3), np.float32)
    image[WORK // 2, WORK // 2] = 100
    for radius in (0.01, 0.05):
        disc = defocus(image, radius)
        assert disc.sum() == pytest.approx(300, rel=0.02)
        rows = np.flatnonzero(disc[..., 0].max(axis=1) > disc.max() / 4)
        assert np.ptp(rows) + 1 == pytest.approx(2 * radius * WORK, abs=4)
