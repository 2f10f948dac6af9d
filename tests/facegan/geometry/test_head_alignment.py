from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from facegan.geometry import head_alignment
from facegan.geometry.crop import Crop
from facegan.geometry.head_alignment import SourceFace, align_head, place_head
from facegan.geometry.landmarks import INNER_LIPS, normalize_points
from facegan.geometry.motion import MOTION_NAMES, edit_motion, rotate_in_plane
from facegan.io.images import image_to_tensor
from synthetic_heads import render, sample_identity

SIZE = 96


def rendered(identity=3, crop=None, **motion):
    """Return a synthetic head in a crop, and the crop."""
    vector = edit_motion(torch.zeros(20), motion)
    frame = render(sample_identity(identity), vector.numpy(), 192)
    crop = crop or Crop.for_face(frame.landmarks)
    image = image_to_tensor(crop.cut(frame.image, SIZE))[None]
    labels = torch.from_numpy(crop.cut_labels(frame.segmentation, SIZE))[None]
    points = normalize_points(crop.to_crop(frame.landmarks, SIZE), SIZE)
    return SourceFace(image, labels, torch.from_numpy(points)[None], vector[None]), crop


def head_of(face):
    return face.image * (face.segmentation > 0)[:, None]


@pytest.fixture(scope="module")
def frontal():
    return rendered()


@pytest.mark.parametrize("yaw", [0, 35])
def test_align_head_to_itself_is_identity(yaw):
    face, _ = rendered(yaw=yaw)
    aligned = align_head(face, face.landmarks, face.motion)
    # A pixel's value changes by at most the contrast times its displacement.
    torch.testing.assert_close(aligned.image, head_of(face), atol=2e-4, rtol=0)
    torch.testing.assert_close(aligned.labels[:, 0], (face.segmentation == 1).float(), atol=1e-4, rtol=0)


def test_align_head_similarity_is_exact(frontal):
    """The head turned, scaled and shifted in the image plane moves as a whole, the ring included."""
    face, _ = frontal
    radians, scale, shift = math.radians(20), 0.8, torch.tensor([0.1, -0.05])
    turn = torch.tensor([[math.cos(radians), math.sin(radians)], [-math.sin(radians), math.cos(radians)]])
    landmarks = scale * face.landmarks @ turn + shift
    motion = rotate_in_plane(face.motion, 20)
    inverse = torch.cat((turn / scale, -(turn / scale) @ shift[:, None]), dim=1)
    field = functional.affine_grid(inverse[None], (1, 3, SIZE, SIZE), align_corners=False)
    expected = functional.grid_sample(head_of(face), field, align_corners=False)
    aligned = align_head(face, landmarks, motion)
    torch.testing.assert_close(aligned.image, expected, atol=5e-4, rtol=0)


@pytest.mark.slow
def test_align_head_gradient_equals_finite_differences():
    generator = torch.Generator().manual_seed(0)
    size = 12
    # Linear in the position, so that the sampling is smooth.
    line = torch.linspace(-1, 1, size, dtype=torch.float64)
    image = torch.stack(
        (line.expand(size, size), line[:, None].expand(size, size), 0 * line.expand(size, size))
    )
    face = rendered()[0]
    face = SourceFace(
        image[None],
        torch.ones(1, size, size, dtype=torch.uint8),
        face.landmarks.double(),
        face.motion.double(),
    )
    landmarks = 0.7 * face.landmarks + 0.02 * torch.randn(1, 68, 2, generator=generator, dtype=torch.float64)

    def moved(landmarks):
        return align_head(face, landmarks, face.motion).image[:, :2, 4:8, 4:8]

    assert torch.autograd.gradcheck(moved, landmarks.requires_grad_())


