import csv

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.facegan.preparation.small import prepare_small

from facegan.errors import InputError
from facegan.preparation import find_ijbc

COLUMNS = [
    *("SUBJECT_ID", "FILENAME", "FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT", "SIGHTING_ID"),
    *("FACIAL_HAIR", "AGE", "INDOOR_OUTDOOR", "SKINTONE", "GENDER", "YAW", "ROLL"),
    *(f"OCC{number}" for number in range(1, 19)),
]
SIDE = 128


def write_metadata(path, rows, columns=COLUMNS):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="0", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def row(subject, name, box, sighting):
    x, y, width, height = box
    return {
        **{"SUBJECT_ID": subject, "FILENAME": name, "SIGHTING_ID": sighting},
        **{"FACE_X": x, "FACE_Y": y, "FACE_WIDTH": width, "FACE_HEIGHT": height},
    }


@pytest.fixture
def root(heads, tmp_path):
    """IJB-C in miniature: two subjects in each frame, one face of each in the metadata; a photograph."""
    folder = tmp_path / "IJB-C"
    for kind in ("frames", "img"):
        (folder / "images" / kind).mkdir(parents=True)
    rows = []
    for number in range(4):
        left, right = heads[0][number].image, heads[1][number].image
        pair = cv2.cvtColor(np.concatenate([left, right], axis=1), cv2.COLOR_RGB2BGR)
        name = f"frames/900_{8 + number:05d}.png"
        cv2.imwrite(str(folder / "images" / name), pair)
        rows.append(row("7", name, (0, 0, SIDE, SIDE), "41"))
        rows.append(row("12", name, (SIDE, 0, SIDE, SIDE), "42"))
    cv2.imwrite(str(folder / "images/img/5.jpg"), pair)
    rows.append(row("7", "img/5.jpg", (0, 0, SIDE, SIDE), "43"))
    write_metadata(folder / "protocols/ijbc_metadata.csv", rows)
    return folder


def test_find_ijbc_groups_frames_by_subject_and_sighting(root):
    source = find_ijbc(root)
    assert [(clip.video, clip.identity, len(clip.images)) for clip in source.clips] == [
        ("12/42", "12", 4),
        ("7/41", "7", 4),
    ]
    assert source.ignored == 1
    names = [image.path.name for image in source.clips[0].images]
    assert names == ["900_00008.png", "900_00009.png", "900_00010.png", "900_00011.png"]


def test_find_ijbc_without_sighting_column_uses_frame_names(root):
    """As in the older distributions."""
    path = root / "protocols/ijbc_metadata.csv"
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    write_metadata(path, rows, [column for column in COLUMNS if column != "SIGHTING_ID"])
    assert [clip.video for clip in find_ijbc(root).clips] == ["12/900", "7/900"]


def test_find_ijbc_with_missing_frames_and_subjects_skips_them(root):
    (root / "images/frames/900_00009.png").unlink()
    with (root / "protocols/ijbc_metadata.csv").open("a") as stream:
        stream.write("nan,frames/900_00008.png,1,1,9,9,44" + ",0" * 25 + "\n")
    source = find_ijbc(root)
    assert {len(clip.images) for clip in source.clips} == {3}
    assert source.skipped == {
        "frames/900_00009.png": "in the metadata, but not in the folder",
        "frames/900_00008.png": "no subject in the metadata",
    }


def test_prepare_ijbc_uses_face_in_box(root, heads, tmp_path):
    prepare_small(find_ijbc(root), tmp_path / "data")
    table = pq.read_table(sorted((tmp_path / "data").glob("*.parquet"))).to_pylist()
    assert [(r["identity"], r["frame"]) for r in table] == [(p, f) for p in ("12", "7") for f in range(4)]
    for r in table:
        seed, offset = (0, 0) if r["identity"] == "7" else (1, SIDE)
        true = heads[seed][r["frame"]].landmarks.mean(axis=0) + np.array((offset, 0))
        x, y, side = r["crop"]
        middle = np.array(r["landmarks"]).reshape(-1, 2).mean(axis=0)
        np.testing.assert_allclose((middle + 1) / 2 * side + (x, y), true, atol=3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SUBJECT_ID,FILENAME\n1,frames/1.png\n", "lacks the columns FACE_X, FACE_Y"),
        (
            "SUBJECT_ID,FILENAME,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT\n1,frames/1.png,left,0,1,1\n",
            "line 2: could not convert",
        ),
        ("SUBJECT_ID,FILENAME,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT\n", "holds no frames"),
    ],
)
def test_find_ijbc_with_bad_metadata_raises(tmp_path, text, message):
    (tmp_path / "protocols").mkdir()
    (tmp_path / "protocols/ijbc_metadata.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        find_ijbc(tmp_path)


def test_find_ijbc_in_other_folder_raises(tmp_path):
    with pytest.raises(InputError, match="name IJB-C's root"):
        find_ijbc(tmp_path)
