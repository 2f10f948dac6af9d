"""From models, other programs' pictures and a data set to files."""

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from facegan.data import FaceCrops
from facegan.errors import InputError
from facegan.evaluation import MetricBackends, evaluate, export_pairs
from facegan.evaluation.evaluate import PAIRS
from facegan.evaluation.evaluation_pairs import read_pairs
from facegan.evaluation.methods import DRIVER, SOURCE
from facegan.evaluation.pair_metrics import MEASURES
from facegan.geometry.landmarks import draw_gaussians, normalize_points
from facegan.geometry.motion import motion_to_openface
from facegan.metrics import bootstrap_interval
from facegan.networks import FaceGAN, FaceGANConfig
from facegan.perception import FaceAnalyzer, IdentityEmbedder
from facegan.stages.perceptual_loss import PerceptualLoss

TABLES = {"metrics.json", "metrics.csv", "table.tex", "report.html", "pairs.parquet", "scores.parquet"}
EDITS = {"edits_units.png", "edits_angles.png", "edits_backgrounds.png"}
FILES = TABLES | EDITS | {"self.png", "cross.png", "predictions"}
TINY = {"kind": "global", "width": 8, "downsamplings": 2, "num_residual_blocks": 1}


def run(models, data, out, **options):
    return evaluate(models, data, out, **({"pairs": 9, "workers": 1, "progress": False} | options))


