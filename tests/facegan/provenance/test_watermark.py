from __future__ import annotations

import io
import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from facegan.provenance.watermark import MIN_SIDE, THRESHOLD, WatermarkDetector, embed_watermark, key_signs

SIDES = st.integers(MIN_SIDE, 700)


def score(*images: np.ndarray) -> float:
    detector = WatermarkDetector()
    for image in images:
        detector.add(image)
    return detector.score


def scene(height: int, width: int, seed: int) -> np.ndarray:
    """Shapes of all sizes, as photographs have them."""
    rng = np.random.default_rng(seed)
    levels = sum(
        cv2.resize(rng.normal(0, 160 / side, (side, side, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
        for side in (2, 4, 8, 16, 32, 64)
    )
    return np.clip(128 + levels, 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    memory = io.BytesIO()
    Image.fromarray(image).save(memory, "jpeg", quality=quality)
    return np.array(Image.open(memory))


def half(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def square(image: np.ndarray, y: int, x: int) -> np.ndarray:
    return image[y : y + 32, x : x + 32]


def psnr(image: np.ndarray, other: np.ndarray) -> float:
    return 10 * np.log10(255**2 / np.mean((image.astype(float) - other) ** 2))


@settings(max_examples=60)
@given(SIDES, SIDES, st.integers(0, 99))
def test_embed_watermark_any_size_is_detected(height, width, seed):
    image = scene(height, width, seed)
    before = image.copy()
    marked = embed_watermark(image)
    assert marked.shape == image.shape
    assert marked.dtype == np.uint8
    assert (image == before).all()
    assert np.abs(marked.astype(int) - image).max() < 32
    assert score(marked) > THRESHOLD + 2
    assert score(image) < THRESHOLD


@given(st.binary(min_size=48, max_size=48), SIDES, SIDES)
def test_embed_watermark_any_pixels_score_is_finite(pixels, height, width):
    image = np.frombuffer(pixels, np.uint8).reshape(4, 4, 3)
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)
    assert np.isfinite(score(embed_watermark(image)))
    assert score(image) < THRESHOLD


@pytest.mark.parametrize("level", [0, 128, 255])
def test_watermark_detector_one_color_is_not_detected(level):
    assert score(np.full((128, 128, 3), level, np.uint8)) < THRESHOLD


def test_watermark_detector_without_images_scores_zero():
    assert WatermarkDetector().score == 0


@pytest.mark.parametrize("size", [(31, 64), (64, 31), (1, 1)])
def test_embed_watermark_too_small_is_refused(size):
    with pytest.raises(ValueError, match="too small"):
        embed_watermark(np.zeros((*size, 3), np.uint8))


def test_embed_watermark_is_invisible(photograph):
    marked = embed_watermark(photograph)
    assert psnr(photograph, marked) > 40
    # The least textured square of 32 pixels.
    corners = itertools.product(range(0, 256, 32), repeat=2)
    y, x = min(corners, key=lambda corner: square(photograph, *corner).astype(float).std())
    plain, changed = square(photograph, y, x), square(marked, y, x)
    assert psnr(plain, changed) > 42


def test_watermark_survives_edits(photograph):
    marked = embed_watermark(photograph)
    for name, image in {
        "jpeg 75": jpeg(marked, 75),
        "jpeg 50": jpeg(marked, 50),
        "half": half(marked),
        "half, jpeg 75": jpeg(half(marked), 75),
        "twice": cv2.resize(marked, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC),
        "another shape": cv2.resize(marked, (200, 300), interpolation=cv2.INTER_AREA),
        "brighter": np.clip(marked * 1.1 + 10, 0, 255).astype(np.uint8),
        "noise": np.clip(marked + np.random.default_rng(0).normal(0, 4, marked.shape), 0, 255).astype(
            np.uint8
        ),
    }.items():
        assert score(image) > THRESHOLD, name


def test_embed_watermark_large_image_survives_reduction(photograph):
    image = cv2.resize(photograph, (3840, 2160), interpolation=cv2.INTER_CUBIC)
    marked = embed_watermark(image)
    assert score(marked) > 10
    assert score(cv2.resize(jpeg(marked, 75), (480, 270), interpolation=cv2.INTER_AREA)) > THRESHOLD
    assert psnr(image, marked) > 42


def test_watermark_detector_other_keys_score_is_standard_normal(heads):
    """2,000 keys that mark nothing: the normal distribution that the threshold stands on."""
    detector = WatermarkDetector()
    detector.add(embed_watermark(heads[0]))
    scores = np.array([key_signs(f"key {index}") @ detector.evidence for index in range(2000)])
    assert abs(scores.mean()) < 0.1
    assert abs(scores.std() - 1) < 0.05
    assert scores.max() < THRESHOLD


def test_watermark_detector_moving_frames_add_up(heads):
    marked = [jpeg(embed_watermark(frame), 30) for frame in heads]
    alone = [score(frame) for frame in marked]
    assert score(*marked) > np.mean(alone) + 1
    assert score(*heads) < THRESHOLD


def test_watermark_detector_equal_frames_count_once(photograph):
    assert score(*[photograph] * 20) == pytest.approx(score(photograph), abs=1e-3)


def test_embed_watermark_frames_do_not_flicker(heads):
    """From frame to frame the change itself changes little."""
    changes = np.stack([embed_watermark(frame).astype(float) - frame for frame in heads])
    steps = np.sqrt((np.diff(changes, axis=0) ** 2).mean())
    assert steps < 0.6 * np.sqrt((changes**2).mean())
