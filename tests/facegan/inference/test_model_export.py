from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from facegan.errors import InputError
from facegan.geometry.head_alignment import SourceFace
from facegan.inference import Animator
from facegan.inference.engines import ExportedModel, Frames, OpenVINOEngine, load_engine
from facegan.inference.export_check import ExampleInputs, compare_engines, inputs_from_file, synthetic_inputs
from facegan.inference.model_export import export_model
from facegan.networks import FaceGAN, FaceGANConfig

pytestmark = pytest.mark.slow

FINE = {
    "kind": "coarse_to_fine",
    "width": 8,
    "downsamplings": 1,
    "num_residual_blocks": 1,
    "num_local_residual_blocks": 1,
}


@pytest.fixture
def folder(tiny_model, tmp_path):
    tiny_model.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("kind", "names"),
    [("openvino", ["export.json", "model.bin", "model.xml"]), ("onnx", ["export.json", "model.onnx"])],
)
def test_export_writes_networks_and_record(exported_model, kind, names):
    assert files(exported_model / kind) == names
    assert files(exported_model) == ["config.json", "model.safetensors", "onnx", "openvino"]
    record = json.loads((exported_model / kind / "export.json").read_text())
    agreement = record["difference"]
    assert agreement["inputs"] == "synthetic heads"
    assert agreement["batches"] == [1, 3]
    assert agreement["frames"] == 6
    assert 0 <= agreement["image_mean"] <= agreement["image_max"] < 0.05
    assert 0 <= agreement["landmarks_mean"] <= agreement["landmarks_max"] < 0.001
    assert record["made_with"]["torch"] == torch.__version__


def test_export_files_contain_no_local_paths(exported_model):
    package = sys.modules["facegan"].__file__.rpartition("/")[0].encode()
    for path in (*(exported_model / "onnx").iterdir(), *(exported_model / "openvino").iterdir()):
        content = path.read_bytes()
        assert package not in content
        assert str(exported_model).encode() not in content


def test_export_supports_extensions_in_both_formats(tmp_path):
    """The fixture has the paper's networks. OpenVINO reads the same graph as ONNX Runtime."""
    torch.manual_seed(2)
    variant = FINE | {"norm": "group", "init": "kaiming", "use_skip_connections": True}
    reenactor, mixer = variant | {"align_source": True}, variant | {"fill_background": True}
    model = FaceGAN(FaceGANConfig(size=32, reenactor=reenactor, background_mixer=mixer))
    model.save_pretrained(tmp_path)
    summary = export_model(tmp_path, "onnx", progress=False)
    assert summary.difference.image_max < 0.05
    trial = synthetic_inputs(32)
    expected = load_engine(tmp_path)(*trial)
    converted = OpenVINOEngine(ExportedModel(tmp_path / "onnx/model.onnx", 32))
    for engine in (load_engine(tmp_path, "onnx"), converted):
        torch.testing.assert_close(engine(*trial).result, expected.result, atol=1e-4, rtol=0)


def test_export_existing_is_kept_unless_overwrite(exported_model, tmp_path):
    folder = shutil.copytree(exported_model, tmp_path / "model")
    model = FaceGAN.from_pretrained(folder)
    with torch.no_grad():
        model.landmark_transformer.body[-1].bias.add_(0.1)
    model.save_pretrained(folder)
    before = (folder / "onnx/model.onnx").read_bytes()
    with pytest.raises(InputError, match="exported for onnx already: say --overwrite"):
        export_model(folder, "onnx", progress=False)
    assert (folder / "onnx/model.onnx").read_bytes() == before
    export_model(folder, "onnx", overwrite=True, progress=False)
    trial = synthetic_inputs(32)
    made, expected = load_engine(folder, "onnx")(*trial), load_engine(folder)(*trial)
    torch.testing.assert_close(made.landmarks, expected.landmarks, atol=1e-4, rtol=0)


def test_check_export_own_video(folder, make_video, heads):
    gray = [np.full_like(heads[0], 128)] * 6
    video = make_video("talk.mp4", [*gray, *heads[:20]])
    summary = export_model(folder, "onnx", frames=video, progress=False)
    assert summary.difference.frames == 4  # every fifth of 26, of which two show nobody
    assert summary.difference.image_max < 0.05
    record = (folder / "onnx/export.json").read_text()
    assert json.loads(record)["difference"]["inputs"] == "your own frames"
    assert "talk" not in record


def test_check_export_own_image(folder, photograph, tmp_path):
    Image.fromarray(photograph).save(tmp_path / "me.png")
    trial = inputs_from_file(folder, tmp_path / "me.png")
    face = Animator.from_pretrained(folder).prepare(photograph)
    for part, expected in zip(trial.source, face.face.expand(6), strict=True):
        assert torch.equal(part, expected)
    assert torch.equal(trial.background, face.background.expand(6, -1, -1, -1))
    assert len(trial.motion.unique(dim=0)) == 6


