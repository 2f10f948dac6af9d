import json
import os
import resource
import shutil
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.facegan.io.video_files import write_video
from tests.facegan.preparation.small import prepare_small

from facegan.errors import InputError
from facegan.geometry.crop import Crop
from facegan.geometry.landmarks import OUTER_LIPS, denormalize_points, interocular_center, landmarks_from_mesh
from facegan.preparation import SCHEMA, Settings, find_videos, plan, prepare

SIZE = 64


def rows(out):
    return pq.read_table(sorted(out.glob("shard-*.parquet"))).to_pylist()


def image(row, name="image"):
    return cv2.imdecode(np.frombuffer(row[name], np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.fixture(scope="module")
def prepared(people, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared") / "data"
    return prepare_small(find_videos(people), out), out


def test_summary(prepared):
    summary, out = prepared
    assert summary.out == out
    assert (summary.total.identities, summary.total.videos, summary.total.tracks) == (3, 3, 3)
    assert summary.total.crops == 12
    assert [counts.identities for counts in summary.splits.values()] == [1, 1, 1]
    assert sum(counts.crops for counts in summary.splits.values()) == 12
    assert summary.frames == 15
    assert summary.ignored == 2
    assert set(summary.skipped) == {"bob/empty", "cy/noise", "nobody"}
    assert "the file is empty" in summary.skipped["bob/empty"]
    assert summary.skipped["nobody"] == "no usable face (none seen)"
    described = json.loads((out / "dataset.json").read_text(encoding="utf-8"))
    assert described["size"] == SIZE
    assert described["counts"]["crops"] == 12
    assert described["skipped"] == summary.skipped
    assert described["settings"]["min_face"] == 30


def test_rows(prepared):
    _, out = prepared
    assert sorted(path.name for path in out.iterdir()) == [
        "dataset.json",
        "manifest.jsonl",
        "report.html",
        "shard-00000.parquet",
    ]
    table = rows(out)
    assert pq.read_schema(out / "shard-00000.parquet").equals(SCHEMA)
    assert [(row["video"], row["identity"], row["frame"]) for row in table] == [
        (f"{name}/talk", name, frame) for name in ("ann", "bob", "cy") for frame in range(4)
    ]
    assert len({(row["identity"], row["split"]) for row in table}) == 3
    np.testing.assert_allclose([row["time"] for row in table], [0, 0.04, 0.08, 0.12] * 3)
    for row in table:
        assert row["fps"] == 25
        assert image(row).shape == (SIZE, SIZE, 3)
        assert set(np.unique(image(row, "segmentation"))) == {0, 1, 2}
        assert row["confidence"] >= 0.5
        points = np.array(row["landmarks"]).reshape(68, 2)
        np.testing.assert_allclose(interocular_center(points), [0, 2 * 0.42 - 1], atol=1e-5)
        mesh = np.array(row["mesh"]).reshape(478, 3)
        np.testing.assert_array_equal(landmarks_from_mesh(mesh), points)
        assert 0.1 < np.ptp(mesh[:, 2]) < 2
    sides = {row["video"]: row["crop"][2] for row in table}
    assert all(row["crop"][2] == sides[row["video"]] for row in table)


def test_landmarks_and_crops_lie_on_the_drawn_heads(prepared, heads):
    for row, drawn in zip(rows(prepared[1]), [frame for frames in heads for frame in frames], strict=True):
        crop = Crop(*row["crop"])
        points = denormalize_points(np.array(row["landmarks"]).reshape(68, 2), SIZE)
        error = np.linalg.norm(crop.to_frame(points, SIZE) - drawn.landmarks, axis=-1).mean()
        assert error < 0.05 * np.ptp(drawn.landmarks[:, 0])
        expected = crop.cut(drawn.image, SIZE)[..., ::-1]
        assert np.abs(image(row).astype(int) - expected).mean() < 6
        face = crop.cut((drawn.segmentation == 1).astype(np.uint8), SIZE)
        seen = image(row, "segmentation") == 1
        assert (seen & (face == 1)).sum() / (seen | (face == 1)).sum() > 0.7


def test_several_workers_make_the_same(prepared, people, tmp_path):
    summary = prepare_small(find_videos(people), tmp_path / "data", workers=2)
    assert summary.total == prepared[0].total
    for path in prepared[1].iterdir():
        assert (tmp_path / "data" / path.name).read_bytes() == path.read_bytes()


def test_two_people_in_one_video(heads, tmp_path):
    pair = [np.hstack([a.image, b.image]) for a, b in zip(heads[0], heads[1], strict=True)]
    write_video(tmp_path / "videos" / "pair.mp4", pair * 2)
    out = tmp_path / "data"
    summary = prepare_small(find_videos(tmp_path / "videos"), out, every=2, max_frames=3)
    assert summary.frames == 3
    assert summary.total.tracks == 2
    table = rows(out)
    assert [(row["track"], row["frame"]) for row in table] == [(t, f) for t in (0, 1) for f in (0, 2, 4)]
    assert {row["split"] for row in table} == {"train"}
    centers = [row["crop"][0] + row["crop"][2] / 2 for row in table]
    assert {center > 128 for center in centers[:3]} != {center > 128 for center in centers[3:]}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"min_face": 100}, "too small"),
        ({"min_confidence": 1.0}, "uncertain"),
        ({"max_frames": 1}, "short track"),
    ],
)
def test_unusable_faces(people, tmp_path, settings, reason):
    with pytest.raises(InputError, match=f"no usable face in .*{reason}"):
        prepare_small(find_videos(people / "ann"), tmp_path / "data", **settings)
    assert not list(tmp_path.iterdir())


