import json
import resource
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.facegan.io.video_files import write_video
from tests.facegan.preparation.small import prepare_small

from facegan.cli import main
from facegan.errors import InputError
from facegan.geometry.crop import Crop
from facegan.geometry.landmarks import OUTER_LIPS, denormalize_points, interocular_center, landmarks_from_mesh
from facegan.preparation import find_videos, prepare
from facegan.preparation.dataset_format import SCHEMA

SIZE = 64


def rows(out):
    return pq.read_table(sorted(out.glob("shard-*.parquet"))).to_pylist()


def image(row, name="image"):
    return cv2.imdecode(np.frombuffer(row[name], np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.fixture(scope="module")
def prepared(people, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared") / "data"
    return prepare_small(find_videos(people), out), out


def test_prepare_videos_summarizes_crops_and_skipped_videos(prepared):
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
    assert summary.skipped["nobody"] == "no usable face (none detected)"
    described = json.loads((out / "dataset.json").read_text(encoding="utf-8"))
    assert described["size"] == SIZE
    assert described["counts"]["crops"] == 12
    assert described["skipped"] == summary.skipped
    assert described["settings"]["min_face"] == 30


def test_prepare_videos_writes_rows_of_schema(prepared):
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


def test_prepare_videos_of_synthetic_heads_agrees_with_ground_truth(prepared, heads):
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


@pytest.mark.slow
def test_prepare_videos_with_two_workers_writes_same_bytes(prepared, people, tmp_path):
    summary = prepare_small(find_videos(people), tmp_path / "data", workers=2)
    assert summary.total == prepared[0].total
    for path in prepared[1].iterdir():
        assert (tmp_path / "data" / path.name).read_bytes() == path.read_bytes()


def test_prepare_videos_with_two_faces_writes_two_tracks(heads, tmp_path):
    pair = [np.hstack([a.image, b.image]) for a, b in zip(heads[0], heads[1], strict=True)]
    write_video(tmp_path / "videos" / "pair.mp4", pair * 2)
    out = tmp_path / "data"
    summary = prepare_small(find_videos(tmp_path / "videos"), out, frame_stride=2, max_frames=3)
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
        ({"max_angle": 0}, "extreme pose"),
        ({"max_frames": 1}, "short track"),
    ],
)
def test_prepare_videos_without_usable_face_raises(people, tmp_path, settings, reason):
    with pytest.raises(InputError, match=f"no usable face in .*{reason}"):
        prepare_small(find_videos(people / "ann"), tmp_path / "data", **settings)
    assert not list(tmp_path.iterdir())


def test_prepare_videos_rejects_faces_outside_image(heads, tmp_path):
    chin = int(heads[0][0].landmarks[OUTER_LIPS, 1].mean())
    write_video(tmp_path / "videos" / "a.mp4", [frame.image[: chin // 2 * 2] for frame in heads[0]])
    write_video(tmp_path / "videos" / "b.mp4", [frame.image for frame in heads[1]])
    summary = prepare_small(find_videos(tmp_path / "videos"), tmp_path / "data")
    assert summary.rejected == {"outside the image": 4}
    assert summary.skipped == {"a": "no usable face (4 outside the image)"}
    assert {row["video"] for row in rows(tmp_path / "data")} == {"b"}


def test_prepare_videos_after_interruption_resumes(prepared, people, tmp_path, monkeypatch):
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


@pytest.mark.slow
def test_prepare_command_when_killed_resumes_to_same_bytes(prepared, people, tmp_path):
    """The parent is killed in the middle of the work, its workers are not."""
    out, work = tmp_path / "data", tmp_path / ".data.partial"
    line = ["prepare", "videos", str(people), "--out", str(out)]
    line += ["--size", "64", "--min-face", "30", "--workers", "2"]
    command = [sys.executable, "-m", "facegan", *line]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list(work.glob("*/result.json"))) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not out.exists()
    assert main(line) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    for path in prepared[1].iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes()


def test_prepare_videos_on_full_disk_removes_partial_result(people, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OSError, match=r"large|space"):
            prepare_small(find_videos(people), tmp_path / "data")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def test_prepare_videos_replaces_data_set_only_with_overwrite(prepared, people, tmp_path):
    out = tmp_path / "data"
    shutil.copytree(prepared[1], out)
    (out / "dataset.json").write_text("{}")
    with pytest.raises(InputError, match="not empty"):
        prepare_small(find_videos(people), out)
    assert (out / "dataset.json").read_text() == "{}"
    prepare_small(find_videos(people), out, overwrite=True)
    assert (out / "dataset.json").read_bytes() == (prepared[1] / "dataset.json").read_bytes()


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 0},
        {"frame_stride": 0},
        {"sample_fps": 0},
        {"max_frames": 0},
        {"min_face": -1},
        {"workers": -1},
    ],
)
def test_prepare_videos_with_option_out_of_range_raises(people, tmp_path, settings):
    with pytest.raises(InputError, match=f"{next(iter(settings))} is .*: it must be"):
        prepare_small(find_videos(people), tmp_path / "data", **settings)


@pytest.mark.real
def test_prepare_videos_of_real_people_uses_most_frames(real_clips, tmp_path):
    clips = sorted((real_clips / "videos").iterdir())[::30]
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


def test_prepare_videos_with_failing_video_skips_it(people, tmp_path, monkeypatch):
    real = prepare.prepare_clip

    def fail_for_bob(clip, *rest):
        if clip.identity == "bob":
            msg = "not\nsupported"
            raise ValueError(msg)
        return real(clip, *rest)

    monkeypatch.setattr(prepare, "prepare_clip", fail_for_bob)
    summary = prepare_small(find_videos(people), tmp_path / "data")
    assert summary.skipped["bob/talk"] == "ValueError: not supported"
    assert summary.total.identities == 2


def test_prepare_videos_with_sample_fps_takes_frames_at_those_times(people, tmp_path):
    """Of four frames at 25 fps, those at or after 0 and 1/12 s."""
    prepare_small(find_videos(people), tmp_path / "data", sample_fps=12)
    assert {row["frame"] for row in rows(tmp_path / "data")} == {0, 3}