@pytest.fixture(scope="module")
def outcome(model_folder, data, tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluated") / "deep" / "out"
    return run([f"model={model_folder}"], data, out), out


@pytest.fixture(scope="module")
def trials(data, tmp_path_factory):
    """The pairs as a file, and in the whole data set."""
    folder = tmp_path_factory.mktemp("pairs") / "out"
    export_pairs(data, folder, pairs=9)
    return folder / PAIRS, read_pairs(folder / PAIRS, FaceCrops(data, "test"))


def means(report, protocol, method):
    return {
        name: methods[method]["mean"]
        for name, methods in report.metrics["protocols"][protocol]["measures"].items()
        if method in methods
    }


class Page(HTMLParser):
    """Every number of the page as (experiment, row, method), with what the reader sees."""

    def __init__(self, text):
        super().__init__()
        self.numbers = {}
        self._value = None
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
            self._cell = attributes.get("data-method")
        elif tag == "data":
            self._value = attributes["value"]

    def handle_data(self, text):
        if self._value is not None:
            if self._cell is not None:
                self.numbers.setdefault((self._protocol, self._row, self._cell), (self._value, text))
            self._value = None


def test_page_and_csv_show_the_numbers_of_the_file_and_no_others(outcome):
    report, out = outcome
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics == report.metrics
    wanted, flat = {}, {}
    for protocol, found in metrics["protocols"].items():
        for measure, methods in found["measures"].items():
            for method, entry in methods.items():
                value = entry["mean"]
                shown = MEASURES[measure].show(value)
                wanted[protocol, measure, method] = (str(value), shown)
                flat[protocol, measure, method] = value
                if "found" in entry and any(missed["count"] for missed in found["misses"].values()):
                    value = entry["found"]
                    shown = MEASURES[measure].show(value)
                    wanted[protocol, f"{measure}-found", method] = (str(value), shown)
        for method, missed in found["misses"].items():
            wanted[protocol, "misses", method] = (str(missed["count"]), str(missed["count"]))
    assert Page((out / "report.html").read_text(encoding="utf-8")).numbers == wanted
    with (out / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {
        (row["protocol"], row["measure"], row["method"]): float(row["mean"]) if row["mean"] else None
        for row in rows
    } == flat
    for row in rows:
        assert not row["low"] or float(row["low"]) <= float(row["mean"]) <= float(row["high"])


def test_page_needs_no_other_file(outcome):
    _, out = outcome
    text = (out / "report.html").read_text(encoding="utf-8")
    assert {reference[:22] for reference in Page(text).references} == {"data:image/jpeg;base64"}
    assert not re.search(r"https?://|url\(|@import", text)


def test_files_say_what_they_are_of(outcome, model_folder, data):
    report, out = outcome
    assert {path.name for path in out.iterdir()} == FILES
    assert report.metrics["methods"] == {"model": {"kind": "model", "path": str(model_folder)}}
    assert report.metrics["size"] == 64
    assert report.metrics["data"] == {
        "name": str(data),
        "splits": ["test"],
        "crops": 14,
        "identities": 2,
    }
    assert report.metrics["software"]["torch"] == torch.__version__
    # Tracks of four frames hold no run of 16; FID's network is not at hand.
    assert {"video"} <= set(report.metrics["left_out"]) <= {"video", "fid"}
    sheet = cv2.imread(str(out / "self.png"))
    assert sheet.shape[1] >= 6 * 64
    assert np.ptp(sheet[-64:, :64]) > 50
    pictures = sorted(path.relative_to(out / "predictions/model").as_posix() for path in out.rglob("0*.png"))
    assert pictures == [f"{name}/{pair:06d}.png" for name in ("cross", "lsim", "self") for pair in range(9)]


def test_terminal_gets_the_table_and_the_way(outcome):
    report, out = outcome
    lines = report.describe().splitlines()
    assert lines[-1] == f"report: {out / 'report.html'}"
    mse = report.metrics["protocols"]["self"]["measures"]["mse"]
    row = next(line for line in lines if "MSE" in line)
    assert row.split()[2:] == [f"{mse[name]['mean']:.4f}" for name in ("model", SOURCE, DRIVER)]


def test_latex_has_the_papers_columns(outcome):
    report, out = outcome
    text = (out / "table.tex").read_text()
    rows = {
        line.split(" & ")[0]: line.rstrip(" \\").split(" & ")[1:]
        for line in text.splitlines()
        if " & " in line
    }
    assert rows["FACEGAN (paper)"] == ["0.018", "0.747", "0.811", "0.012", "0.021"]
    assert rows[DRIVER][0] == "0.0000"
    assert rows["model"][4] == f"{means(report, 'lsim', 'model')['lsim']:.5f}"


@pytest.fixture(scope="module")
def blended(data, trials, write_predictions, tmp_path_factory):
    """Pictures between driver and source, of which the first of each protocol is black."""
    path, chosen = trials
    folder = tmp_path_factory.mktemp("blended")
    pictures = write_predictions(folder / "blend", chosen, lambda source, driver: 0.9 * driver + 0.1 * source)
    for protocol in chosen:
        cv2.imwrite(str(pictures / protocol / "000000.png"), np.zeros((96, 96, 3), np.uint8))
    report = run([], data, folder / "out", predictions=[str(pictures)], pairs=path)
    return report, folder / "out", pictures


def pixels(picture):
    """S×S×3 of 0..255, of 3×S×S in -1..1."""
    return ((picture.permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_every_number_is_that_of_the_written_pictures(blended, data):
    """Computed again, in few lines, from pairs.parquet, the PNG files and the data set."""
    report, out, pictures = blended
    crops = FaceCrops(data)
    embed, network = IdentityEmbedder(), PerceptualLoss("identity")
    with FaceAnalyzer(single_images=True) as analyze:

        def look(image):
            face = next(iter(analyze(image)), None)
            if face is None:
                return None
            points = normalize_points(face.landmarks, 96)
            angles = motion_to_openface(torch.from_numpy(face.motion))[1].numpy()
            return (
                points,
                face.motion[:17],
                angles,
                embed(tensor(image), torch.from_numpy(points)[None])[0].numpy(),
            )

        def tensor(image):
            return torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1

        for protocol, chosen in read_pairs(out / PAIRS, crops).items():
            rows = []
            for pair, roles in enumerate(zip(*chosen, strict=True)):
                image = cv2.imread(str(pictures / protocol / f"{pair:06d}.png"))[..., ::-1].copy()
                source, driver, expected = (pixels(crops.picture(int(role))) for role in roles)
                row = {
                    "mse": np.square(image / 255 - driver / 255).mean(),
                    "perceptual": network.distances(tensor(image), tensor(driver)).item(),
                }
                made, s, d, e = map(look, (image, source, driver, expected))
                if made is None:
                    row |= {"csim": 0, "psim": 0, "blink": 0, "ed": 1, "ed_euclidean": 17**0.5}
                    row |= {"landmarks": 1, "lsim": 1}
                else:
                    row |= {"csim": cosine(s[3], made[3]), "psim": cosine(d[2], made[2])}
                    row |= {
                        "ed": np.square(d[1] - made[1]).mean(),
                        "ed_euclidean": np.linalg.norm(d[1] - made[1]),
                    }
                    row |= {"landmarks": np.linalg.norm(e[0] - made[0], axis=1).mean()}
                    row |= {"lsim": np.square(e[0] - made[0]).mean()}
                    row |= {"blink": (d[1][16] >= 0.5) == (made[1][16] >= 0.5)}
                rows.append(row)
            found = report.metrics["protocols"][protocol]["measures"]
            assert report.metrics["protocols"][protocol]["misses"]["blend"]["count"] == 1
            for name in rows[0].keys() & found.keys():
                values, entry = np.array([row[name] for row in rows], np.float64), found[name]["blend"]
                assert entry["mean"] == pytest.approx(values.mean(), rel=1e-3, abs=1e-5), (protocol, name)
                interval = bootstrap_interval(values, crops.identity[chosen.source])
                assert (entry["low"], entry["high"]) == pytest.approx(interval, rel=1e-3, abs=1e-5)
                if "found" in entry:
                    assert entry["found"] == pytest.approx(values[1:].mean(), rel=1e-3, abs=1e-5)
    wanted = {"csim", "psim", "ed", "ed_euclidean", "mse", "perceptual", "landmarks", "blink"}
    assert wanted <= report.metrics["protocols"]["self"]["measures"].keys()


def test_scores_of_pairs_have_the_means(outcome):
    report, out = outcome
    table = pq.read_table(out / "scores.parquet").to_pandas()
    for (protocol, method), rows in table.groupby(["protocol", "method"]):
        for name, value in means(report, protocol, method).items():
            if name in rows and MEASURES[name].miss is not None:
                assert rows[name].mean() == pytest.approx(value, rel=1e-6)


def test_seed_and_count_decide_the_numbers(outcome, model_folder, data, tmp_path):
    report, _ = outcome
    again = run([f"model={model_folder}"], data, tmp_path / "again")
    assert again.metrics == report.metrics
    other = run([f"model={model_folder}"], data, tmp_path / "other", seed=1)
    assert means(report, "self", "model") == means(other, "self", "model")
    assert means(report, "cross", SOURCE) != means(other, "cross", SOURCE)


def test_pictures_of_other_programs_meet_the_same_pairs(outcome, data, trials, write_predictions, tmp_path):
    """One that shows the driver, one that shows the source, and our own model's pictures given back."""
    report, out = outcome
    path, chosen = trials
    copies = [
        f"perfect={write_predictions(tmp_path / 'perfect', chosen, lambda source, driver: driver)}",
        f"still={write_predictions(tmp_path / 'still', chosen, lambda source, driver: source)}",
        f"ours={out / 'predictions/model'}",
    ]
    found = run([], data, tmp_path / "out", predictions=copies, pairs=path)
    assert found.metrics["data"] == report.metrics["data"]
    for protocol in chosen:
        for name, naive in (("perfect", DRIVER), ("still", SOURCE)):
            ours, wanted = means(found, protocol, name), means(found, protocol, naive)
            assert ours.keys() == wanted.keys()
            for key, value in wanted.items():
                # Equal pictures have no signal-to-noise ratio.
                same = None if value is None else pytest.approx(value, rel=1e-5, abs=1e-6)
                assert ours[key] == same, (protocol, name, key)
    assert means(found, "self", "perfect")["mse"] == 0
    assert means(found, "self", "perfect")["psnr"] is None
    assert means(found, "self", "perfect")["ssim"] == pytest.approx(1)
    values = means(found, "cross", "perfect")
    assert values["psim"] > 0.99999
    assert values["ed"] < 1e-9
    assert values["csim"] < means(found, "cross", "still")["csim"]
    assert (
        found.metrics["protocols"]["self"]["misses"]["ours"]
        == report.metrics["protocols"]["self"]["misses"]["model"]
    )
    # Without a model there is nothing to edit.
    assert {p.name for p in (tmp_path / "out").iterdir()} == FILES - EDITS - {"predictions"}


def test_a_missing_picture_is_told_before_anything_is_measured(data, trials, write_predictions, tmp_path):
    path, chosen = trials
    folder = write_predictions(tmp_path / "some", chosen, lambda source, driver: driver)
    (folder / "lsim/000004.png").unlink()
    with pytest.raises(InputError, match=r"lacks 1 of 9 pictures of lsim, the first being lsim/000004.png"):
        run([], data, tmp_path / "out", predictions=[str(folder)], pairs=path)
    assert {path.name for path in tmp_path.iterdir()} == {"some"}


@pytest.mark.parametrize(
    ("content", "message"), [(b"no picture", "cannot read the picture"), (None, "8×4 pixels")]
)
def test_a_broken_picture_is_told(data, trials, write_predictions, tmp_path, content, message):
    path, chosen = trials
    folder = write_predictions(tmp_path / "some", chosen, lambda source, driver: driver)
    broken = folder / "cross/000002.png"
    broken.write_bytes(content) if content else cv2.imwrite(str(broken), np.zeros((4, 8, 3), np.uint8))
    with pytest.raises(InputError, match=rf"{message}|{broken}"):
        run([], data, tmp_path / "out", predictions=[str(folder)], pairs=path)


def test_more_pictures_than_pairs_are_of_other_pairs(data, trials, write_predictions, tmp_path):
    folder = write_predictions(tmp_path / "some", trials[1], lambda source, driver: driver)
    with pytest.raises(InputError, match=r"has 9 pictures of self, but there are 4 pairs"):
        run([], data, tmp_path / "out", predictions=[str(folder)], pairs=4)


def test_a_mended_picture_goes_on_and_changed_ones_begin_anew(data, trials, write_predictions, tmp_path):
    """A picture whose head is whole is found to be broken when its turn comes."""
    path, chosen = trials
    cross = {"cross": chosen["cross"]}
    folder = write_predictions(tmp_path / "some", cross, lambda source, driver: driver)
    line = {"predictions": [str(folder)], "pairs": path, "protocols": ["cross"]}
    broken = folder / "cross/000002.png"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:60])
    with pytest.raises(InputError, match="cannot read the picture"):
        run([], data, tmp_path / "out", **line)
    assert not (tmp_path / "out").exists()
    shutil.rmtree(folder)
    write_predictions(folder, cross, lambda source, driver: source)
    found = run([], data, tmp_path / "out", **line)
    assert list(found.metrics["protocols"]) == ["cross"]
    assert means(found, "cross", "some")["csim"] == pytest.approx(1, abs=1e-6)
    assert {path.name for path in tmp_path.iterdir()} == {"some", "out"}


def test_a_face_that_is_lost_counts_as_no_likeness(data, trials, write_predictions, tmp_path):
    """Black pictures: every pair is a miss, and nothing is left without the misses."""
    path, chosen = trials
    folder = write_predictions(tmp_path / "black", chosen, lambda source, driver: torch.full_like(source, -1))
    report = run([], data, tmp_path / "out", predictions=[str(folder)], pairs=path)
    for protocol, found in report.metrics["protocols"].items():
        assert found["misses"]["black"] == {"count": 9, "share": 1}
        for name, methods in found["measures"].items():
            if MEASURES[name].miss is not None:
                assert methods["black"]["mean"] == pytest.approx(MEASURES[name].miss), (protocol, name)
                assert methods["black"]["found"] is None
    assert "without misses" in (tmp_path / "out/report.html").read_text(encoding="utf-8")


def test_a_model_without_landmark_transformer_gets_the_drivers_landmarks(data, tmp_path):
    config = FaceGANConfig(size=64, reenactor=TINY, background_mixer=TINY, transform_landmarks=False)
    torch.manual_seed(0)
    model = FaceGAN(config).eval()
    model.save_pretrained(tmp_path / "without")
    run([str(tmp_path / "without")], data, tmp_path / "out", pairs=2)
    crops = FaceCrops(data, "test", 64)
    source, driver, _ = (int(part[0]) for part in read_pairs(tmp_path / "out" / PAIRS, crops)["cross"])
    with torch.inference_mode():
        heatmap = draw_gaussians(torch.from_numpy(crops.landmarks[[driver]]), 64, config.sigma)
        face, _ = model.reenactor(crops.picture(source)[None], heatmap)
        given = model(
            crops.picture(source)[None],
            torch.from_numpy(crops.landmarks[[source]]),
            torch.from_numpy(crops.motion[[driver]]),
            torch.zeros(1, 3, 64, 64),
            torch.from_numpy(crops.landmarks[[driver]]),
        )
    torch.testing.assert_close(given.face, face)
    assert not (tmp_path / "out/edits_units.png").exists()


def test_two_models_stand_side_by_side(model_folder, data, tmp_path):
    torch.manual_seed(1)
    FaceGAN(FaceGANConfig(size=32, reenactor=TINY, background_mixer=TINY)).save_pretrained(tmp_path / "small")
    report = run([f"one={model_folder}", f"two={tmp_path / 'small'}"], data, tmp_path / "out", pairs=3)
    assert list(report.metrics["methods"]) == ["one", "two"]
    assert report.metrics["size"] == 32
    assert set(report.sheets["cross"]) == {"source", "driver", "one", "two"}
    assert means(report, "self", "one") != means(report, "self", "two")
    rows = [line.split(" & ") for line in (tmp_path / "out/table.tex").read_text().splitlines()]
    cells = {row[0]: [cell.rstrip(" \\") for cell in row[1:]] for row in rows}
    errors = [means(report, "self", name)["mse"] for name in ("one", "two")]
    best = ("one", "two")[int(np.argmin(errors))]
    assert cells[best][0] == rf"\textbf{{{min(errors):.4f}}}"
    assert not any("textbf" in cell for cell in cells[SOURCE] + cells[DRIVER])


def test_differences_are_of_the_same_pairs(model_folder, data, tmp_path):
    torch.manual_seed(1)
    FaceGAN(FaceGANConfig(size=64, reenactor=TINY, background_mixer=TINY)).save_pretrained(tmp_path / "b")
    report = run([f"a={model_folder}", f"b={tmp_path / 'b'}"], data, tmp_path / "out", protocols=["self"])
    scores = pq.read_table(tmp_path / "out/scores.parquet").to_pandas().set_index(["method", "pair"])
    found = report.metrics["protocols"]["self"]["differences"]
    assert found["from"] == "a"
    for name in ("mse", "ssim", "perceptual"):
        apart = scores.loc["b"][name] - scores.loc["a"][name]
        low, high = bootstrap_interval(apart, scores.loc["a"]["identity"])
        entry = found["measures"][name]["b"]
        assert (entry["mean"], entry["low"], entry["high"]) == pytest.approx((apart.mean(), low, high))
    page = Page((tmp_path / "out/report.html").read_text(encoding="utf-8")).numbers
    assert float(page["self-differences", "mse", "b"][0]) == found["measures"]["mse"]["b"]["mean"]


def test_people_of_other_splits_are_edited_only_if_pairs_name_them(model_folder, data, trials, tmp_path):
    report = run([str(model_folder)], data, tmp_path / "out", pairs=trials[0], protocols=["self"])
    crops = FaceCrops(data, "test")
    assert report.metrics["edits"]["identity"] in set(crops.identity)
    assert report.metrics["data"]["splits"] == ["test"]


def test_killed_evaluation_goes_on_and_ends_alike(outcome, model_folder, data, tmp_path):
    report, _ = outcome
    out = tmp_path / "out"
    line = [
        sys.executable,
        "-m",
        "facegan",
        "evaluate",
        "--model",
        f"model={model_folder}",
        "--data",
        str(data),
    ]
    process = subprocess.Popen(
        [*line, "--out", str(out), "--pairs", "9", "--workers", "1"], start_new_session=True
    )
    work = tmp_path / ".out.partial"
    until = time.monotonic() + 120
    while not list(work.glob("predictions/model/cross/*.png")) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    made = {path: path.stat().st_mtime_ns for path in work.rglob("0*.png")}
    assert made
    assert not out.exists()
    again = run([f"model={model_folder}"], data, out)
    assert again.metrics == report.metrics
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    for path, written in made.items():
        assert (out / path.relative_to(work)).stat().st_mtime_ns == written


def test_one_person_has_no_cross_and_the_report_says_so(prepared, model_folder, tmp_path):
    """The preparation's own data set; its test split is one person."""
    report = run([str(model_folder)], prepared, tmp_path / "out", pairs=4)
    assert "self" in report.metrics["protocols"]
    assert {"cross", "lsim"} <= set(report.metrics["left_out"])
    for text in ((tmp_path / "out/report.html").read_text(encoding="utf-8"), report.describe()):
        assert "Cross reenactment" in text
        assert "the test split has one person only" in text


@pytest.mark.parametrize("split", ["val", "train"])
def test_without_a_test_split_another_serves(faces, write_data, model_folder, tmp_path, split):
    data = write_data(tmp_path / "data", [row | {"split": split} for row in faces[4:10]])
    report = run([str(model_folder)], data, tmp_path / "out", pairs=2)
    assert report.metrics["data"]["splits"] == [split]
    assert f"Not of the test split alone: {split}." in report.describe()
    assert f"Pictures of the {'training' if split == 'train' else 'validation'} split" in (
        tmp_path / "out/report.html"
    ).read_text(encoding="utf-8")


def test_lone_crops_leave_nothing_to_measure(faces, write_data, model_folder, tmp_path):
    data = write_data(tmp_path / "data", faces[:1])
    with pytest.raises(InputError, match="nothing to measure: no track of the test split has two crops"):
        run([str(model_folder)], data, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_hostile_names_are_text(faces, write_data, model_folder, tmp_path):
    data = write_data(tmp_path / "<script>alert(1)<" / "data & more", faces[:4])
    report = run([f"<b>&_%={model_folder}"], data, tmp_path / "out", pairs=1)
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<b>&_" not in page
    assert "&lt;script&gt;alert(1)&lt;/data &amp; more" in page
    assert r"<b>\&\_\%" in (tmp_path / "out/table.tex").read_text()
    assert report.metrics["protocols"]["self"]["pairs"] == 1


def test_overwriting_replaces_an_evaluation_and_nothing_else(model_folder, data, tmp_path):
    def again(out, **options):
        return run([str(model_folder)], data, out, pairs=1, **options)

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
        ({"models": ["nowhere"]}, "nowhere"),
        ({"models": []}, "nothing to evaluate: name a model, or a folder of predictions"),
        ({"models": ["a=x", "a=y"]}, "two methods are called 'a'"),
        ({"models": [f"{SOURCE}=x"]}, f"a method cannot be called {SOURCE!r}"),
        ({"models": ["../x=y"]}, "a method cannot be called '../x'"),
        ({"data": "nowhere"}, "nowhere is not a prepared data set"),
        ({"device": "cuda:77"}, "cannot use the device 'cuda:77'"),
        ({"pairs": 0}, "cannot choose 0 pairs"),
        ({"pairs": Path("nowhere.parquet")}, "cannot read the pairs nowhere.parquet"),
        ({"seed": -1}, "seed -1"),
        ({"protocols": ["dance"]}, "unknown protocol 'dance': choose of self, cross, lsim, video"),
        ({"models": [], "predictions": ["nowhere"]}, "no folder of predictions: "),
        ({"truth": Path("nowhere")}, "nowhere holds no ground_truth.parquet"),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    options, message, model_folder, data, tmp_path, monkeypatch
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    if device := options.pop("device", None):
        options = {"eyes": MetricBackends(device=device)}
    given = {"models": [str(model_folder)], "data": data, "out": tmp_path / "out", "progress": False}
    with pytest.raises(InputError, match=re.escape(message)) as error:
        evaluate(**(given | options))
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_model_larger_than_the_crops_is_refused(data, tmp_path):
    model = FaceGAN(FaceGANConfig(size=128, reenactor=TINY, background_mixer=TINY))
    model.save_pretrained(tmp_path / "model")
    with pytest.raises(InputError, match="crops of 96 pixels, 128 were asked for"):
        run([str(tmp_path / "model")], data, tmp_path / "out")


def test_what_fails_at_the_end_leaves_nothing_behind(model_folder, data, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("facegan.evaluation.evaluation_report.cv2.imencode", full)
    with pytest.raises(OSError, match="No space left"):
        run([str(model_folder)], data, tmp_path / "out", pairs=1)
    assert not list(tmp_path.iterdir())
