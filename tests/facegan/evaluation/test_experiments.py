import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.facegan.evaluation.conftest import SIZE, TINY, means, run

from facegan.data import FaceCrops
from facegan.data.evaluation_pairs import read_pairs
from facegan.errors import InputError
from facegan.evaluation import export_pairs
from facegan.evaluation.experiments import PAIRS_FILE
from facegan.evaluation.methods import DRIVING_COPIED, SOURCE_COPIED
from facegan.geometry.head_alignment import SourceFace
from facegan.geometry.landmarks import draw_gaussians, normalize_points
from facegan.geometry.motion import motion_to_openface
from facegan.io.images import read_image, write_image
from facegan.metrics import METRICS, bootstrap_interval
from facegan.networks import FaceGAN, FaceGANConfig
from facegan.perception import FaceAnalyzer, IdentityEmbedder
from facegan.stages.perceptual_loss import PerceptualLoss

pytestmark = pytest.mark.slow


def copy_source(source, driving):
    return source


def copy_driving(source, driving):
    return driving


@pytest.fixture(scope="module")
def pairs(data, tmp_path_factory):
    """The pairs as a file, and in the whole data set."""
    folder = tmp_path_factory.mktemp("pairs") / "out"
    export_pairs(data, folder, pairs=9)
    return folder / PAIRS_FILE, read_pairs(folder / PAIRS_FILE, FaceCrops(data, "test"))


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def measure(image, analyze, embed):
    """Measure landmarks, action units, angles and identity embedding in few lines; None without a face."""
    face = next(iter(analyze(image)), None)
    if face is None:
        return None
    points = normalize_points(face.landmarks, SIZE)
    angles = motion_to_openface(torch.from_numpy(face.motion))[1].numpy()
    identity = embed(to_tensor(image), torch.from_numpy(points)[None])[0].numpy()
    return points, face.motion[:17], angles, identity


def to_tensor(image):
    return torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1


def score(result, source, driving, target):
    """Compute the metrics of faces of a pair in few lines."""
    if result is None:
        values = {"csim": 0, "psim": 0, "blink_agreement": 0, "ed": 1, "ed_l2": 17**0.5}
        return values | {"landmark_error": 1, "lsim": 1}
    return {
        "csim": cosine(source[3], result[3]),
        "psim": cosine(driving[2], result[2]),
        "ed": np.square(driving[1] - result[1]).mean(),
        "ed_l2": np.linalg.norm(driving[1] - result[1]),
        "landmark_error": np.linalg.norm(target[0] - result[0], axis=1).mean(),
        "lsim": np.square(target[0] - result[0]).mean(),
        "blink_agreement": (driving[1][16] >= 0.5) == (result[1][16] >= 0.5),
    }


def test_evaluate_predictions_gives_the_metrics_of_the_files(data, pairs, write_predictions, tmp_path):
    """Computed again from pairs.parquet, the PNG files and the data set; the first image is black."""

    def blend(source, driving):
        return (0.9 * driving + 0.1 * source).round().astype(np.uint8)

    path, chosen = pairs
    folder = write_predictions(tmp_path / "blend", chosen, blend)
    for protocol in chosen:
        write_image(folder / protocol / "000000.png", np.zeros((SIZE, SIZE, 3), np.uint8))
    report = run([], data, tmp_path / "out", [str(folder)], pairs=path)
    crops = FaceCrops(data)
    embed, network = IdentityEmbedder(), PerceptualLoss("identity")
    with FaceAnalyzer(single_images=True) as analyze:
        for protocol, selected in read_pairs(tmp_path / "out" / PAIRS_FILE, crops).items():
            rows = []
            for pair, roles in enumerate(zip(*selected, strict=True)):
                image = read_image(folder / protocol / f"{pair:06d}.png")
                source, driving, target = (crops.image(int(role)) for role in roles)
                faces = [measure(each, analyze, embed) for each in (image, source, driving, target)]
                row = score(*faces)
                row["mse"] = np.square(image / 255 - driving / 255).mean()
                row["perceptual"] = network.distances(to_tensor(image), to_tensor(driving)).item()
                rows.append(row)
            summary = report.metrics["protocols"][protocol]
            assert summary["undetected"]["blend"]["count"] == 1
            for name in rows[0].keys() & summary["metrics"].keys():
                values = np.array([row[name] for row in rows], np.float64)
                entry = summary["metrics"][name]["blend"]
                expected = (values.mean(), *bootstrap_interval(values, crops.identity[selected.source]))
                found = (entry["mean"], entry["ci_low"], entry["ci_high"])
                assert found == pytest.approx(expected, rel=1e-3, abs=1e-5), (protocol, name)
                if "mean_detected" in entry:
                    assert entry["mean_detected"] == pytest.approx(values[1:].mean(), rel=1e-3, abs=1e-5)
    assert row.keys() - {"lsim"} <= report.metrics["protocols"]["self"]["metrics"].keys()


