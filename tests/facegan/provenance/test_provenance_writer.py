from __future__ import annotations

import json

import av
import numpy as np
import pytest

from facegan.io.images import write_image
from facegan.io.video_reader import VideoReader
from facegan.io.video_writer import VideoWriter
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter, detect_provenance
from facegan.provenance.visible_label import draw_visible_label

CLAIM = ManifestClaim("model", ("facegan reenact",))


@pytest.fixture
def moved(heads, make_video, tmp_path):
    """What reenact writes: marked frames in H.264 at crf 18, signed."""
    driver, out = make_video("driver.mp4", heads), tmp_path / "moved.mp4"
    marker = ProvenanceWriter(ProvenanceConfig(), CLAIM)
    with VideoWriter.open(out, (128, 128), 25, marker, driver) as writer:
        for index, frame in enumerate(heads):
            writer.write(frame, index / 25)
    return out


def test_a_video_carries_both_marks(moved, tmp_path):
    found = detect_provenance(moved)
    assert found.kind == "video"
    assert found.frames == 30
    assert found.watermark_detected
    assert found.manifest.state == "valid"
    assert "made by a machine, and unchanged" in found.describe()
    assert not detect_provenance(tmp_path / "driver.mp4").watermark_detected
    with av.open(moved) as container:
        assert len(list(container.decode(video=0))) == 30
        assert container.streams.audio


def test_the_invisible_mark_survives_what_removes_the_manifest(moved, tmp_path):
    again = tmp_path / "again.mp4"
    with av.open(moved) as source, av.open(again, "w") as target:
        stream = target.add_stream("libx264", rate=25, options={"crf": "28"})
        stream.width = stream.height = 128
        stream.pix_fmt = "yuv420p"
        for frame in source.decode(video=0):
            target.mux(stream.encode(frame.reformat(format="yuv420p")))
        target.mux(stream.encode())
    found = detect_provenance(again)
    assert found.manifest is None
    assert found.watermark_detected
    assert "made by facegan; its Content Credentials were removed" in found.describe()


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "libx264"), ("avi", "mpeg4"), ("webm", "libvpx-vp9")])
def test_files_that_cannot_hold_a_manifest(heads, make_video, suffix, codec):
    marker = ProvenanceWriter(ProvenanceConfig(), CLAIM)
    frames = [marker.mark(frame) for frame in heads[:10]]
    found = detect_provenance(make_video(f"clip.{suffix}", frames, video=codec, sound=None))
    assert found.manifest is None
    assert found.watermark_detected


def test_a_picture_without_marks(tmp_path, photograph):
    write_image(tmp_path / "real.png", photograph)
    found = detect_provenance(tmp_path / "real.png")
    assert found.manifest is None
    assert not found.watermark_detected
    assert "does not mean that it is real" in found.describe()
    line = found.to_json()
    assert json.loads(line)["watermark"] is False
    assert "\n" not in line


@pytest.mark.parametrize("suffix", ["png", "jpg", "mp4"])
def test_not_enabled_changes_not_a_byte(tmp_path, photograph, heads, make_video, suffix):
    marker = ProvenanceWriter(ProvenanceConfig(marks=False, visible_label=True), CLAIM)
    assert marker.mark(photograph) is photograph
    path = tmp_path / f"made.{suffix}"
    if suffix == "mp4":
        make_video(path.name, heads[:4])
    else:
        write_image(path, photograph)
    before = path.read_bytes(), path.stat()
    marker.sign(path)
    assert (path.read_bytes(), path.stat()) == before


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (256, 256), (100, 900), (1080, 1920)])
def test_visible_label_is_small_and_in_a_corner(size):
    height, width = size
    image = np.full((height, width, 3), 120, np.uint8)
    marked = draw_visible_label(image)
    rows, columns = np.nonzero((marked != image).any(axis=2))
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert rows.min() > height / 2
    assert max(height - rows.max(), width - columns.max()) < 0.05 * min(size) + 6
    assert max(11, 0.05 * min(size)) <= tall <= max(12, 0.08 * min(size))
    assert 1.3 * tall < wide < 2 * tall
    assert marked.max() > 200  # letters
    assert marked.min() < 60  # on a dark ground
    assert (image == 120).all()


def test_mark_visible_label_is_drawn_if_configured(photograph):
    plain, labeled = (
        ProvenanceWriter(ProvenanceConfig(visible_label=label), CLAIM).mark(photograph)
        for label in (False, True)
    )
    corner = slice(230, None), slice(210, None)
    assert np.abs(plain[corner].astype(int) - labeled[corner]).max() > 50
    assert np.abs(plain[:128].astype(int) - labeled[:128]).max() < 16


def test_real_clips_are_not_taken_for_made_ones(real_clips, tmp_path):
    for clip in sorted(real_clips.rglob("*.mp4"))[:3]:
        found = detect_provenance(clip)
        assert found.manifest is None
        assert not found.watermark_detected
        _, _, frame = next(VideoReader(clip).frames())
        write_image(tmp_path / "marked.png", ProvenanceWriter(ProvenanceConfig(), CLAIM).mark(frame))
        assert detect_provenance(tmp_path / "marked.png").watermark_detected
