import numpy as np
import pytest
import torch
from tests.facegan.perception.test_metric_backends import write_csv
from torch.nn import functional as F

from facegan.metrics import FaceMeasurements
from facegan.perception.assets import ASSETS
from facegan.perception.face_measurer import FaceMeasurer, compute_gaze
from facegan.perception.metric_backends import open_identity_backend, open_motion_backend
from synthetic_heads import render, sample_identity

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def images(crops):
    """Two faces, with a gray image between them."""
    return [crops.image(0), np.full((crops.size, crops.size, 3), 127, np.uint8), crops.image(9)]


def test_measurer_of_the_crops_repeats_the_preparation(measurer, crops, images):
    faces = measurer.analyze(images)
    assert faces.detected.tolist() == [True, False, True]
    np.testing.assert_allclose(faces.landmarks[[0, 2]], crops.landmarks[[0, 9]], atol=1e-6)
    np.testing.assert_allclose(faces.motion[[0, 2]], crops.motion[[0, 9]], atol=1e-6)
    for column in faces:
        assert np.isnan(column[1]).all()


def test_measurer_embeds_one_identity_alike(measurer, crops, images):
    identity = torch.from_numpy(measurer.analyze([*images, crops.image(1)]).identity)
    same, other = F.cosine_similarity(identity[[0, 2]], identity[3])
    assert same > other


def test_measurer_without_any_face_gives_nan(measurer, images):
    faces = measurer.analyze([images[1]] * 2)
    assert not faces.detected.any()
    assert [column.shape for column in faces] == [(2, 68, 2), (2, 20), (2, 2, 2), (2, 128)]


def test_measurer_with_openface_requires_both_detections(tmp_path, images):
    for pair in range(3):
        write_csv(tmp_path / f"self/{pair}.csv", success=int(pair < 2))
    backends = open_identity_backend("dlib"), open_motion_backend(f"openface={tmp_path}")
    with FaceMeasurer(*backends) as measurer:
        faces = measurer.analyze(images, [f"self/{pair}" for pair in range(3)])
    assert faces.detected.tolist() == [True, False, False]


def test_measurements_concatenate_in_order(measurer, images):
    parts = FaceMeasurements.concatenate([measurer.analyze(images[:1]), measurer.analyze(images[1:])])
    for one, other in zip(measurer.analyze(images), parts, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_measurer_names_the_weights_with_checksums(measurer):
    names = " ".join(measurer.names.values())
    for file in ("face_landmarker.task", "dlib_face_recognition_resnet_model_v1.dat"):
        assert file in names
        assert ASSETS[file].sha256[:8] in names


def test_compute_gaze_of_synthetic_eyes_follows_the_gaze():
    """Gaze is right and down."""
    identity, neutral = sample_identity(3), np.zeros(20, np.float32)
    middle, right, down = (
        compute_gaze(render(identity, neutral, 128, gaze=np.array(gaze, np.float32)).mesh)
        for gaze in ((0, 0), (0.4, 0), (0, 0.3))
    )
    assert ((right - middle)[:, 0] > 0.1).all()
    assert (np.abs(right - middle)[:, 1] < 0.05).all()
    assert ((down - middle)[:, 1] > 0.03).all()


def test_compute_gaze_of_a_similar_mesh_is_equal():
    mesh = render(sample_identity(3), np.zeros(20, np.float32), 128).mesh[:, :2]
    rotation = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
    transformed = (2.5 * mesh @ rotation + 40).astype(np.float32)
    np.testing.assert_allclose(compute_gaze(transformed), compute_gaze(mesh), atol=1e-3)
