"""From a model folder and a data set to files."""

import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
import torch

from facegan.errors import InputError
from facegan.evaluation import evaluate
from facegan.evaluation.protocols import PROTOCOLS
from facegan.networks import FaceGAN, FaceGANConfig

FILES = {"metrics.json", "report.html", "self.png", "cross.png"}


@pytest.fixture(scope="module")
def outcome(model_folder, data, tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluated") / "deep" / "out"
    return evaluate(str(model_folder), data, out, pairs=9, progress=False), out


class Page(HTMLParser):
    """Every number of the page as (experiment, row, method, n-th of its cell), with what the reader sees."""

    def __init__(self, text):
        super().__init__()
        self.numbers = {}
        self.titles = []
        self._value = self._cell = None
        self.references = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.references |= {attributes[name] for name in ("src", "href") if name in attributes}
        if tag == "table":
            self._protocol = attributes["data-protocol"]
        elif tag == "tr":
            self._row = attributes.get("data-measure")
        elif tag == "td":
            self._cell, self._places = attributes["class"], 0
        elif tag == "data":
            self._value = attributes["value"]

    def handle_data(self, text):
        if self._value is not None:
            key = (self._protocol, self._row, self._cell, self._places)
            self.numbers[key] = (self._value, text)
            self._places += 1
            self._value = None


def written(metrics):
    """The same from metrics.json, with how it should look."""
    numbers = {}
    for protocol, found in metrics["protocols"].items():
        for measure, values in found["measures"].items():
            for method, value in values.items():
                shown = "–" if value is None else f"{value:.4f}"
                numbers[protocol, measure, method, 0] = (str(value), shown)
        for method, missed in found["misses"].items():
            numbers[protocol, "misses", method, 0] = (str(missed["count"]), str(missed["count"]))
            numbers[protocol, "misses", method, 1] = (str(missed["share"]), f"{100 * missed['share']:.1f}")
        for measure, value in metrics["paper"][protocol].items():
            numbers[protocol, measure, "paper", 0] = (str(value), f"{value:.3f}")
    return numbers


def test_page_shows_the_numbers_of_the_file_and_no_others(outcome):
    report, out = outcome
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics == report.metrics
    page = Page((out / "report.html").read_text(encoding="utf-8"))
    assert page.numbers == written(metrics)
    assert list(metrics["protocols"]) == list(PROTOCOLS)
    # Random weights leave some result without a face; the naive methods lose none.
    for found in metrics["protocols"].values():
        assert found["misses"]["source"]["count"] == found["misses"]["driver"]["count"] == 0
        assert None not in [
            value for v in found["measures"].values() for m, value in v.items() if m != "model"
        ]


def test_page_needs_no_other_file(outcome):
    _, out = outcome
    text = (out / "report.html").read_text(encoding="utf-8")
    assert {reference[:22] for reference in Page(text).references} == {"data:image/jpeg;base64"}
    assert not re.search(r"https?://|url\(|@import", text)


def test_files_say_what_they_are_of(outcome, model_folder, data):
    report, out = outcome
    assert {path.name for path in out.iterdir()} == FILES
    assert report.metrics["model"] == {"name": str(model_folder), "size": 64}
    assert report.metrics["data"] == {"name": str(data), "split": "test", "crops": 14, "identities": 2}
    assert report.metrics["settings"] == {"pairs": 9, "seed": 0, "device": "cpu"}
    assert report.metrics["mean_picture_crops"] == 7
    assert report.metrics["software"]["torch"] == torch.__version__
    sheet = cv2.imread(str(out / "self.png"))
    assert sheet.shape[1] >= 6 * 64
    assert np.ptp(sheet[-64:, :64]) > 50


def test_terminal_gets_the_table_and_the_way(outcome):
    report, out = outcome
    lines = report.describe().splitlines()
    assert lines[-1] == f"report: {out / 'report.html'}"
    assert max(map(len, lines[:-1])) <= 80
    mse = report.metrics["protocols"]["self"]["measures"]["mse"]
    row = next(line for line in lines if "MSE" in line)
    assert row.split()[2:] == [f"{mse[method]:.4f}" for method in ("model", "source", "driver", "mean")]


def test_seed_and_count_decide_the_numbers(outcome, model_folder, data, tmp_path):
    report, _ = outcome
    again = evaluate(str(model_folder), data, tmp_path / "again", pairs=9, progress=False)
    assert again.metrics == report.metrics
    other = evaluate(str(model_folder), data, tmp_path / "other", pairs=9, seed=1, progress=False)
    ours, theirs = (r.metrics["protocols"] for r in (report, other))
    assert ours["self"] == theirs["self"]
    assert ours["cross"]["measures"] != theirs["cross"]["measures"]


def test_one_person_has_no_cross_and_the_report_says_so(prepared, model_folder, tmp_path):
    """The preparation's own data set; its test split is one person."""
    report = evaluate(str(model_folder), prepared, tmp_path / "out", pairs=4, progress=False)
    assert list(report.metrics["protocols"]) == ["self"]
    assert set(report.metrics["left_out"]) == {"cross", "lsim"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES - {"cross.png"}
    for text in ((tmp_path / "out/report.html").read_text(encoding="utf-8"), report.describe()):
        assert "Cross reenactment" in text
        assert "the test split has one person only" in text


@pytest.mark.parametrize(("split", "warning"), [("val", "no test crops"), ("train", "neither test nor")])
def test_without_a_test_split_another_serves(faces, write_data, model_folder, tmp_path, split, warning):
    data = write_data(tmp_path / "data", [row | {"split": split} for row in faces[4:10]])
    report = evaluate(str(model_folder), data, tmp_path / "out", pairs=2, progress=False)
    assert report.metrics["data"]["split"] == split
    assert f"the {split} split was used" in report.describe()
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert warning in page
    has_mean = "mean" in report.metrics["protocols"]["self"]["measures"]["mse"]
    assert has_mean == ("mean picture" in page) == (split == "train")


def test_lone_crops_leave_nothing_to_measure(faces, write_data, model_folder, tmp_path):
    data = write_data(tmp_path / "data", faces[:1])
    with pytest.raises(InputError, match="nothing to measure: no track of the test split has two crops"):
        evaluate(str(model_folder), data, tmp_path / "out", progress=False)
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_hostile_names_are_text(faces, write_data, model_folder, tmp_path):
    data = write_data(tmp_path / "<script>alert(1)<" / "data & more", faces[:4])
    report = evaluate(str(model_folder), data, tmp_path / "out", pairs=1, progress=False)
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/data &amp; more" in page
    assert report.metrics["protocols"]["self"]["pairs"] == 1


def test_overwriting_replaces_an_evaluation_and_nothing_else(outcome, model_folder, data, tmp_path):
    def again(out, **options):
        return evaluate(str(model_folder), data, out, pairs=1, progress=False, **options)

    out = tmp_path / "out"
    again(out)
    before = (out / "metrics.json").stat().st_ino
    with pytest.raises(InputError, match="not empty"):
        again(out)
    assert (out / "metrics.json").stat().st_ino == before
    again(out, overwrite=True)
    assert {path.name for path in out.iterdir()} == FILES
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("three years")
    with pytest.raises(InputError, match="not empty"):
        again(mine, overwrite=True)
    assert (mine / "thesis.txt").read_text() == "three years"
    assert {path.name for path in tmp_path.iterdir()} == {"out", "mine"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "nowhere"}, "nowhere"),
        ({"data": "nowhere"}, "nowhere is not a prepared data set"),
        ({"device": "cuda:77"}, "cannot use the device 'cuda:77'"),
        ({"pairs": 0}, "cannot evaluate 0 pairs"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    options, message, model_folder, data, tmp_path, monkeypatch
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    given = {"model": str(model_folder), "data": data, "out": tmp_path / "out", "progress": False}
    with pytest.raises(InputError, match=re.escape(message)) as error:
        evaluate(**(given | options))
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_model_larger_than_the_crops_is_refused(data, tmp_path):
    tiny = {"kind": "global", "width": 8, "downsamplings": 2, "blocks": 1}
    model = FaceGAN(FaceGANConfig(size=128, reenactor=tiny, background_mixer=tiny))
    model.save_pretrained(tmp_path / "model")
    with pytest.raises(InputError, match="crops of 96 pixels, 128 were asked for"):
        evaluate(str(tmp_path / "model"), data, tmp_path / "out", progress=False)


def test_what_fails_at_the_end_leaves_nothing_behind(model_folder, data, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("facegan.evaluation.report.cv2.imencode", full)
    with pytest.raises(OSError, match="No space left"):
        evaluate(str(model_folder), data, tmp_path / "out", pairs=1, progress=False)
    assert not list(tmp_path.iterdir())
