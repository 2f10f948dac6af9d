"""What the observer sees, against the preparation's own numbers, and by whom."""

import csv

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional as F

from facegan.errors import InputError
from facegan.evaluation import MetricBackends, Observer
from facegan.evaluation.face_measurements import gaze_of, join
from facegan.evaluation.metric_backends import (
    Callback,
    MediaPipe,
    OpenFace,
    PyFeat,
    identity_back_end,
    motion_back_end,
)
from facegan.geometry.motion import ACTION_UNITS, MOTION_NAMES
from facegan.io.images import tensor_to_images
from facegan.perception.assets import ASSETS
from synthetic_heads import render, sample_identity

IMAGE = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture(scope="module")
def images(crops):
    """Two faces, with a picture of nothing between them."""
    nothing = np.full((crops.size, crops.size, 3), 127, np.uint8)
    return [tensor_to_images(crops.picture(0)), nothing, tensor_to_images(crops.picture(9))]


def test_sees_what_the_preparation_saw_of_the_same_pixels(observer, crops, images):
    seen = observer(images)
    assert seen.found.tolist() == [True, False, True]
    np.testing.assert_allclose(seen.landmarks[[0, 2]], crops.landmarks[[0, 9]], atol=1e-6)
    np.testing.assert_allclose(seen.motion[[0, 2]], crops.motion[[0, 9]], atol=1e-6)
    for part in seen:
        assert np.isnan(part[1]).all()


def test_embeds_by_the_landmarks_it_saw(observer, crops, images):
    identity = torch.from_numpy(observer([*images, tensor_to_images(crops.picture(1))]).identity)
    same, other = F.cosine_similarity(identity[[0, 2]], identity[3])
    assert same > other


def test_no_face_at_all_is_no_number_and_nothing_worse(observer, images):
    seen = observer([images[1]] * 2)
    assert not seen.found.any()
    assert [part.shape for part in seen] == [(2, 68, 2), (2, 20), (2, 2, 2), (2, 128)]


def test_parts_join_in_order(observer, images):
    whole = observer(images)
    parts = join([observer(images[:1]), observer(images[1:])])
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_gaze_follows_the_eyes():
    """Of drawn people, whose gaze is known: right and down."""
    person, still = sample_identity(3), np.zeros(20, np.float32)
    middle, right, down = (
        gaze_of(render(person, still, 128, gaze=np.array(gaze, np.float32)).mesh)
        for gaze in ((0, 0), (0.4, 0), (0, 0.3))
    )
    assert ((right - middle)[:, 0] > 0.1).all()
    assert (np.abs(right - middle)[:, 1] < 0.05).all()
    assert ((down - middle)[:, 1] > 0.03).all()


def test_gaze_does_not_change_with_place_size_and_roll():
    mesh = render(sample_identity(3), np.zeros(20, np.float32), 128).mesh[:, :2]
    turn = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
    np.testing.assert_allclose(gaze_of((2.5 * mesh @ turn + 40).astype(np.float32)), gaze_of(mesh), atol=1e-3)


def test_back_ends_name_their_files(observer):
    names = " ".join(observer.back_ends.values())
    for file in ("face_landmarker.task", "dlib_face_recognition_resnet_model_v1.dat"):
        assert file in names
        assert ASSETS[file].sha256[:8] in names


def test_any_function_recognizes(images):
    def brightness(pictures, landmarks):
        assert landmarks.shape == (len(pictures), 68, 2)
        return pictures.mean(dim=(2, 3))

    with Observer(Callback(brightness), MediaPipe()) as observer:
        seen = observer(images)
        assert seen.identity.shape == (3, 3)
        assert "brightness" in observer.back_ends["identity"]


def write_csv(path, **columns):
    values = {"confidence": 0.9, **{f"{unit}_r": 0.0 for unit in ACTION_UNITS}}
    values |= {"pose_Rx": 0.1, "pose_Ry": 0.0, "pose_Rz": 0.0} | columns
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        file.write(", ".join(values) + "\n" + ", ".join(map(str, values.values())) + "\n")


