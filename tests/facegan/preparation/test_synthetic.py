import json
import shutil

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from facegan.data import FaceCrops
from facegan.errors import InputError
from facegan.geometry.crop import Crop
from facegan.geometry.landmarks import LEFT_EYE, RIGHT_EYE, denormalize_points
from facegan.preparation import PrepareConfig
from facegan.preparation.dataset_format import SCHEMA
from facegan.preparation.synthetic import prepare_synthetic, smooth_labels
from synthetic_heads import GroundTruth

pytestmark = pytest.mark.slow

SIZE = 64


def rows(out):
    return pq.read_table(sorted(out.glob("shard-*.parquet"))).to_pylist()


def decode(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.fixture(scope="module")
def exact(talking_heads, tmp_path_factory):
    out = tmp_path_factory.mktemp("exact") / "data"
    return prepare_synthetic(talking_heads, out, PrepareConfig(SIZE, 30), workers=1, progress=False), out


def test_prepare_synthetic_rows_equal_ground_truth(exact, talking_heads):
    summary, out = exact
    assert (summary.total.identities, summary.total.tracks, summary.total.crops) == (4, 4, 80)
    assert not summary.skipped
    assert pq.read_schema(out / "shard-00000.parquet").equals(SCHEMA)
    truth = GroundTruth(talking_heads)
    for row in rows(out):
        known = truth.row(truth.videos[f"{row['video']}.mp4"][row["frame"]])
        np.testing.assert_array_equal(row["motion"], known["motion"])
        assert row["identity"] == known["identity"]
        assert row["time"] == pytest.approx(known["time"], abs=1e-3)
        assert row["confidence"] == 1
        assert np.isnan(row["blendshapes"]).all()
        crop = Crop(*row["crop"])
        points = denormalize_points(np.array(row["landmarks"]).reshape(68, 2), SIZE)
        drawn = known["landmarks"].reshape(68, 2)
        np.testing.assert_allclose(crop.to_frame(points, SIZE), drawn, atol=1e-3)
        labels = crop.cut_labels(decode(known["segmentation"]), SIZE)
        np.testing.assert_array_equal(decode(row["segmentation"]), smooth_labels(labels))


@pytest.mark.parametrize("size", [128, 256, 512])
def test_strands_and_gaps_are_no_regions(size):
    """Smooth outlines stay where they are; what is thinner than a hundredth of the side goes."""
    y, x = np.mgrid[:size, :size] / size
    head = np.where(np.hypot(x - 0.5, y - 0.55) < 0.3, 2, 0)
    head[np.hypot(x - 0.5, y - 0.6) < 0.2] = 1
    np.testing.assert_array_equal(
        smooth_labels(head[:, ::-1].astype(np.uint8)), smooth_labels(head.astype(np.uint8))[:, ::-1]
    )
    smooth = smooth_labels(head.astype(np.uint8))
    for label in (1, 2):
        assert np.logical_xor(smooth == label, head == label).sum() < 0.01 * (head == label).sum()
    frayed = head.copy()
    thin = max(size // 128, 1)
    strand, gap = size // 16, size // 2
    frayed[: size // 4, strand : strand + thin] = 2
    frayed[int(0.26 * size) : int(0.38 * size), gap : gap + thin] = 0
    cleaned = smooth_labels(frayed.astype(np.uint8))
    assert not cleaned[: size // 5, : size // 8].any()
    assert (cleaned[int(0.28 * size) : int(0.36 * size), gap - 2 : gap + 3] == 2).all()
    straight = np.repeat(np.arange(size) >= size // 3, size).reshape(size, size).astype(np.uint8)
    np.testing.assert_array_equal(smooth_labels(straight), straight)


def test_prepare_synthetic_matches_detectors_with_exact_values(exact, prepared):
    """Where a face is, and how it is cut out, is what the detectors find on the same videos."""
    seen = {(row["video"], row["frame"]): row for row in rows(prepared)}
    assert len(seen) == 80
    distances, pictures, overlaps = [], [], []
    for row in rows(exact[1]):
        other = seen[row["video"], row["frame"]]
        for name in ("identity", "split", "track", "time", "fps"):
            assert row[name] == other[name]
        ours, theirs = (
            Crop(*one["crop"]).to_frame(
                denormalize_points(np.array(one["landmarks"]).reshape(68, 2), SIZE), SIZE
            )
            for one in (row, other)
        )
        eyes = np.linalg.norm(ours[list(RIGHT_EYE)].mean(axis=0) - ours[list(LEFT_EYE)].mean(axis=0))
        distances.append(np.linalg.norm(ours - theirs, axis=1).mean() / eyes)
        ours, theirs = (decode(one["image"]).astype(float) for one in (row, other))
        pictures.append(np.abs(ours - theirs).mean())
        ours, theirs = (decode(one["segmentation"]) > 0 for one in (row, other))
        overlaps.append((ours & theirs).sum() / (ours | theirs).sum())
    assert np.median(distances) < 0.08
    assert np.median(pictures) < 12
    assert np.median(overlaps) > 0.8


def test_prepare_synthetic_is_read_by_face_crops(exact, prepared):
    mine, theirs = (json.loads((out / "dataset.json").read_text()) for out in (exact[1], prepared))
    assert mine["source"]["kind"] == "synthetic"
    assert mine.keys() == theirs.keys()
    assert mine["counts"] == theirs["counts"]
    crops = FaceCrops(exact[1], "train")
    assert crops.landmarks.shape == (40, 68, 2)
    assert crops.segmentation(0).unique().tolist() == [0, 1, 2]


def test_workers_change_nothing(exact, talking_heads, tmp_path):
    prepare_synthetic(talking_heads, tmp_path / "out", PrepareConfig(SIZE, 30), workers=2, progress=False)
    for path in exact[1].iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


def test_prepare_synthetic_missing_ground_truth_is_refused(talking_heads, tmp_path):
    videos, out = tmp_path / "videos", tmp_path / "out"
    videos.mkdir()
    for name in ("0000", "0001"):
        shutil.copytree(talking_heads / name, videos / name)
    with pytest.raises(InputError, match=r"holds no ground_truth\.parquet"):
        prepare_synthetic(videos, out, progress=False)
    shutil.copy(talking_heads / "ground_truth.parquet", videos)
    (videos / "dataset.json").touch()
    with pytest.raises(InputError, match="holds the input"):
        prepare_synthetic(videos, videos, overwrite=True)
    (videos / "0001/00.mp4").rename(videos / "0001/mine.mp4")
    summary = prepare_synthetic(
        videos, out, PrepareConfig(32, 30, frame_stride=2, max_frames=3), workers=1, progress=False
    )
    assert summary.skipped == {"0001/mine": "ground_truth.parquet does not describe it"}
    assert [row["frame"] for row in rows(out)] == [0, 2, 4]
    with pytest.raises(InputError, match="no usable face"):
        prepare_synthetic(videos, tmp_path / "far", PrepareConfig(min_face=500), workers=1, progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "videos"]
