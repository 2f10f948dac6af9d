import csv

import numpy as np
import pytest

from facegan.errors import InputError
from facegan.geometry.motion import ACTION_UNITS
from facegan.perception.metric_backends import OpenFaceMotion, open_identity_backend, open_motion_backend

IMAGE = np.zeros((8, 8, 3), np.uint8)
SMILE = ACTION_UNITS.index("AU12")


def write_csv(path, **columns):
    values = {"confidence": 0.9, **{f"{unit}_r": 0.0 for unit in ACTION_UNITS}}
    values |= {"pose_Rx": 0.1, "pose_Ry": 0.0, "pose_Rz": 0.0} | columns
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        file.write(", ".join(values) + "\n" + ", ".join(map(str, values.values())) + "\n")


def test_openface_with_several_images_reads_each_file(tmp_path):
    """With OpenFace's spaces behind the commas."""
    for pair, (smile, success) in enumerate(((2.5, 1), (5, 1), (0, 0))):
        write_csv(tmp_path / f"model/self/{pair:06d}.csv", AU12_r=smile, face=0, success=success)
    names = [f"model/self/{pair:06d}" for pair in range(3)]
    motion = open_motion_backend(f"openface={tmp_path}")([IMAGE] * 3, [None] * 3, names)
    np.testing.assert_allclose(motion[:, SMILE], [0.5, 1, np.nan])
    np.testing.assert_allclose(motion[0, 17:], [0.1 / 0.7, 0, 0], rtol=1e-6)


def test_openface_with_several_faces_takes_the_most_confident(tmp_path):
    write_csv(tmp_path / "one.csv", AU12_r=1, confidence=0.3)
    with (tmp_path / "one.csv").open() as file:
        header, row = csv.reader(file, skipinitialspace=True)
    row[header.index("AU12_r")], row[header.index("confidence")] = "4", "0.8"
    with (tmp_path / "one.csv").open("a") as file:
        file.write(", ".join(row) + "\n")
    (values,) = OpenFaceMotion(tmp_path)([IMAGE], [None], ["one"])
    assert values[SMILE] == pytest.approx(0.8)


@pytest.mark.parametrize("text", ["", "confidence\n"])
def test_openface_with_an_empty_file_gives_nan(tmp_path, text):
    (tmp_path / "one.csv").write_text(text)
    assert np.isnan(OpenFaceMotion(tmp_path)([IMAGE], [None], ["one"])).all()


@pytest.mark.parametrize("text", [None, "face, confidence\n0, 0.9\n", "AU01_r\nmuch\n"])
def test_openface_with_an_invalid_file_raises(tmp_path, text):
    if text is not None:
        (tmp_path / "one.csv").write_text(text)
    with pytest.raises(InputError, match=r"cannot read OpenFace's .*one\.csv"):
        OpenFaceMotion(tmp_path)([IMAGE], [None], ["one"])


@pytest.mark.parametrize(
    ("function", "name", "message"),
    [
        (open_identity_backend, "vgg", "unknown identity back end 'vgg': choose dlib"),
        (open_motion_backend, "guess", "unknown motion back end 'guess': choose mediapipe or openface="),
        (open_motion_backend, "openface=nowhere", "no folder of OpenFace CSV files: nowhere"),
    ],
)
def test_open_backend_with_an_unknown_name_raises(function, name, message):
    with pytest.raises(InputError, match=message):
        function(name)
