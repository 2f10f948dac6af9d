import csv

import numpy as np
import pytest

from facegan.cli import main
from facegan.geometry.motion import ACTION_UNITS
from facegan.io.images import write_image
from synthetic_heads import render, sample_identity


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def clip(talking_heads):
    return sorted(talking_heads.rglob("*.mp4"))[0]


def test_analyze_file_writes_openface_columns_per_frame(clip, tmp_path, capsys):
    out = tmp_path / "clip.csv"
    assert main(["analyze", str(clip), "--out", str(out)]) == 0
    rows = read(out)
    assert "20 of 20 frames" in capsys.readouterr().out
    assert [int(row["frame"]) for row in rows] == list(range(1, 21))
    np.testing.assert_allclose([float(row["timestamp"]) for row in rows], np.arange(20) / 25, atol=1e-3)
    columns = list(rows[0])
    assert columns[:5] == ["frame", "face_id", "timestamp", "confidence", "success"]
    assert columns[5:8] == ["pose_Rx", "pose_Ry", "pose_Rz"]
    assert columns[8:25] == [f"{name}_r" for name in ACTION_UNITS]
    assert columns[25:] == [f"x_{i}" for i in range(68)] + [f"y_{i}" for i in range(68)]
    assert {row["face_id"] for row in rows} == {"0"}


def test_analyze_file_landmarks_and_pose_equal_detection(tmp_path):
    motion = np.zeros(20, np.float32)
    motion[18] = 0.5  # yaw of 20 degrees
    frame = render(sample_identity(3), motion, 256)
    picture, out = tmp_path / "head.png", tmp_path / "head.csv"
    write_image(picture, frame.image)
    assert main(["analyze", str(picture), "--out", str(out)]) == 0
    (row,) = read(out)
    points = np.array([[float(row[f"{axis}_{i}"]) for axis in "xy"] for i in range(68)])
    eyes = np.linalg.norm(frame.landmarks[36] - frame.landmarks[45])
    assert np.linalg.norm(points - frame.landmarks, axis=1).mean() < 0.06 * eyes
    assert float(row["pose_Ry"]) == pytest.approx(0.35, abs=0.1)


def test_analyze_file_frame_without_face_has_no_success(tmp_path):
    picture, out = tmp_path / "wall.png", tmp_path / "wall.csv"
    write_image(picture, np.full((64, 64, 3), 128, np.uint8))
    assert main(["analyze", str(picture), "--out", str(out)]) == 0
    (row,) = read(out)
    assert row["success"] == "0"
    assert all(value == "0" for name, value in row.items() if name not in ("frame", "timestamp"))


def test_analyze_file_bad_input_is_one_line_and_leaves_nothing(tmp_path, capsys):
    file = tmp_path / "notes.mp4"
    file.write_text("no video")
    out = tmp_path / "notes.csv"
    assert main(["analyze", str(file), "--out", str(out)]) == 2
    error = capsys.readouterr().err.strip()
    assert "notes.mp4" in error
    assert "\n" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["notes.mp4"]
