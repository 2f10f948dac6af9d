import csv
import json
import re
from html.parser import HTMLParser

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from tests.facegan.evaluation.conftest import TINY, means, run

from facegan.evaluation.methods import DRIVING_COPIED, SOURCE_COPIED
from facegan.io.images import read_image
from facegan.metrics import METRICS, bootstrap_interval
from facegan.networks import FaceGAN, FaceGANConfig

pytestmark = pytest.mark.slow

TABLES = {"metrics.json", "metrics.csv", "table.tex", "report.html", "pairs.parquet", "scores.parquet"}
GRIDS = {"self.png", "cross.png", "action_units.png", "head_pose.png", "backgrounds.png"}


@pytest.fixture(scope="module")
def evaluated(model_folder, data, tmp_path_factory):
    """Report and folder of two models."""
    folder = tmp_path_factory.mktemp("evaluated")
    torch.manual_seed(1)
    FaceGAN(FaceGANConfig(size=32, reenactor=TINY, background_mixer=TINY)).save_pretrained(folder / "small")
    models = [f"model={model_folder}", f"small={folder / 'small'}"]
    return run(models, data, folder / "deep/out"), folder / "deep/out"


class Page(HTMLParser):
    """Every value of the page as (protocol, metric, method), with the text that is visible."""

    def __init__(self, text):
        super().__init__()
        self.values = {}
        self._value = None
        self.references = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.references |= {attributes[name] for name in ("src", "href") if name in attributes}
        if tag == "table":
            self._protocol = attributes["data-protocol"]
        elif tag == "tr":
            self._row = attributes.get("data-metric")
        elif tag == "td":
            self._cell = attributes.get("data-method")
        elif tag == "data":
            self._value = attributes["value"]

    def handle_data(self, text):
        if self._value is not None:
            if self._cell is not None:
                self.values.setdefault((self._protocol, self._row, self._cell), (self._value, text))
            self._value = None


