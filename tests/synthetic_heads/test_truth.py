import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facegan.errors import InputError
from facegan.preparation.synthesize import synthesize
from synthetic_heads import GroundTruth, render, sample_identity, sample_scene


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("truth") / "out"
    return synthesize(out, identities=2, clips=2, seconds=0.16, size=64, seed=3, workers=1, progress=False)


@pytest.fixture(scope="module")
def truth(folder):
    return GroundTruth(folder)


def test_rows_are_those_of_the_table(folder, truth):
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


def test_the_answer_to_oneself_is_the_frame_itself(truth):
    for index in (0, 7, 15):
        row, frame = truth.row(index), truth.answer(index, index)
        np.testing.assert_array_equal(frame.mesh.ravel(), row["mesh"])
        assert frame.image.shape == (64, 64, 3)
        assert tuple(row["camera"]) == (frame.camera.distance, frame.camera.focal, *frame.camera.center)


def test_the_answer_is_the_source_with_the_movement_of_the_driver(truth):
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


def test_what_is_no_ground_truth_is_refused(folder, tmp_path):
    with pytest.raises(InputError, match=r"holds no ground_truth\.parquet: name a folder that facegan synth"):
        GroundTruth(tmp_path)
    path = tmp_path / "ground_truth.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="cannot read"):
        GroundTruth(tmp_path)
    pq.write_table(pa.table({"video": ["a.mp4"], "motion": [[0.0] * 20]}), path)
    with pytest.raises(InputError, match="other columns"):
        GroundTruth(tmp_path)
    shutil.copy(folder / "ground_truth.parquet", path)
    assert len(GroundTruth(str(tmp_path))) == 16
