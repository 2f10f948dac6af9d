from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from facegan.geometry.crop import Crop
from facegan.inference.stitching import Compositor

SIZE = 64


@pytest.fixture
def scene(source):
    """A face cut out at twice the network's size, from a smooth picture."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 260, 3)).astype(np.float32)
    photograph = cv2.GaussianBlur(noise, (0, 0), 12)
    photograph = cv2.normalize(photograph, None, 60, 190, cv2.NORM_MINMAX).astype(np.uint8)
    crop = Crop(70.3, 90.6, 128.0)
    return replace(source, photograph=photograph, crop=crop)


def inside(scene, margin):
    crop = scene.crop
    low, high = margin, crop.side - margin
    return np.s_[round(crop.y + low) : round(crop.y + high), round(crop.x + low) : round(crop.x + high)]


def test_paste_back_unchanged_crop_equals_source(scene):
    cut = scene.crop.cut(scene.photograph, SIZE)
    pasted = Compositor(scene, cut)(cut, np.ones((SIZE, SIZE), np.float32))
    assert pasted.shape == scene.photograph.shape
    assert np.abs(pasted.astype(int) - scene.photograph).max() <= 4
    assert pasted is not scene.photograph


def test_paste_back_keeps_pixels_around_crop(scene):
    before = scene.photograph.copy()
    black = np.zeros((SIZE, SIZE, 3), np.uint8)
    paster = Compositor(scene, scene.crop.cut(scene.photograph, SIZE))
    pasted = paster(black, np.ones((SIZE, SIZE), np.float32))
    outside = np.ones(before.shape[:2], bool)
    outside[inside(scene, -1)] = False
    np.testing.assert_array_equal(pasted[outside], before[outside])
    np.testing.assert_array_equal(scene.photograph, before)
    assert pasted[inside(scene, 20)].max() < 30


def test_paste_back_has_no_seam(scene):
    """Not even of the worst result is a step larger than a fade's."""
    paster = Compositor(scene, scene.crop.cut(scene.photograph, SIZE))
    pasted = paster(np.full((SIZE, SIZE, 3), 255, np.uint8), np.ones((SIZE, SIZE), np.float32)).astype(int)
    steps = [np.abs(np.diff(pasted, axis=axis)).max() for axis in (0, 1)]
    assert max(steps) < 60


def test_paste_back_takes_only_head(scene):
    """Where neither the head was nor the mask is, the photograph keeps its own pixels."""
    nowhere = replace(scene, segmentation=torch.zeros_like(scene.segmentation))
    cut = scene.crop.cut(scene.photograph, SIZE)
    mask = np.zeros((SIZE, SIZE), np.float32)
    pasted = Compositor(nowhere, cut)(255 - cut, mask)
    np.testing.assert_array_equal(pasted, scene.photograph)
    mask[28:36, 28:36] = 1
    pasted = Compositor(nowhere, cut)(np.zeros_like(cut), mask)
    changed = (pasted != scene.photograph).any(axis=-1)
    ys, xs = np.nonzero(changed)
    middle = scene.crop.to_frame(np.array([[31.5, 31.5]]), SIZE)[0]
    np.testing.assert_allclose((xs.mean(), ys.mean()), middle, atol=1.5)
    assert 16 < np.ptp(xs) < 50


def test_paste_back_matches_colors(scene):
    cut = scene.crop.cut(scene.photograph, SIZE)
    tinted = np.clip(cut + np.array((25, -20, 10)), 0, 255).astype(np.uint8)
    pasted = Compositor(scene, tinted)(tinted, np.ones((SIZE, SIZE), np.float32))
    assert np.abs(pasted.astype(int) - scene.photograph).max() <= 4


@pytest.mark.parametrize("at", [(-40.5, -30.2), (200.0, 250.0), (-20.0, 100.0)])
def test_paste_back_face_at_border_stays_within_image(scene, at):
    edge = replace(scene, crop=Crop(*at, 128.0))
    cut = edge.crop.cut(edge.photograph, SIZE)
    pasted = Compositor(edge, cut)(cut, np.ones((SIZE, SIZE), np.float32))
    assert pasted.shape == edge.photograph.shape
    assert np.abs(pasted.astype(int) - edge.photograph).max() <= 4


def test_paste_back_crop_smaller_than_network_size_is_scaled(scene):
    small = replace(scene, crop=Crop(70.0, 90.0, 40.0))
    cut = small.crop.cut(small.photograph, SIZE)
    pasted = Compositor(small, cut)(cut, np.ones((SIZE, SIZE), np.float32))
    assert np.abs(pasted.astype(int) - small.photograph).max() <= 4
