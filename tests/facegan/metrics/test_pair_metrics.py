import numpy as np
import pytest
import torch

from facegan import metrics
from facegan.metrics import METRICS, FaceMeasurements, PairFaces, compute_pair_metrics

COUNT = 6
RANDOM = np.random.default_rng(0)


def random_faces():
    return FaceMeasurements(
        RANDOM.uniform(-1, 1, (COUNT, 68, 2)).astype(np.float32),
        RANDOM.uniform(0, 1, (COUNT, 20)).astype(np.float32),
        RANDOM.normal(size=(COUNT, 2, 2)).astype(np.float32),
        RANDOM.normal(size=(COUNT, 128)).astype(np.float32),
    )


@pytest.fixture
def faces():
    """Measurements of source, driving, target and result images."""
    return [random_faces() for _ in range(4)]


def without_face(faces, index):
    faces = FaceMeasurements(*(column.copy() for column in faces))
    for column in faces:
        column[index] = np.nan
    return faces


def test_compute_pair_metrics_uses_the_functions_of_facegan_metrics(faces):
    source, driving, target, result = faces
    as_tensors = [FaceMeasurements(*map(torch.from_numpy, each)) for each in faces]
    s, d, t, r = as_tensors
    expected = {
        "csim": metrics.csim(r.identity, s.identity),
        "psim": metrics.psim(*(torch.from_numpy(each.head_pose) for each in (result, driving))),
        "ed": metrics.ed(r.motion[:, :17], d.motion[:, :17]),
        "ed_l2": metrics.ed(r.motion[:, :17], d.motion[:, :17], "l2"),
        "landmark_error": metrics.landmark_error(r.landmarks, t.landmarks),
        "lsim": metrics.lsim(r.landmarks, t.landmarks),
        "gaze_error": metrics.gaze_error(r.gaze, d.gaze),
        "blink_agreement": metrics.blink_agreement(r.motion[:, 16], d.motion[:, 16]),
    }
    values = compute_pair_metrics(PairFaces(source, driving, target), result)
    assert values.keys() == expected.keys()
    for name, each in expected.items():
        if name == "gaze_error":
            each[d.motion[:, 16] >= metrics.CLOSED_EYE_THRESHOLD] = torch.nan
        np.testing.assert_allclose(values[name], each, rtol=1e-6)


def test_compute_pair_metrics_without_face_in_result_gives_missing_values(faces):
    *others, result = faces
    values = compute_pair_metrics(PairFaces(*others), without_face(result, 1))
    for name, each in values.items():
        if name != "gaze_error" or np.isfinite(each[1]):
            assert each[1] == pytest.approx(METRICS[name].missing_value), name


@pytest.mark.parametrize(
    ("role", "invalid"),
    [
        (0, {"csim"}),
        (1, {"psim", "ed", "ed_l2", "gaze_error", "blink_agreement"}),
        (2, {"landmark_error", "lsim"}),
    ],
)
def test_compute_pair_metrics_without_face_in_reference_gives_nan(faces, role, invalid):
    faces[1].motion[:, 16] = 0
    faces[role] = without_face(faces[role], 2)
    values = compute_pair_metrics(PairFaces(*faces[:3]), faces[3])
    assert {name for name, each in values.items() if np.isnan(each[2])} == invalid
