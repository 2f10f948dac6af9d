"""The page about a data set."""

import base64
import re
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.facegan.io.video_files import write_video
from tests.facegan.preparation.small import prepare_small

from facegan.geometry.motion import MOTION_NAMES
from facegan.preparation import find_videos
from facegan.preparation.dataset_report import THUMBNAIL, histograms, warnings
from facegan.preparation.prepare import Counts, Summary


def test_bars_are_counts_of_equal_bins_and_the_ends_take_what_is_beyond():
    values = np.array([[-90.0], [-60.0], [0.1], [0.2], [70.0]])
    (found,) = histograms(values, ("yaw",), -60, 60)
    assert found.bars[0] == found.bars[12] == 1
    assert found.bars[-1] == 0.5
    assert sum(found.bars) == 2.5
    assert found.middle == pytest.approx(0.1)


def test_a_page_that_needs_no_other_file_tells_the_counts(people, tmp_path):
    summary = prepare_small(find_videos(people), tmp_path / "data")
    page = (tmp_path / "data/report.html").read_text(encoding="utf-8")
    assert "12 crops of 3 people in 3 tracks" in " ".join(page.split())
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert page.count("<svg") == len(MOTION_NAMES)
    for video, reason in summary.skipped.items():
        assert f"<td>{video}</td>" in page
        assert reason.replace("'", "&#39;") in page
    sheet = base64.b64decode(re.search(r"base64,([^\"]+)", page)[1])
    image = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (THUMBNAIL, 12 * THUMBNAIL, 3)
    pictures = image.reshape(THUMBNAIL, 12, THUMBNAIL, 3).mean(axis=(0, 2, 3))
    assert (pictures[:3] < 200).all()
    assert (pictures[3:] > 250).all()


def test_names_are_text(heads, tmp_path):
    write_video(tmp_path / "videos/<b>ann" / "a&b.mp4", [frame.image for frame in heads[0]])
    prepare_small(find_videos(tmp_path / "videos"), tmp_path / "data")
    page = (tmp_path / "data/report.html").read_text(encoding="utf-8")
    assert "<b>ann" not in page
    assert "&lt;b&gt;ann" in page


def motion(**spread):
    """Of 200 crops, all numbers of which vary but those that are given."""
    random = np.random.default_rng(0)
    values = random.uniform(0, 1, (200, len(MOTION_NAMES)))
    for name, size in spread.items():
        values[:, MOTION_NAMES.index(name)] *= size
    return values


def test_what_is_one_sided_is_warned_of():
    summary = Summary(
        Path("data"), Counts(3, 3, 3, 100), {"train": Counts(3), "val": Counts(), "test": Counts(1)}
    )
    summary.rejected = Counter({"too small": 101})
    found = " ".join(warnings(summary, np.array([80, 10, 10]), motion(yaw=0.01, AU12=0.05)))
    assert "One person has 80%" in found
    assert "Nobody is in the val split" in found
    assert "Heads hardly turn: yaw" in found
    assert "Hardly ever seen: AU12." in found
    assert "(101) than used (100)" in found


def test_a_good_data_set_has_no_warnings():
    splits = dict.fromkeys(("train", "val", "test"), Counts(1))
    good = Summary(Path("data"), Counts(5, 5, 5, 100), splits)
    assert warnings(good, np.full(5, 20), motion()) == []