def test_check_export_frames_without_face_are_skipped(folder, make_video, heads, tmp_path):
    gray = np.full_like(heads[0], 128)
    Image.fromarray(gray).save(tmp_path / "gray.png")
    for path in (make_video("gray.mp4", [gray] * 6), tmp_path / "gray.png"):
        with pytest.raises(InputError, match=f"no face in {path}"):
            export_model(folder, "onnx", frames=path, progress=False)
    assert files(folder) == ["config.json", "model.safetensors"]


def test_check_export_no_frames_raises_input_error(folder, tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    for path in (tmp_path / "text.mp4", tmp_path / "missing.mp4"):
        with pytest.raises(InputError, match=f"cannot read {path}"):
            export_model(folder, "onnx", frames=path, progress=False)
    assert files(folder) == ["config.json", "model.safetensors"]


def test_check_export_wrong_frames_are_refused(tiny_model, tmp_path):
    """Nothing equals the frames of a model whose training has failed."""
    tiny_model.save_pretrained(tmp_path)
    broken = FaceGAN.from_pretrained(tmp_path)
    with torch.no_grad():
        broken.background_mixer.generator.head[0].bias.fill_(torch.nan)
    broken.save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"not exported for onnx: 6 frames differ .* by at most nan"):
        export_model(tmp_path, "onnx", progress=False)
    assert files(tmp_path) == ["config.json", "model.safetensors"]


class Shifted:
    """An engine that is off by what it is told."""

    size = 32
    device = torch.device("cpu")

    def __init__(self, levels, pixels):
        self.levels, self.pixels = levels, pixels

    def __call__(self, source, motion, background):
        result, points = source.image.clone(), source.landmarks.clone()
        result[-1, 0, 0, 0] += self.levels / 127.5
        points[..., 0] -= self.pixels / 16
        return Frames(result, points, source.image[:, :1])


def test_check_export_reports_levels_and_pixels():
    image, motion = torch.zeros(3, 3, 32, 32), torch.zeros(3, 20)
    source = SourceFace(image, torch.zeros(3, 32, 32, dtype=torch.uint8), torch.zeros(3, 68, 2), motion)
    trial = ExampleInputs(source, motion, image)
    found = compare_engines(Shifted(3, 0.25), Shifted(0, 0), trial)
    assert found.frames == 3
    assert found.image_max == pytest.approx(3)
    # In batches of one all three frames are the last, in the batch of three only one.
    assert found.image_mean == pytest.approx(3 * 4 / 6 / (3 * 32 * 32))
    assert found.landmarks_max == pytest.approx(0.25)
    assert found.landmarks_mean == pytest.approx(0.125)


def test_check_export_synthetic_frames_equal_prepared_ones():
    trial = synthetic_inputs(64)
    assert trial.source.image.shape == trial.background.shape == (6, 3, 64, 64)
    assert trial.source.landmarks.shape == (6, 68, 2)
    assert trial.motion.shape == (6, 20)
    assert len(trial.motion.unique(dim=0)) == 6
    hole = (trial.background == 0).all(dim=1)
    assert 0.2 < hole.float().mean() < 0.8
    assert torch.equal(trial.background.movedim(1, -1)[~hole], trial.source.image.movedim(1, -1)[~hole])
    assert trial.source.landmarks.abs().max() < 1


@pytest.mark.parametrize("name", ["nowhere", "owner/name"])
def test_export_missing_folder_raises_input_error(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"{name} is not a model folder on this disk"):
        export_model(name, "onnx", progress=False)
    assert files(tmp_path) == []


def test_export_without_landmark_transformer_raises_input_error(tmp_path):
    config = FaceGANConfig(size=32, reenactor=FINE, background_mixer=FINE, transform_landmarks=False)
    FaceGAN(config).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="without landmark transformer"):
        export_model(tmp_path, "onnx", progress=False)
    assert files(tmp_path) == ["config.json", "model.safetensors"]


def test_export_unknown_format_raises_input_error(folder):
    with pytest.raises(InputError, match="no format 'tensorrt': choose from openvino, onnx"):
        export_model(folder, "tensorrt", progress=False)


@pytest.mark.parametrize(
    ("kind", "package"),
    [("openvino", "openvino"), ("openvino", "onnx"), ("onnx", "onnxscript"), ("onnx", "onnxruntime")],
)
def test_missing_package_error_names_extra(folder, monkeypatch, kind, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf"{package}.*pip install 'facegan\[{kind}\]'"):
        export_model(folder, kind, progress=False)


def test_export_other_folder_is_not_replaced(folder):
    (folder / "onnx").mkdir()
    (folder / "onnx/notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds no export\.json"):
        export_model(folder, "onnx", overwrite=True, progress=False)
    assert (folder / "onnx/notes.txt").read_text() == "mine"