def test_report_page_and_csv_have_the_values_of_metrics_json(evaluated):
    report, out = evaluated
    stored = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert stored == report.metrics
    visible, flat = {}, {}
    for protocol, summary in stored["protocols"].items():
        any_undetected = any(entry["count"] for entry in summary["undetected"].values())
        for metric, methods in summary["metrics"].items():
            for method, entry in methods.items():
                flat[protocol, metric, method] = value = entry["mean"]
                visible[protocol, metric, method] = (str(value), METRICS[metric].format(value))
                if "mean_detected" in entry and any_undetected:
                    value = entry["mean_detected"]
                    key = (protocol, f"{metric}-detected", method)
                    visible[key] = (str(value), METRICS[metric].format(value))
        for method, entry in summary["undetected"].items():
            visible[protocol, "undetected", method] = (str(entry["count"]), str(entry["count"]))
        for metric, methods in summary["differences"]["metrics"].items():
            value = methods["small"]["mean"]
            visible[f"{protocol}-differences", metric, "small"] = (str(value), METRICS[metric].format(value))
    assert Page((out / "report.html").read_text(encoding="utf-8")).values == visible
    with (out / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {
        (row["protocol"], row["metric"], row["method"]): float(row["mean"]) if row["mean"] else None
        for row in rows
    } == flat
    for row in rows:
        assert not row["ci_low"] or float(row["ci_low"]) <= float(row["mean"]) <= float(row["ci_high"])


def test_report_page_references_no_other_file(evaluated):
    text = (evaluated[1] / "report.html").read_text(encoding="utf-8")
    assert {reference[:22] for reference in Page(text).references} == {"data:image/jpeg;base64"}
    assert not re.search(r"https?://|url\(|@import", text)


def test_report_folder_describes_methods_data_and_software(evaluated, model_folder, data):
    report, out = evaluated
    assert {path.name for path in out.iterdir()} == TABLES | GRIDS | {"predictions"}
    assert list(report.metrics["methods"]) == ["model", "small"]
    assert report.metrics["methods"]["model"] == {"kind": "model", "path": str(model_folder)}
    assert report.metrics["size"] == 32
    assert report.metrics["data"] == {"name": str(data), "splits": ["test"], "crops": 14, "identities": 2}
    assert report.metrics["software"]["torch"] == torch.__version__
    # Tracks of four frames hold no run of 16; the network of FID is not available.
    assert {"video"} <= set(report.metrics["skipped"]) <= {"video", "fid"}
    assert set(report.grids["cross"]) == {"source", "driving", "model", "small"}
    grid = read_image(out / "self.png")
    assert grid.shape[1] >= 4 * 32
    assert np.ptp(grid[-32:, :32]) > 50
    images = sorted(
        path.relative_to(out / "predictions/model").as_posix() for path in out.glob("*/model/*/0*")
    )
    assert images == [f"{name}/{pair:06d}.png" for name in ("cross", "lsim", "self") for pair in range(9)]


def test_report_terminal_table_ends_with_the_path(evaluated):
    report, out = evaluated
    lines = report.describe().splitlines()
    assert lines[-1] == f"report: {out / 'report.html'}"
    mse = report.metrics["protocols"]["self"]["metrics"]["mse"]
    row = next(line for line in lines if "MSE" in line)
    methods = ("model", "small", SOURCE_COPIED, DRIVING_COPIED)
    assert row.split()[2:] == [f"{mse[name]['mean']:.4f}" for name in methods]


def test_report_latex_has_the_papers_columns_and_the_best_method_in_bold(evaluated):
    report, out = evaluated
    lines = [line.rstrip(" \\").split(" & ") for line in (out / "table.tex").read_text().splitlines()]
    rows = {line[0]: line[1:] for line in lines if len(line) > 1}
    assert rows["FACEGAN (paper)"] == ["0.018", "0.747", "0.811", "0.012", "0.021"]
    assert rows[DRIVING_COPIED][0] == "0.0000"
    assert f"{means(report, 'lsim', 'model')['lsim']:.5f}" in rows["model"][4]
    errors = {name: means(report, "self", name)["mse"] for name in ("model", "small")}
    best = min(errors, key=errors.get)
    assert errors["model"] != errors["small"]
    assert rows[best][0] == rf"\textbf{{{errors[best]:.4f}}}"
    assert not any("textbf" in cell for name in (SOURCE_COPIED, DRIVING_COPIED) for cell in rows[name])


def test_report_scores_have_the_means_and_paired_differences(evaluated):
    report, out = evaluated
    scores = pq.read_table(out / "scores.parquet").to_pandas()
    for (protocol, method), rows in scores.groupby(["protocol", "method"]):
        for name, value in means(report, protocol, method).items():
            if name in rows and METRICS[name].faces is not None:
                assert rows[name].mean() == pytest.approx(value, rel=1e-6)
    rows = scores[scores.protocol == "self"].set_index(["method", "pair"])
    differences = report.metrics["protocols"]["self"]["differences"]
    assert differences["reference"] == "model"
    for name in ("mse", "ssim", "perceptual"):
        difference = rows.loc["small"][name] - rows.loc["model"][name]
        entry = differences["metrics"][name]["small"]
        expected = (difference.mean(), *bootstrap_interval(difference, rows.loc["model"]["identity"]))
        assert (entry["mean"], entry["ci_low"], entry["ci_high"]) == pytest.approx(expected)


def test_report_with_hostile_names_escapes_them(faces, write_data, model_folder, tmp_path):
    data = write_data(tmp_path / "<script>alert(1)<" / "data & more", faces[:4])
    report = run([f"<b>&_%={model_folder}"], data, tmp_path / "out", pairs=1)
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<b>&_" not in page
    assert "&lt;script&gt;alert(1)&lt;/data &amp; more" in page
    assert r"<b>\&\_\%" in (tmp_path / "out/table.tex").read_text()
    assert report.metrics["protocols"]["self"]["pairs"] == 1
