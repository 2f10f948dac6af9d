import csv
import itertools
import os
from pathlib import Path

import av
import dlib
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from facegan.perception import FaceAnalyzer, IdentityEmbedder, assets
from facegan.perception.identity_embedder import align

ANCHORS = [45, 42, 36, 39, 33]
CLIPS = os.environ.get("FACEGAN_REAL_CLIPS")


@pytest.fixture(scope="module")
def embedder():
    return IdentityEmbedder()


@pytest.fixture(scope="module")
def reference():
    return dlib.face_recognition_model_v1(str(assets.fetch("dlib_face_recognition_resnet_model_v1.dat")))


def scene(width, height, face, angle, center):
    """A smooth random picture H×W×3 and five whole-pixel anchors, about where a face has them.

    Args:
        face: side of the face in pixels.
    """
    noise = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(face))
    picture = F.interpolate(noise, (height, width), mode="bicubic").clamp(0, 1)[0]
    upright = np.array([(0.36, -0.29), (0.15, -0.27), (-0.38, -0.28), (-0.17, -0.27), (0.03, 0.14)]) * face
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    anchors = np.rint(upright @ turn + center).astype(int)
    return (255 * picture).byte().permute(1, 2, 0).contiguous().numpy(), anchors


def as_input(image, anchors):
    height, width = image.shape[:2]
    landmarks = np.zeros((1, 68, 2), np.float32)
    landmarks[0, ANCHORS] = (2 * anchors + 1) / (width, height) - 1
    return torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1, torch.from_numpy(landmarks)


def detection(anchors):
    return dlib.full_object_detection(
        dlib.rectangle(0, 0, 1, 1), [dlib.point(*point) for point in anchors.tolist()]
    )


def as_levels(chips):
    return ((chips + 1) * 127.5)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    ("width", "height", "face", "angle"),
    [
        (256, 256, 100, 0.3),
        (256, 256, 100, 0.0),
        (320, 240, 60, -0.9),
        (256, 256, 90, 3.0),
        (600, 500, 190, 0.6),
    ],
)
def test_extract_chip_equals_dlib(width, height, face, angle):
    image, anchors = scene(width, height, face, angle, center=(width / 2, height / 2))
    expected = dlib.get_face_chip(image, detection(anchors), size=150, padding=0.25).astype(float)
    off = as_levels(align(*as_input(image, anchors))) - expected
    # dlib cuts a level's decimals off.
    assert off.min() > -0.01
    assert off.max() < 1.01


def test_extract_chip_large_image_is_close_to_dlib():
    """From two pixels a step both shrink the picture first, which moves dlib's by a part of a pixel."""
    image, anchors = scene(1000, 1000, 500, 0.2, center=(500, 500))
    expected = dlib.get_face_chip(image, detection(anchors), size=150, padding=0.25).astype(float)
    off = as_levels(align(*as_input(image, anchors))) - expected
    assert np.abs(off).mean() < 4


@pytest.mark.parametrize("times", [2, 4, 5])
def test_extract_chip_is_independent_of_resolution(times):
    image, anchors = scene(300, 300, 120, 0.4, center=(150, 150))
    picture, landmarks = as_input(image, anchors)
    enlarged = F.interpolate(picture, scale_factor=times, mode="bilinear")
    off = (align(enlarged, landmarks) - align(picture, landmarks)) * 127.5
    assert off.abs().mean() < 1.2
    assert off.mean().abs() < 0.05


def test_extract_chip_large_image_does_not_alias():
    """Lines of one pixel in black and white become gray."""
    _, anchors = scene(1024, 1024, 500, 0.0, center=(512, 512))
    image = np.zeros((1024, 1024, 3), np.uint8)
    image[:, ::2] = 255
    chips = align(*as_input(image, anchors))
    assert chips.abs().max() < 0.05


def test_extract_chip_outside_image_is_black():
    image, anchors = scene(256, 256, 150, 0.0, center=(10, 128))
    image[:] = 255
    chip = align(*as_input(image, anchors))
    assert chip[..., :40].max() == -1
    assert chip[..., -40:].min() > 0.999