def test_openface_is_read_from_its_files(tmp_path, images):
    """With its spaces behind the commas, and a face that only it sees."""
    for name, smile in (("model/self/000000", 2.5), ("model/self/000001", 5), ("model/self/000002", 0)):
        write_csv(tmp_path / f"{name}.csv", AU12_r=smile, face=0, success=int(smile > 0))
    names = [f"model/self/{pair:06d}" for pair in range(3)]
    with Observer(identity_back_end("dlib"), motion_back_end(f"openface={tmp_path}")) as observer:
        seen = observer(images, names)
    smile = seen.motion[:, ACTION_UNITS.index("AU12")]
    np.testing.assert_allclose(smile, [0.5, 1, np.nan])
    np.testing.assert_allclose(seen.motion[0, 17:], [0.1 / 0.7, 0, 0], rtol=1e-6)
    # Both must see a face: landmarks are MediaPipe's.
    assert seen.found.tolist() == [True, False, False]


def test_openface_takes_the_surest_of_several_faces(tmp_path):
    write_csv(tmp_path / "one.csv", AU12_r=1, confidence=0.3)
    with (tmp_path / "one.csv").open() as file:
        header, row = csv.reader(file, skipinitialspace=True)
    row[header.index("AU12_r")], row[header.index("confidence")] = "4", "0.8"
    with (tmp_path / "one.csv").open("a") as file:
        file.write(", ".join(row) + "\n")
    (values,) = OpenFace(tmp_path)([IMAGE], [None], ["one"])
    assert values[ACTION_UNITS.index("AU12")] == pytest.approx(0.8)


@pytest.mark.parametrize("text", [None, "", "confidence\n", "face, confidence\n0, 0.9\n", "AU01_r\nmuch\n"])
def test_what_openface_did_not_write_is_told(tmp_path, text):
    if text is not None:
        (tmp_path / "one.csv").write_text(text)
    if text in ("", "confidence\n"):
        assert np.isnan(OpenFace(tmp_path)([IMAGE], [None], ["one"])).all()
        return
    with pytest.raises(InputError, match=r"cannot read OpenFace's .*one\.csv"):
        OpenFace(tmp_path)([IMAGE], [None], ["one"])


@pytest.mark.parametrize(
    ("eyes", "message"),
    [
        (MetricBackends(identity="vgg"), "unknown identity back end 'vgg': choose dlib or facenet"),
        (MetricBackends(motion="guess"), "unknown motion back end 'guess'"),
        (MetricBackends(motion="openface=nowhere"), "no folder of OpenFace CSV files: nowhere"),
    ],
)
def test_unknown_back_ends_are_refused(eyes, message):
    with pytest.raises(InputError, match=message):
        eyes.open()


def test_facenet_without_its_package_says_how_to_get_it():
    try:
        import facenet_pytorch  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match=r"pip install facegan\[facenet\]"):
            identity_back_end("facenet")


def test_py_feat_table_becomes_motion_of_the_largest_face():
    units = {("AU43" if unit == "AU45" else unit): 0.1 for unit in ACTION_UNITS}
    box = {"FaceRectWidth": 50.0, "FaceRectHeight": 60.0}
    nothing = dict.fromkeys([*units, *box, "Pitch", "Yaw", "Roll"], np.nan)
    table = pd.DataFrame(
        [
            {**units, **box, "FaceRectWidth": 20.0, "Pitch": 9.0, "Yaw": 9.0, "Roll": 9.0, "frame": 0},
            {**units, **box, "AU12": 0.8, "AU43": 0.9, "Pitch": 0.14, "Yaw": 0.28, "Roll": -0.35, "frame": 0},
            {**nothing, "frame": 1},
        ]
    )
    first, second = PyFeat.read(table, 2)
    expected = np.full(20, 0.1)
    expected[[MOTION_NAMES.index("AU12"), MOTION_NAMES.index("AU45")]] = 0.8, 0.9
    expected[-3:] = -0.2, 0.4, 0.5
    np.testing.assert_allclose(first, expected, atol=1e-6)
    assert np.isnan(second).all()


def test_py_feat_without_its_package_says_how_to_get_it():
    try:
        import feat  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match=r"pip install facegan\[pyfeat\]"):
            motion_back_end("pyfeat")