def test_evaluate_copies_as_predictions_equal_the_baselines(data, pairs, write_predictions, tmp_path):
    path, chosen = pairs
    copies = [
        f"perfect={write_predictions(tmp_path / 'perfect', chosen, copy_driving)}",
        f"unchanged={write_predictions(tmp_path / 'unchanged', chosen, copy_source)}",
    ]
    report = run([], data, tmp_path / "out", copies, pairs=path)
    for protocol in chosen:
        for name, baseline in (("perfect", DRIVING_COPIED), ("unchanged", SOURCE_COPIED)):
            # Equal images have no signal-to-noise ratio.
            expected = {
                key: None if value is None else pytest.approx(value, rel=1e-5, abs=1e-6)
                for key, value in means(report, protocol, baseline).items()
            }
            assert means(report, protocol, name) == expected
    values = means(report, "self", "perfect")
    assert (values["mse"], values["psnr"], values["ssim"]) == (0, None, pytest.approx(1))
    values = means(report, "cross", "perfect")
    assert values["psim"] > 0.99999
    assert values["ed"] < 1e-9
    assert values["csim"] < means(report, "cross", "unchanged")["csim"]
    # Without a model there is no action-unit grid.
    assert not (tmp_path / "out/action_units.png").exists()


def test_evaluate_own_predictions_again_gives_equal_metrics(model_folder, data, pairs, tmp_path):
    options = {"pairs": pairs[0], "protocols": ["lsim"]}
    first = run([f"model={model_folder}"], data, tmp_path / "first", **options)
    again = run([], data, tmp_path / "again", [f"model={tmp_path}/first/predictions/model"], **options)
    assert (
        again.metrics["protocols"]["lsim"]["undetected"] == first.metrics["protocols"]["lsim"]["undetected"]
    )
    assert again.metrics["data"] == first.metrics["data"]


def remove_image(path):
    path.unlink()


def write_text(path):
    path.write_bytes(b"no image")


def write_rectangle(path):
    write_image(path, np.zeros((4, 8, 3), np.uint8))


@pytest.mark.parametrize(
    ("damage", "options", "message"),
    [
        (remove_image, {}, r"lacks 1 of 9 images of lsim, the first being lsim/000004.png"),
        (write_text, {}, r"cannot read the image .*lsim/000004.png"),
        (write_rectangle, {}, r"lsim/000004.png has 8×4 pixels"),
        (remove_image, {"pairs": 4}, r"has 9 images of self, but there are 4 pairs"),
    ],
)
def test_evaluate_with_unusable_predictions_raises_before_measuring(
    data, pairs, write_predictions, tmp_path, damage, options, message
):
    folder = write_predictions(tmp_path / "some", pairs[1], copy_driving)
    damage(folder / "lsim/000004.png")
    with pytest.raises(InputError, match=message):
        run([], data, tmp_path / "out", [str(folder)], **({"pairs": pairs[0]} | options))
    assert {path.name for path in tmp_path.iterdir()} == {"some"}


