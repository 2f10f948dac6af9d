import json
from collections import Counter

import pytest
from tests.facegan.io.video_files import write_video
from tests.facegan.preparation.small import prepare_small

from facegan.errors import InputError
from facegan.preparation import find_faceforensics

YOUTUBE = ("000", "001", "002", "003", "004", "005")
ACTORS = ("01__kitchen_pan", "01__exit_phone_room", "28__kitchen_pan")


def write(root, quality="c23"):
    """Write FaceForensics++ in miniature: original and manipulated sequences, split lists."""
    for kind, names in (("youtube", YOUTUBE), ("actors", ACTORS)):
        for name in names:
            path = root / f"original_sequences/{kind}/{quality}/videos/{name}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode())
    fake = root / "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4"
    fake.parent.mkdir(parents=True, exist_ok=True)
    fake.touch()
    (root / "splits").mkdir(exist_ok=True)
    for split, pairs in {
        "train": [["000", "003"]],
        "val": [["001", "004"]],
        "test": [["002", "005"]],
    }.items():
        (root / f"splits/{split}.json").write_text(json.dumps(pairs))
    return root


def test_find_faceforensics_finds_originals_with_official_splits(tmp_path):
    source = find_faceforensics(write(tmp_path))
    clips = {clip.video: clip for clip in source.clips}
    assert set(clips) == {f"youtube/{name}" for name in YOUTUBE} | {f"actors/{name}" for name in ACTORS}
    assert {name: clips[f"youtube/{name}"].split for name in YOUTUBE} == {
        **{"000": "train", "003": "train", "001": "val", "004": "val", "002": "test", "005": "test"}
    }
    assert clips["actors/01__kitchen_pan"].identity == clips["actors/01__exit_phone_room"].identity
    assert clips["actors/01__kitchen_pan"].identity != clips["actors/28__kitchen_pan"].identity
    assert clips["actors/28__kitchen_pan"].split is None
    assert len({clip.identity for clip in source.clips}) == len(YOUTUBE) + 2


def test_find_faceforensics_with_sequences_of_one_video_gives_one_identity(tmp_path):
    write(tmp_path)
    names = {"000": "aYsTzPzkRVk 0", "002": "aYsTzPzkRVk 2"} | {n: f"own{n} 0" for n in YOUTUBE[3:]}
    (tmp_path / "conversion_dict.json").write_text(json.dumps(names))
    clips = {clip.video: clip for clip in find_faceforensics(tmp_path).clips}
    same = [clips["youtube/000"], clips["youtube/002"]]
    assert same[0].identity == same[1].identity
    assert [clip.split for clip in same] == ["test", "test"]


def test_find_faceforensics_without_quality_takes_best(tmp_path):
    write(write(tmp_path, "c40"), "c23")
    assert "c23" in find_faceforensics(tmp_path).clips[0].path.parts
    assert "c40" in find_faceforensics(tmp_path, quality="c40").clips[0].path.parts
    with pytest.raises(InputError, match="has no videos of quality raw: there is c23, c40"):
        find_faceforensics(tmp_path, quality="raw")


def test_find_faceforensics_with_paper_splits_takes_400_youtube_videos(tmp_path):
    folder = tmp_path / "original_sequences/youtube/c23/videos"
    folder.mkdir(parents=True)
    for number in range(1000):
        (folder / f"{number:03d}.mp4").touch()
    write(tmp_path)
    clips = find_faceforensics(tmp_path, splits="paper").clips
    assert len({clip.video for clip in clips}) == 400
    assert Counter(clip.split for clip in clips) == {"test": 400}
    assert all(clip.video.startswith("youtube/") for clip in clips)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: (root / "splits/val.json").unlink(), "no splits/val.json"),
        (lambda root: (root / "splits/val.json").write_text("{"), "cannot read .*val.json as JSON"),
        (lambda root: (root / "splits/val.json").write_text("{}"), "holds no list"),
        (lambda root: (root / "conversion_dict.json").write_text("[]"), "holds no dict"),
        (lambda root: (root / "original_sequences").rename(root / "sequences"), "name the data set's root"),
    ],
)
def test_find_faceforensics_with_missing_files_raises(tmp_path, spoil, message):
    spoil(write(tmp_path))
    with pytest.raises(InputError, match=message):
        find_faceforensics(tmp_path)


def test_prepare_faceforensics_keeps_official_splits(heads, tmp_path):
    write(tmp_path / "ff")
    for name, frames in zip(("000", "001", "002"), heads, strict=True):
        path = tmp_path / f"ff/original_sequences/youtube/c23/videos/{name}.mp4"
        path.unlink()
        write_video(path, [frame.image for frame in frames], crf="12")
    source = find_faceforensics(tmp_path / "ff")
    summary = prepare_small(source, tmp_path / "data")
    assert {name: counts.videos for name, counts in summary.splits.items()} == {
        "train": 1,
        "val": 1,
        "test": 1,
    }
    assert len(summary.skipped) == 6
