from __future__ import annotations

import numpy as np
import pytest
import torch

from facegan.errors import InputError
from facegan.geometry.crop import EYES
from facegan.geometry.landmarks import denormalize_points, interocular_center
from facegan.inference import Animator
from facegan.inference.engines import TorchEngine
from facegan.io.images import image_to_tensor, tensor_to_images
from facegan.networks import FaceGAN, FaceGANConfig
from synthetic_heads import render, sample_identity


def test_prepare_crop_equals_preparation(animator, source, photograph):
    size = animator.size
    assert source.image.shape == (1, 3, size, size)
    cut = source.crop.cut(photograph, size)
    np.testing.assert_array_equal(tensor_to_images(source.image)[0], cut)
    landmarks = denormalize_points(source.landmarks[0].numpy(), size)
    np.testing.assert_allclose(interocular_center(landmarks) + 0.5, np.array(EYES) * size, atol=0.01)


def test_prepare_returns_landmarks_and_motion(animator, source):
    truth = render(sample_identity(3), np.zeros(20), 256).landmarks
    found = source.crop.to_frame(
        denormalize_points(source.landmarks[0].numpy(), animator.size), animator.size
    )
    assert np.linalg.norm(found - truth, axis=1).mean() < 5
    assert source.motion.shape == (1, 20)
    assert source.motion[0, 17:].abs().max() < 0.2


def test_prepare_background_has_no_head(source):
    head = source.segmentation > 0
    assert source.segmentation.shape == source.image.shape[:1] + source.image.shape[2:]
    assert 0.2 < head.float().mean() < 0.8
    background = source.background.movedim(1, -1)
    assert not background[head].any()
    assert torch.equal(background[~head], source.image.movedim(1, -1)[~head])


def test_prepare_selects_largest_face(animator, photograph):
    small = render(sample_identity(9), np.zeros(20), 160).image
    both = np.full((256, 416, 3), 128, np.uint8)
    both[48:208, :160] = small
    both[:, 160:] = photograph
    crop = animator.prepare(both).crop
    assert crop.x + crop.side / 2 > 160


def test_prepare_selects_face_by_index(animator, photograph):
    small = render(sample_identity(9), np.zeros(20), 160).image
    both = np.full((256, 416, 3), 128, np.uint8)
    both[48:208, :160] = small
    both[:, 160:] = photograph
    source = animator.prepare(both, face=2)
    assert source.crop.x + source.crop.side / 2 < 160
    assert source.photograph is both
    with pytest.raises(InputError, match="no face 3 in the source image: 2 faces were found"):
        animator.prepare(both, face=3)
    with pytest.raises(InputError, match="numbered from 1"):
        animator.prepare(both, face=0)


@pytest.mark.parametrize("shape", [(64, 64), (1, 1), (1, 900), (900, 2)])
def test_prepare_without_face_raises_input_error(animator, shape):
    with pytest.raises(InputError, match="no face in the source image"):
        animator.prepare(np.full((*shape, 3), 90, np.uint8))


def test_animate_equals_model(animator, source):
    motion = torch.linspace(-0.5, 0.5, 60).reshape(3, 20)
    result = animator.animate(source, motion).result
    with torch.no_grad():
        for row, picture in zip(motion, result, strict=True):
            single = animator.engine.model(source.face, row[None], source.background).result[0]
            torch.testing.assert_close(picture, single, atol=1e-5, rtol=0)
    assert (result[0] - result[2]).abs().max() > 1e-3
    assert result.dtype == torch.float32
    assert result.abs().max() <= 1


def test_animate_background_replaces_own(animator, source):
    other = image_to_tensor(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))[None]
    motion = torch.zeros(2, 20)
    result = animator.animate(source, motion, other).result
    behind = other * (source.segmentation == 0)
    assert not behind[:, :, source.segmentation[0] > 0].any()
    with torch.no_grad():
        parts = animator.engine.model(source.face, motion[:1], behind)
    expected = parts.mask * parts.foreground + (1 - parts.mask) * behind
    torch.testing.assert_close(result, expected.expand(2, -1, -1, -1), atol=1e-5, rtol=0)
    assert (result - animator.animate(source, motion).result).abs().mean() > 0.05


def test_from_pretrained_folder_loads_model(animator, source, tmp_path):
    animator.engine.model.save_pretrained(tmp_path / "model")
    again = Animator.from_pretrained(tmp_path / "model")
    assert again.name == "model"
    assert not again.engine.model.training
    motion = torch.full((1, 20), 0.1)
    assert torch.equal(again.animate(source, motion).result, animator.animate(source, motion).result)


@pytest.mark.parametrize("device", ["nonsense", "cuda:77"])
def test_open_unavailable_device_raises_input_error(animator, tmp_path, device):
    animator.engine.model.save_pretrained(tmp_path / "model")
    with pytest.raises(InputError, match=f"cannot use the device '{device}'"):
        Animator.from_pretrained(tmp_path / "model", device)


def test_open_model_in_training_is_switched_to_evaluation(animator):
    animator.engine.model.train()
    assert not TorchEngine(animator.engine.model).model.training


def test_animate_model_without_landmark_transformer_is_refused():
    tiny = {"kind": "global", "width": 8, "downsamplings": 2, "num_residual_blocks": 1}
    config = FaceGANConfig(size=64, reenactor=tiny, background_mixer=tiny, transform_landmarks=False)
    with pytest.raises(InputError, match="without landmark transformer"):
        TorchEngine(FaceGAN(config))
