import json
import shutil

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from facegan.data import FaceCrops, dataset_info
from facegan.errors import InputError
from facegan.geometry.crop import Crop
from facegan.geometry.landmarks import denormalize_points, normalize_points
from facegan.geometry.motion import MOTION_NAMES
from facegan.io.video_reader import VideoReader


@pytest.fixture(scope="module")
def crops(prepared):
    return FaceCrops(prepared)


@pytest.fixture(scope="module")
def table(prepared):
    return pq.read_table(sorted(prepared.glob("*.parquet"))).to_pylist()


@pytest.fixture(scope="module")
def truth(talking_heads):
    """Video and frame to the drawn landmarks, in pixels of the frame, and the motion."""
    rows = pq.read_table(talking_heads / "ground_truth.parquet").to_pylist()
    return {
        (row["video"].removesuffix(".mp4"), row["frame"]): (
            np.array(row["landmarks"]).reshape(68, 2),
            np.array(row["motion"]),
        )
        for row in rows
    }


@pytest.fixture
def copy(prepared, tmp_path):
    """A data set that may be damaged."""
    shutil.copytree(prepared, tmp_path / "data")
    return tmp_path / "data"


def describe(folder, **changes):
    path = folder / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_face_crops_arrays_equal_table(crops, table):
    assert len(crops) == len(table) == 80
    for name, shape in (("landmarks", (68, 2)), ("motion", (20,))):
        expected = np.array([row[name] for row in table], np.float32).reshape(-1, *shape)
        np.testing.assert_array_equal(getattr(crops, name), expected)
    for name in ("video", "identity", "frame"):
        assert getattr(crops, name).tolist() == [row[name] for row in table]
    names = [(row["video"], row["track"]) for row in table]
    assert len(set(zip(names, crops.track.tolist(), strict=True))) == len(set(names)) == 4
    assert sorted(set(crops.track.tolist())) == [0, 1, 2, 3]


def test_face_crops_landmarks_agree_with_ground_truth(crops, table, truth):
    errors = []
    for index, row in enumerate(table):
        points, _ = truth[row["video"], row["frame"]]
        drawn = normalize_points(Crop(*row["crop"]).to_crop(points, crops.size), crops.size)
        eyes = np.linalg.norm(drawn[45] - drawn[36])
        errors.append(np.linalg.norm(crops.landmarks[index] - drawn, axis=1).mean() / eyes)
    assert np.mean(errors) < 0.05
    assert np.max(errors) < 0.1


def test_face_crops_motion_correlates_with_ground_truth(crops, truth):
    drawn = np.array([truth[key][1] for key in zip(crops.video.tolist(), crops.frame.tolist(), strict=True)])
    for name, least in (("yaw", 0.9), ("roll", 0.9), ("AU26", 0.6)):
        index = MOTION_NAMES.index(name)
        assert np.corrcoef(drawn[:, index], crops.motion[:, index])[0, 1] > least


def test_picture_equals_crop_of_video(crops, table, talking_heads):
    frames = {
        video: [image for _, _, image in VideoReader(talking_heads / f"{video}.mp4").frames()]
        for video in {row["video"] for row in table[::7]}
    }
    for index in range(0, len(table), 7):
        row = table[index]
        picture = crops.picture(index)
        assert picture.shape == (3, 64, 64)
        assert picture.dtype == torch.float32
        assert -1 <= picture.min() < -0.2 < 0.2 < picture.max() <= 1
        cut = Crop(*row["crop"]).cut(frames[row["video"]][row["frame"]], 64)
        expected = torch.from_numpy(cut).permute(2, 0, 1) / 127.5 - 1
        assert (picture - expected).abs().mean() < 0.03


def test_picture_of_black_and_white_spans_range(copy):
    """Black is -1, white is 1."""
    (shard,) = copy.glob("*.parquet")
    table = pq.read_table(shard)
    half = np.zeros((64, 64, 3), np.uint8)
    half[:, 32:] = 255
    half[:32, :, 0] = 0  # OpenCV's channels are blue, green, red: above, blue is missing
    png = cv2.imencode(".png", half)[1].tobytes()
    columns = {name: table[name].to_pylist() for name in table.column_names} | {"image": [png] * len(table)}
    pq.write_table(table.from_pydict(columns, table.schema), shard)
    picture = FaceCrops(copy).picture(0)
    assert picture[:, 40, 10].tolist() == [-1, -1, -1]
    assert picture[:, 40, 50].tolist() == [1, 1, 1]
    assert picture[:, 10, 50].tolist() == [1, 1, -1]


def test_segmentation_labels_face_at_landmarks(crops):
    for index in range(0, len(crops), 9):
        labels = crops.segmentation(index)
        assert labels.shape == (64, 64)
        assert set(labels.unique().tolist()) == {0, 1, 2}
        columns, rows = np.rint(denormalize_points(crops.landmarks[index, 27:], 64)).astype(int).T
        assert (labels.numpy()[rows, columns] == 1).mean() > 0.95


def test_face_crops_at_smaller_size_average_pixels(prepared, crops):
    small = FaceCrops(prepared, size=32)
    np.testing.assert_array_equal(small.landmarks, crops.landmarks)
    for index in (0, 30):
        expected = torch.nn.functional.avg_pool2d(crops.picture(index)[None], 2)[0]
        torch.testing.assert_close(small.picture(index), expected, atol=1.01 / 127.5, rtol=0)
        labels, large = small.segmentation(index), crops.segmentation(index)
        around = torch.stack([large[row::2, column::2] for row in (0, 1) for column in (0, 1)])
        assert (labels == around).any(dim=0).all()