def test_evaluate_with_repaired_and_changed_predictions_uses_the_new_ones(
    data, pairs, write_predictions, tmp_path
):
    """An image whose header is whole is found to be damaged when it is measured."""
    cross = {"cross": pairs[1]["cross"]}
    folder = write_predictions(tmp_path / "some", cross, copy_driving)
    options = {"pairs": pairs[0], "protocols": ["cross"]}
    damaged = folder / "cross/000002.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    with pytest.raises(InputError, match="cannot read"):
        run([], data, tmp_path / "out", [str(folder)], **options)
    assert not (tmp_path / "out").exists()
    shutil.rmtree(folder)
    write_predictions(folder, cross, copy_source)
    report = run([], data, tmp_path / "out", [str(folder)], **options)
    assert list(report.metrics["protocols"]) == ["cross"]
    assert means(report, "cross", "some")["csim"] == pytest.approx(1, abs=1e-6)
    assert {path.name for path in tmp_path.iterdir()} == {"some", "out"}


def test_evaluate_black_predictions_gives_missing_values(data, pairs, write_predictions, tmp_path):
    path, chosen = pairs
    folder = write_predictions(tmp_path / "black", chosen, lambda source, _: np.zeros_like(source))
    report = run([], data, tmp_path / "out", [str(folder)], pairs=path)
    for summary in report.metrics["protocols"].values():
        assert summary["undetected"]["black"] == {"count": 9, "fraction": 1}
        for name, methods in summary["metrics"].items():
            if METRICS[name].faces is not None:
                assert methods["black"]["mean"] == pytest.approx(METRICS[name].missing_value), name
                assert methods["black"]["mean_detected"] is None
    assert "detected faces only" in (tmp_path / "out/report.html").read_text(encoding="utf-8")


def test_evaluate_model_without_landmark_transformer_uses_driving_landmarks(data, tmp_path):
    config = FaceGANConfig(size=64, reenactor=TINY, background_mixer=TINY, transform_landmarks=False)
    torch.manual_seed(0)
    model = FaceGAN(config).eval()
    model.save_pretrained(tmp_path / "without")
    run([str(tmp_path / "without")], data, tmp_path / "out", pairs=2)
    crops = FaceCrops(data, "test", 64)
    source, driving, _ = (int(role[0]) for role in read_pairs(tmp_path / "out" / PAIRS_FILE, crops)["cross"])
    image, landmarks = crops.picture(source)[None], torch.from_numpy(crops.landmarks)
    with torch.inference_mode():
        face, _ = model.reenactor(image, draw_gaussians(landmarks[[driving]], 64, config.sigma))
        background = torch.zeros(1, 3, 64, 64)
        motion = torch.from_numpy(crops.motion[[driving]])
        labels, own = crops.segmentation(source)[None], torch.from_numpy(crops.motion[[source]])
        face_of = SourceFace(image, labels, landmarks[[source]], own)
        output = model(face_of, motion, background, landmarks[[driving]])
    torch.testing.assert_close(output.face, face)
    assert not (tmp_path / "out/action_units.png").exists()


def test_evaluate_pairs_of_a_file_edits_one_of_their_identities(model_folder, data, pairs, tmp_path):
    report = run([str(model_folder)], data, tmp_path / "out", pairs=pairs[0], protocols=["self"])
    assert report.metrics["action_unit_grid"]["identity"] in set(FaceCrops(data, "test").identity)
    assert report.metrics["data"]["splits"] == ["test"]


