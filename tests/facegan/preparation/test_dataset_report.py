import base64
import re
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.facegan.io.video_files import write_video
from tests.facegan.preparation.small import prepare_small

from facegan.geometry.motion import ACTION_UNITS, MOTION_NAMES
from facegan.preparation import find_videos
from facegan.preparation.dataset_report import THUMBNAIL_SIZE, compute_histograms, find_imbalances
from facegan.preparation.summary import Counts, Summary


def test_compute_histograms_with_values_beyond_ends_counts_them_in_outer_bins():
    values = np.array([[-90.0], [-60.0], [0.1], [0.2], [70.0]])
    (found,) = compute_histograms(values, ("yaw",), -60, 60)
    assert found.bars[0] == found.bars[12] == 1
    assert found.bars[-1] == 0.5
    assert sum(found.bars) == 2.5
    assert found.median == pytest.approx(0.1)


def test_write_report_of_data_set_is_self_contained_page(people, tmp_path):
    summary = prepare_small(find_videos(people), tmp_path / "data")
    page = (tmp_path / "data/report.html").read_text(encoding="utf-8")
    assert "12 crops of 3 identities in 3 tracks" in " ".join(page.split())
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert page.count("<svg") == len(MOTION_NAMES)
    for video, reason in summary.skipped.items():
        assert f"<td>{video}</td>" in page
        assert reason.replace("'", "&#39;") in page
    thumbnails = base64.b64decode(re.search(r"base64,([^\"]+)", page)[1])
    image = cv2.imdecode(np.frombuffer(thumbnails, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (THUMBNAIL_SIZE, 12 * THUMBNAIL_SIZE, 3)
    crops = image.reshape(THUMBNAIL_SIZE, 12, THUMBNAIL_SIZE, 3).mean(axis=(0, 2, 3))
    assert (crops[:3] < 200).all()
    assert (crops[3:] > 250).all()


def test_write_report_with_markup_in_names_escapes_it(heads, tmp_path):
    write_video(tmp_path / "videos/<b>ann" / "a&b.mp4", [frame.image for frame in heads[0]])
    prepare_small(find_videos(tmp_path / "videos"), tmp_path / "data")
    page = (tmp_path / "data/report.html").read_text(encoding="utf-8")
    assert "<b>ann" not in page
    assert "&lt;b&gt;ann" in page


def make_motion(**scales):
    """Angles in degrees and intensities of 200 crops, some scaled by a factor."""
    values = np.random.default_rng(0).uniform(0, 1, (200, len(MOTION_NAMES)))
    values[:, len(ACTION_UNITS) :] *= 40
    for name, scale in scales.items():
        values[:, MOTION_NAMES.index(name)] *= scale
    return values[:, len(ACTION_UNITS) :], values[:, : len(ACTION_UNITS)]


def test_find_imbalances_of_one_sided_data_names_each():
    summary = Summary(
        Path("data"), Counts(3, 3, 3, 100), {"train": Counts(3), "val": Counts(), "test": Counts(1)}
    )
    summary.rejected = Counter({"too small": 101})
    found = " ".join(find_imbalances(summary, np.array([80, 10, 10]), *make_motion(yaw=0.01, AU12=0.05)))
    assert "One identity has 80%" in found
    assert "The val split has no identity" in found
    assert "Little head rotation: yaw" in found
    assert "Rare action units: AU12 in" in found
    assert "(101) than used (100)" in found


def test_find_imbalances_of_balanced_data_is_empty():
    splits = dict.fromkeys(("train", "val", "test"), Counts(1))
    good = Summary(Path("data"), Counts(5, 5, 5, 100), splits)
    assert find_imbalances(good, np.full(5, 20), *make_motion()) == []
