import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthetic_heads import (
    GROUND_TRUTH_FILE,
    GROUND_TRUTH_SCHEMA,
    GroundTruth,
    render,
    sample_identity,
    sample_motion,
    sample_scene,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two identities, two clips each, four frames each; a row group holds three rows."""
    rows = []
    for clip in range(4):
        identity, scene, movement = sample_identity(clip // 2), sample_scene(clip), sample_motion(clip, 4, 25)
        for number, (motion, gaze) in enumerate(zip(*movement, strict=True)):
            frame = render(identity, motion, 64, gaze=gaze, scene=scene, noise_seed=number)
            rows.append(
                {
                    "video": f"{clip // 2:04d}/{clip % 2:02d}.mp4", "identity": f"{clip // 2:04d}",
                    "clip": clip % 2, "frame": number, "time": number / 25, "fps": 25.0, "size": 64,
                    "landmarks": frame.landmarks.ravel(), "mesh": frame.mesh.ravel(), "motion": motion,
                    "gaze": gaze, "segmentation": b"", "identity_seed": clip // 2, "scene_seed": clip,
                    "camera": (scene.camera.distance, scene.camera.focal, *scene.camera.center),
                    "noise_seed": number,
                }
            )  # fmt: skip
    out = tmp_path_factory.mktemp("truth")
    table = pa.Table.from_pylist(rows, GROUND_TRUTH_SCHEMA)
    pq.write_table(table, out / GROUND_TRUTH_FILE, row_group_size=3)
    return out


@pytest.fixture(scope="module")
def truth(folder):
    return GroundTruth(folder)


def test_rows_match_table(folder, truth):
    table = pq.read_table(folder / "ground_truth.parquet").to_pylist()
    assert len(truth) == len(table) == 16
    assert truth.videos["0001/00.mp4"] == range(8, 12)
    for video, rows in truth.videos.items():
        for frame, index in enumerate(rows):
            row = truth.row(index)
            assert (row["video"], row["frame"]) == (video, frame)
            for name, value in table[index].items():
                np.testing.assert_array_equal(row[name], value)
    assert truth.row(3)["motion"].dtype == np.float32
    # Across a row group's end.
    assert [(row["video"], row["frame"]) for row in truth.rows(range(2, 6))] == [
        ("0000/00.mp4", 2),
        ("0000/00.mp4", 3),
        ("0000/01.mp4", 0),
        ("0000/01.mp4", 1),
    ]
    for rows in (range(-1, 2), range(15, 17)):
        with pytest.raises(IndexError, match="has 16 rows"):
            list(truth.rows(rows))


def test_ground_truth_self_equals_frame(truth):
    for index in (0, 7, 15):
        row, frame = truth.row(index), truth.answer(index, index)
        np.testing.assert_array_equal(frame.mesh.ravel(), row["mesh"])
        assert frame.image.shape == (64, 64, 3)
        assert tuple(row["camera"]) == (frame.camera.distance, frame.camera.focal, *frame.camera.center)


def test_ground_truth_cross_is_source_with_driving_motion(truth):
    source, driving = 1, 14
    person, driver = truth.row(source), truth.row(driving)
    expected = render(
        sample_identity(person["identity_seed"]),
        driver["motion"],
        96,
        gaze=driver["gaze"],
        scene=sample_scene(person["scene_seed"]),
    )
    answer = truth.answer(source, driving, 96)
    np.testing.assert_array_equal(answer.image, expected.image)
    np.testing.assert_array_equal(answer.mesh, expected.mesh)
    own, others = (truth.answer(row, row, 96) for row in (source, driving))
    assert answer.camera == own.camera != others.camera
    assert np.abs(answer.landmarks - own.landmarks).max() > 1
    assert np.abs(answer.landmarks - others.landmarks).max() > 1


def test_ground_truth_other_data_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match=r"holds no ground_truth\.parquet"):
        GroundTruth(tmp_path)
    path = tmp_path / "ground_truth.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(ValueError, match="cannot read"):
        GroundTruth(tmp_path)
    pq.write_table(pa.table({"video": ["a.mp4"], "motion": [[0.0] * 20]}), path)
    with pytest.raises(ValueError, match="other columns"):
        GroundTruth(tmp_path)
    shutil.copy(folder / "ground_truth.parquet", path)
    assert len(GroundTruth(str(tmp_path))) == 16