@pytest.mark.parametrize(
    "turn", [{"yaw": 18}, {"yaw": -18}, {"pitch": 14}, {"yaw": 12, "AU26": 0.8, "roll": -8}]
)
def test_align_head_approximates_turned_head(frontal, turn):
    """Without any training it is much nearer to the true head than the source is."""
    face, crop = frontal
    target, _ = rendered(crop=crop, **turn)
    aligned = align_head(face, target.landmarks, target.motion)
    error, copied = ((head - head_of(target)).square().mean() for head in (aligned.image, head_of(face)))
    assert error < 0.5 * copied


def test_align_head_confidence_is_low_where_source_shows_nothing(frontal):
    face, crop = frontal
    opened, _ = rendered(crop=crop, AU26=1, AU25=1)
    mouth = opened.landmarks[0, list(INNER_LIPS)].mean(dim=0)
    row, column = (((mouth + 1) * SIZE - 1) / 2).round().long().flip(0).tolist()
    aligned = align_head(face, opened.landmarks, opened.motion)
    assert aligned.confidence[0, 0, row, column] < 0.4


@pytest.mark.parametrize(("identity", "yaw"), [(3, 45), (8, 45), (8, -45)])
def test_align_head_of_profile_takes_far_cheek_from_mirrored_image(identity, yaw, monkeypatch):
    face, crop = rendered(identity)
    profile, _ = rendered(identity, crop=crop, yaw=yaw)
    far = slice(SIZE // 2) if yaw > 0 else slice(SIZE // 2, SIZE)

    def error():
        aligned = align_head(profile, face.landmarks, face.motion)
        return (aligned.image - head_of(face))[..., far].square().mean()

    with_mirror = error()
    monkeypatch.setattr(head_alignment, "MIRROR_CONFIDENCE", (-2.0, -1.0))
    assert with_mirror < 0.75 * error()


def test_align_head_autocast_computes_in_32_bit(frontal):
    face, crop = frontal
    target, _ = rendered(crop=crop, yaw=15)
    expected = align_head(face, target.landmarks, target.motion)
    with torch.autocast("cpu", torch.bfloat16):
        found = align_head(face, target.landmarks, target.motion)
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_align_head_batch_equals_single_faces(frontal):
    face, crop = frontal
    targets = [rendered(crop=crop, yaw=yaw)[0] for yaw in (-20, 5, 25)]
    landmarks, motion = (torch.cat([getattr(t, name) for t in targets]) for name in ("landmarks", "motion"))
    together = align_head(face.expand(3), landmarks, motion)
    for number in range(3):
        single = align_head(face, landmarks[[number]], motion[[number]])
        for batch, alone in zip(together, single, strict=True):
            torch.testing.assert_close(batch[[number]], alone, atol=5e-4, rtol=0)


def test_align_head_extreme_landmarks_stay_finite(frontal):
    face, _ = frontal
    generator = torch.Generator().manual_seed(0)
    for landmarks in (0 * face.landmarks, 5 * torch.randn(1, 68, 2, generator=generator)):
        motion = torch.full((1, 20), 3.0)
        for part in align_head(face, landmarks, motion):
            assert part.isfinite().all()


def test_place_head_fits_rendered_head(frontal):
    """The upper end of the ring lies above the forehead, its sides beside the ears; both in the image."""
    for motion in ({}, {"yaw": 25}, {"pitch": -15, "roll": 10}):
        face, _ = rendered(**motion)
        ring = place_head(face.landmarks, face.motion).points[0, 68:]
        brows = face.landmarks[0, 17:27]
        assert ring[:, 1].min() < brows[:, 1].min() - 0.2
        assert np.ptp(ring[:, 0].numpy()) > np.ptp(face.landmarks[0, :, 0].numpy())


def test_place_head_hidden_side_is_invisible():
    face, _ = rendered(yaw=35)
    visibility = place_head(face.landmarks, face.motion).visibility[0]
    right, left = visibility[:6].mean(), visibility[11:17].mean()
    assert MOTION_NAMES.index("yaw") == 18
    assert min(right, left) < 0.2
    assert max(right, left) > 0.8