def test_embed_batch_equals_single_images(embedder):
    scenes = [scene(700, 700, face, 0.1, center=(350, 350)) for face in (60, 500, 250)]
    singles = [as_input(*each) for each in scenes]
    batch = [torch.cat(parts) for parts in zip(*singles, strict=True)]
    torch.testing.assert_close(
        embedder(*batch), torch.cat([embedder(*single) for single in singles]), rtol=0, atol=1e-5
    )
    assert embedder(batch[0][:0], batch[1][:0]).shape == (0, 128)


@pytest.mark.parametrize(("face", "tolerance"), [(110, 0.01), (400, 0.05)])
def test_embed_equals_dlib(embedder, reference, face, tolerance):
    image, anchors = scene(800, 800, face, 0.2, center=(400, 400))
    expected = np.array(reference.compute_face_descriptor(image, detection(anchors)))
    distance = np.linalg.norm(embedder(*as_input(image, anchors))[0].numpy() - expected)
    assert distance < tolerance


@pytest.mark.parametrize("face", [80, 400])
def test_embed_gradient_reaches_image_but_not_weights(embedder, face):
    picture, landmarks = as_input(*scene(800, 800, face, 0.0, center=(400, 400)))
    embedder(picture.requires_grad_(), landmarks).sum().backward()
    assert picture.grad.isfinite().all()
    assert picture.grad[..., 390:410, 390:410].abs().min() > 0
    assert picture.grad[..., :10, :10].abs().max() == 0
    assert not any(parameter.requires_grad for parameter in embedder.parameters())


@pytest.fixture(scope="module")
def crops():
    """Two pictures each of people of whom there are several clips: (person, picture, landmarks)."""
    with (Path(CLIPS) / "manifest.csv").open(newline="") as stream:
        videos = [row for row in csv.DictReader(stream) if row["kind"] == "video"]
    videos.sort(key=lambda row: int(row["person"]))
    people = [list(rows)[:2] for _, rows in itertools.groupby(videos, key=lambda row: row["person"])]
    found = []
    with FaceAnalyzer(single_images=True) as analyze:
        for row in itertools.chain.from_iterable(rows for rows in people if len(rows) == 2):
            with av.open(Path(CLIPS) / row["file"]) as video:
                image = next(video.decode(video=0)).to_ndarray(format="rgb24")
            image = np.ascontiguousarray(image)
            faces = analyze(image)
            if faces:
                found.append((row["person"], image, faces[0].landmarks))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not CLIPS, reason="needs FACEGAN_REAL_CLIPS")
def test_embed_real_faces_agree_with_dlib(embedder, reference, crops):
    for _, image, points in crops:
        anchors = np.rint(points[ANCHORS]).astype(int)
        picture, landmarks = as_input(image, anchors)
        chip = dlib.get_face_chip(image, detection(anchors), size=150, padding=0.25)
        expected = np.array(reference.compute_face_descriptor(chip))
        same_chip = embedder.network(torch.from_numpy(chip).permute(2, 0, 1)[None] / 127.5 - 1)
        np.testing.assert_allclose(same_chip[0].numpy(), expected, rtol=0, atol=1e-5)
        assert np.linalg.norm(embedder(picture, landmarks)[0].numpy() - expected) < 0.1


@pytest.mark.skipif(not CLIPS, reason="needs FACEGAN_REAL_CLIPS")
def test_embed_real_identities_are_separated(embedder, crops):
    embeddings = torch.cat([embedder(*as_input(image, points[ANCHORS])) for _, image, points in crops])
    people = np.array([person for person, *_ in crops])
    distances = torch.cdist(embeddings, embeddings).numpy()
    same = people[:, None] == people
    pairs = np.triu(np.ones_like(same), k=1)
    assert (same & pairs).sum() >= 5
    assert np.median(distances[same & pairs]) < 0.45
    assert (distances[same & pairs] < 0.6).mean() > 0.9
    assert (distances[~same & pairs] > 0.6).mean() > 0.9