def test_face_crops_splits_are_disjoint_and_complete(prepared, crops):
    splits = {split: FaceCrops(prepared, split) for split in ("train", "val", "test")}
    people = [set(part.identity.tolist()) for part in splits.values()]
    assert [len(names) for names in people] == [2, 1, 1]
    assert len(set.union(*people)) == 4
    assert sum(len(part) for part in splits.values()) == len(crops)
    for part in splits.values():
        assert set(part.track.tolist()) == set(range(len(set(part.identity.tolist()))))
        (places,) = np.nonzero(np.isin(crops.identity, part.identity))
        for index in (0, len(part) - 1):
            assert torch.equal(part.picture(index), crops.picture(places[index]))
            np.testing.assert_array_equal(part.landmarks[index], crops.landmarks[places[index]])


def test_face_crops_of_unknown_split_are_empty(prepared):
    empty = FaceCrops(prepared, "holiday")
    assert len(empty) == 0
    assert empty.landmarks.shape == (0, 68, 2)


def test_face_crops_larger_than_prepared_raises(prepared):
    with pytest.raises(InputError, match="crops of 64 pixels, 65 were asked for"):
        FaceCrops(prepared, size=65)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[1]", b"3", b"\xff\xfe\x00"])
def test_dataset_info_unreadable_raises(tmp_path, content):
    if content is not None:
        (tmp_path / "dataset.json").write_bytes(content)
    with pytest.raises(InputError, match="not a prepared data set") as caught:
        dataset_info(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("version", [None, 0, 1, 3, "2"])
def test_face_crops_of_other_version_raises_what_to_do(copy, version):
    describe(copy, version=version)
    with pytest.raises(
        InputError, match=f"format {version}, this version reads 2: prepare it again with facegan prepare"
    ):
        FaceCrops(copy)


def test_face_crops_without_shards_raises(copy):
    for shard in copy.glob("*.parquet"):
        shard.unlink()
    with pytest.raises(InputError, match="no Parquet shards"):
        FaceCrops(copy)


@pytest.mark.parametrize("keep", [0, 100, -100])
def test_face_crops_of_truncated_shard_raises(copy, keep):
    (shard,) = copy.glob("*.parquet")
    shard.write_bytes(shard.read_bytes()[:keep])
    with pytest.raises(InputError, match="prepare it again") as caught:
        FaceCrops(copy)
    assert "\n" not in str(caught.value)


def test_face_crops_of_zeroed_shard_raises(copy):
    (shard,) = copy.glob("*.parquet")
    content = bytearray(shard.read_bytes())
    content[1000:-20_000] = bytes(len(content) - 21_000)
    shard.write_bytes(content)
    with pytest.raises(InputError, match="prepare it again"):
        FaceCrops(copy).picture(40)


def damage_fourth_picture(folder):
    (shard,) = folder.glob("*.parquet")
    table = pq.read_table(shard)
    columns = {name: table[name].to_pylist() for name in table.column_names}
    columns["image"][3] = columns["image"][3][:20]
    pq.write_table(table.from_pydict(columns, table.schema), shard)


def test_picture_damaged_raises_which(copy):
    damage_fourth_picture(copy)
    damaged = FaceCrops(copy)
    damaged.picture(2)
    with pytest.raises(InputError, match=r"image of crop 3 in .* is damaged"):
        damaged.picture(3)


def test_face_crops_of_several_roots_concatenate(prepared, copy):
    alone, both = FaceCrops(prepared, "train"), FaceCrops([prepared, copy], "train")
    assert len(both) == 2 * len(alone)
    for name in ("landmarks", "motion", "time", "identity", "video"):
        one = getattr(alone, name)
        np.testing.assert_array_equal(getattr(both, name), np.concatenate([one, one]))
    for index in (0, len(alone) - 1):
        assert torch.equal(both.picture(index), alone.picture(index))
        assert torch.equal(both.picture(len(alone) + index), alone.picture(index))
        assert torch.equal(both.segmentation(len(alone) + index), alone.segmentation(index))
    # Videos of one name in two data sets are two.
    again = both.track[len(alone) :]
    assert not set(again) & set(both.track[: len(alone)])
    assert len(set(again)) == len(set(alone.track))


def test_face_crops_of_repeated_root_repeat(prepared):
    alone, twice = FaceCrops(prepared), FaceCrops([prepared, prepared])
    assert len(twice) == 2 * len(alone)
    assert len(set(twice.track)) == 2 * len(set(alone.track))
    source, driving = len(alone), len(alone) + 1
    for ours, theirs in zip(twice.background(source, driving), alone.background(0, 1), strict=True):
        assert torch.equal(ours, theirs)


def test_face_crops_of_several_roots_use_smallest_size(prepared, copy):
    describe(copy, size=32)
    assert FaceCrops([prepared, copy]).size == 32
    with pytest.raises(InputError, match=f"{copy} holds crops of 32 pixels, 64 were asked for"):
        FaceCrops([prepared, copy], size=64)


def test_image_damaged_in_one_root_raises_which(prepared, copy):
    damage_fourth_picture(copy)
    crops = FaceCrops([prepared, copy])
    assert crops.image(3).any()
    with pytest.raises(InputError, match=f"image of crop 3 in {copy} is damaged"):
        crops.image(len(crops) // 2 + 3)


def test_face_crops_of_no_root_raises():
    with pytest.raises(InputError, match="root is empty"):
        FaceCrops([])