def test_evaluate_interrupted_keeps_predictions_and_gives_equal_metrics(
    model_folder, data, tmp_path, monkeypatch
):
    """Interrupted while the second protocol is predicted."""
    expected = run([f"model={model_folder}"], data, tmp_path / "whole").metrics
    work = tmp_path / ".out.partial"

    def interrupted(path, image):
        write_image(path, image)
        if path.parent.name == "cross":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("facegan.evaluation.methods.write_image", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run([f"model={model_folder}"], data, tmp_path / "out")
    predicted = {path: path.stat().st_mtime_ns for path in work.rglob("0*.png")}
    assert {path.parent.name for path in predicted} == {"self", "cross"}
    assert not (tmp_path / "out").exists()
    assert run([f"model={model_folder}"], data, tmp_path / "out").metrics == expected
    assert {path.name for path in tmp_path.iterdir()} == {"out", "whole"}
    for path, written in predicted.items():
        assert (tmp_path / "out" / path.relative_to(work)).stat().st_mtime_ns == written


def test_evaluate_one_identity_skips_cross_and_lsim(prepared, model_folder, tmp_path):
    report = run([str(model_folder)], prepared, tmp_path / "out", pairs=4)
    assert "self" in report.metrics["protocols"]
    assert {"cross", "lsim"} <= set(report.metrics["skipped"])
    for text in ((tmp_path / "out/report.html").read_text(encoding="utf-8"), report.describe()):
        assert "Cross reenactment" in text
        assert "the test split has one identity only" in text


@pytest.mark.parametrize("split", ["val", "train"])
def test_evaluate_without_test_split_uses_another_and_says_so(
    faces, write_data, model_folder, tmp_path, split
):
    data = write_data(tmp_path / "data", [row | {"split": split} for row in faces[4:10]])
    report = run([str(model_folder)], data, tmp_path / "out", pairs=2)
    assert report.metrics["data"]["splits"] == [split]
    assert f"Not of the test split alone: {split}." in report.describe()
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert f"images are of the {'training' if split == 'train' else 'validation'} split" in page


def test_evaluate_single_crops_raises(faces, write_data, model_folder, tmp_path):
    data = write_data(tmp_path / "data", faces[:1])
    with pytest.raises(InputError, match="nothing to evaluate: no track of the test split has two crops"):
        run([str(model_folder)], data, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["nowhere"]}, "nowhere"),
        ({"models": []}, "nothing to evaluate: name a model, or a folder of predictions"),
        ({"models": ["a=x", "a=y"]}, "two methods are called 'a'"),
        ({"models": [f"{SOURCE_COPIED}=x"]}, f"a method cannot be called {SOURCE_COPIED!r}"),
        ({"models": ["../x=y"]}, "a method cannot be called '../x'"),
        ({"data": "nowhere"}, "nowhere is not a prepared data set"),
        ({"device": "cuda:77"}, "cannot use the device 'cuda:77'"),
        ({"pairs": 0}, "cannot select 0 pairs"),
        ({"pairs": Path("nowhere.parquet")}, "cannot read the pairs nowhere.parquet"),
        ({"seed": -1}, "seed -1"),
        ({"protocols": ["dance"]}, "unknown protocol 'dance': choose from self, cross, lsim, video"),
        ({"models": [], "predictions": ["nowhere"]}, "no folder of predictions: "),
        ({"truth": Path("nowhere")}, "nowhere holds no ground_truth.parquet"),
    ],
)
def test_evaluate_with_invalid_input_raises_one_line_and_writes_nothing(
    options, message, model_folder, data, tmp_path, monkeypatch
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    arguments = {"models": [str(model_folder)], "data": data, "out": tmp_path / "out"}
    with pytest.raises(InputError, match=re.escape(message)) as error:
        run(**(arguments | options))
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_evaluate_model_larger_than_the_crops_raises(data, tmp_path):
    model = FaceGAN(FaceGANConfig(size=128, reenactor=TINY, background_mixer=TINY))
    model.save_pretrained(tmp_path / "model")
    with pytest.raises(InputError, match="crops of 96 pixels, 128 were asked for"):
        run([str(tmp_path / "model")], data, tmp_path / "out")
