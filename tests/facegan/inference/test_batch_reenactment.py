from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from facegan.errors import InputError
from facegan.inference import reenact_all
from facegan.provenance import ProvenanceConfig

QUIET = {"provenance": ProvenanceConfig(marks=False), "progress": False}


@pytest.fixture
def files(tmp_path, photograph, heads, make_video):
    Image.fromarray(photograph).save(tmp_path / "me.png")
    Image.fromarray(np.full((64, 64, 3), 99, np.uint8)).save(tmp_path / "wall.png")
    Image.fromarray(heads[3]).save(tmp_path / "you.png")
    make_video("clip.mp4", heads[:4])
    return tmp_path


def test_reenact_batch_combines_all_sources_and_driving_files(animator, files):
    sources, drivings = [files / "me.png", files / "you.png"], [files / "clip.mp4", files / "you.png"]
    outcomes = list(reenact_all(animator, sources, drivings, files / "out", **QUIET))
    assert [outcome.out.name for outcome in outcomes] == [
        "me_clip.mp4",
        "me_you.png",
        "you_clip.mp4",
        "you_you.png",
    ]
    assert all(outcome.summary and outcome.out.is_file() for outcome in outcomes)
    with (files / "out" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["frames"] for row in rows] == ["4", "1", "4", "1"]
    assert {row["error"] for row in rows} == {""}


def test_reenact_batch_bad_files_do_not_stop_the_rest(animator, files):
    (files / "text.mp4").write_text("hello")
    sources = [files / "wall.png", files / "missing.jpg", files / "me.png"]
    drivings = [files / "text.mp4", files / "clip.mp4"]
    outcomes = list(reenact_all(animator, sources, drivings, files / "out", **QUIET))
    assert [outcome.summary is not None for outcome in outcomes] == [False] * 5 + [True]
    assert "no face" in outcomes[1].error
    assert "missing.jpg" in outcomes[3].error
    assert "text.mp4" in outcomes[4].error
    assert sorted(path.name for path in (files / "out").iterdir()) == ["me_clip.mp4", "results.csv"]
    with (files / "out" / "results.csv").open(newline="") as file:
        assert [bool(row["out"]) for row in csv.DictReader(file)] == [False] * 5 + [True]


def test_reenact_batch_keeps_existing_results(animator, files):
    out = files / "out"
    out.mkdir()
    (out / "me_you.png").write_text("old")
    (outcome,) = reenact_all(animator, [files / "me.png"], [files / "you.png"], out, **QUIET)
    assert "exists" in outcome.error
    assert (out / "me_you.png").read_text() == "old"


def test_reenact_batch_equal_names_raise_input_error(animator, files):
    (files / "other").mkdir()
    sources = [files / "me.png", files / "other" / "me.jpg"]
    with pytest.raises(InputError, match="two results would be called me_you"):
        list(reenact_all(animator, sources, [files / "you.png"], files / "out", **QUIET))


def test_reenact_batch_out_is_folder(animator, files):
    with pytest.raises(InputError, match=r"me\.png is a file"):
        list(reenact_all(animator, [files / "me.png"], [files / "you.png"], files / "me.png", **QUIET))