def test_faces_outside_the_picture(heads, tmp_path):
    chin = int(heads[0][0].landmarks[OUTER_LIPS, 1].mean())
    write_video(tmp_path / "videos" / "a.mp4", [frame.image[: chin // 2 * 2] for frame in heads[0]])
    write_video(tmp_path / "videos" / "b.mp4", [frame.image for frame in heads[1]])
    summary = prepare_small(find_videos(tmp_path / "videos"), tmp_path / "data")
    assert summary.rejected == {"outside the picture": 4}
    assert summary.skipped == {"a": "no usable face (4 outside the picture)"}
    assert {row["video"] for row in rows(tmp_path / "data")} == {"b"}


def test_an_interrupted_preparation_continues(prepared, people, tmp_path, monkeypatch):
    out, seen, real = tmp_path / "data", [], prepare.prepare_clip

    def until_the_second(clip, *how):
        seen.append(clip.video)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(clip, *how)

    monkeypatch.setattr(prepare, "prepare_clip", until_the_second)
    with pytest.raises(KeyboardInterrupt):
        prepare_small(find_videos(people), out)
    assert not out.exists()
    summary = prepare_small(find_videos(people), out)
    assert seen == ["ann/talk", "bob/empty", "bob/talk", "bob/talk", "cy/noise", "cy/talk", "nobody"]
    assert summary.skipped == prepared[0].skipped
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    for path in prepared[1].iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes()


def test_a_full_disk_leaves_nothing(people, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OSError, match=r"large|space"):
            prepare_small(find_videos(people), tmp_path / "data")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_kept_unless_told(prepared, people, tmp_path):
    out = tmp_path / "data"
    shutil.copytree(prepared[1], out)
    (out / "dataset.json").write_text("{}")
    with pytest.raises(InputError, match="not empty"):
        prepare_small(find_videos(people), out)
    assert (out / "dataset.json").read_text() == "{}"
    prepare_small(find_videos(people), out, overwrite=True)
    assert (out / "dataset.json").read_bytes() == (prepared[1] / "dataset.json").read_bytes()


@pytest.mark.parametrize(
    "settings", [{"size": 0}, {"every": 0}, {"max_frames": 0}, {"min_face": -1}, {"workers": -1}]
)
def test_settings_out_of_range(people, tmp_path, settings):
    with pytest.raises(InputError, match=f"{next(iter(settings))} is .*: it must be"):
        prepare_small(find_videos(people), tmp_path / "data", **settings)


@pytest.mark.skipif("FACEGAN_REAL_CLIPS" not in os.environ, reason="needs a folder of real clips")
def test_real_clips(tmp_path):
    clips = sorted((Path(os.environ["FACEGAN_REAL_CLIPS"]) / "videos").iterdir())[::30]
    (tmp_path / "videos").mkdir()
    for clip in clips:
        (tmp_path / "videos" / clip.name).symlink_to(clip)
    summary = prepare_small(
        find_videos(tmp_path / "videos"), tmp_path / "data", size=128, max_frames=8, workers=1
    )
    assert summary.total.videos == len(clips)
    assert summary.total.crops >= 0.9 * summary.frames
    for row in rows(tmp_path / "data"):
        labels = image(row, "segmentation")
        assert 0.1 < (labels == 1).mean() < 0.5
        assert 0.2 < (labels == 0).mean() < 0.8


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(people, tmp_path):
    said = plan(find_videos(people), tmp_path / "data", Settings(size=64, min_face=30))
    assert "6 videos of 4 people" in said
    assert "other files: 2" in said
    assert "already done by an interrupted run: 0" in said
    assert not list(tmp_path.iterdir())


def test_a_dry_run_knows_what_an_interrupted_run_has_done(people, tmp_path, monkeypatch):
    source, out = find_videos(people), tmp_path / "data"
    real = prepare.prepare_clip

    def interrupt(clip, *rest):
        if clip.video == "cy/talk":
            raise KeyboardInterrupt
        return real(clip, *rest)

    monkeypatch.setattr(prepare, "prepare_clip", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare_small(source, out)
    settings = Settings(size=64, min_face=30)
    done = [clip.video for clip in source.clips].index("cy/talk")
    assert f"interrupted run: {done}" in plan(source, out, settings)
    assert "interrupted run: 0" in plan(source, out, Settings(size=96, min_face=30))


def test_one_strange_video_does_not_stop_the_others(people, tmp_path, monkeypatch):
    real = prepare.prepare_clip

    def strange(clip, *rest):
        if clip.identity == "bob":
            msg = "of no use\nto anybody"
            raise ValueError(msg)
        return real(clip, *rest)

    monkeypatch.setattr(prepare, "prepare_clip", strange)
    summary = prepare_small(find_videos(people), tmp_path / "data")
    assert summary.skipped["bob/talk"] == "ValueError: of no use to anybody"
    assert summary.total.identities == 2


def test_frames_a_second(people, tmp_path):
    """Of four frames at 25 a second: those at or after 0 and 1/12 s."""
    prepare_small(find_videos(people), tmp_path / "data", rate=12)
    assert {row["frame"] for row in rows(tmp_path / "data")} == {0, 3}
