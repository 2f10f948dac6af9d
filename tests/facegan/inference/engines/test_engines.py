from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from facegan.errors import InputError
from facegan.geometry.head_alignment import SourceFace
from facegan.inference.engines import ENGINES, TorchEngine, load_engine
from facegan.inference.engines.exported import MODEL_FILES, RECORD, hash_files
from facegan.inference.export_check import ExampleInputs
from facegan.networks import FaceGAN, FaceGANConfig

pytestmark = pytest.mark.slow

KINDS = ("openvino", "onnx")


def frames(count, size=32):
    generator = torch.Generator().manual_seed(count)

    def uniform(*shape):
        return 2 * torch.rand(count, *shape, generator=generator) - 1

    labels = torch.randint(3, (count, size, size), generator=generator, dtype=torch.uint8)
    source = SourceFace(uniform(3, size, size), labels, uniform(68, 2), uniform(20))
    return ExampleInputs(source, uniform(20), uniform(3, size, size))


@pytest.fixture(scope="module")
def engines(exported_model):
    return {name: load_engine(exported_model, name) for name in ENGINES}


@pytest.fixture
def folder(exported_model, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(exported_model, tmp_path / "model")


def complaint(folder, kind):
    """The one line with which an engine is refused."""
    with pytest.raises(InputError) as caught:
        load_engine(folder, kind)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_torch_engine_equals_model(tiny_model, engines):
    given = frames(2)
    made = engines["torch"](*given)
    with torch.no_grad():
        expected = tiny_model(*given)
    assert torch.equal(made.result, expected.result)
    assert torch.equal(made.landmarks, expected.landmarks)
    assert torch.equal(made.mask, expected.mask)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_engines_agree_with_torch_for_any_batch_size(engines, kind, count):
    given = frames(count)
    made, expected = engines[kind](*given), engines["torch"](*given)
    assert (made.landmarks - given.source.landmarks).abs().max() > 0.1  # they do move
    for ours, theirs in zip(made, expected, strict=True):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_engines_frames_of_batch_are_independent(engines, kind):
    given = frames(3)
    together = engines[kind](*given)
    for index in range(3):
        alone = engines[kind](*given.select(slice(index, index + 1)))
        torch.testing.assert_close(alone.result[0], together.result[index], atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_engines_accept_expanded_strided_and_double_tensors(engines, kind):
    """One source for all frames is expanded, not copied; motion may come in double precision."""
    source, motion, background = frames(2)
    source = source.select(slice(1)).expand(2)
    made = engines[kind](source, motion.double().requires_grad_(), background.movedim(1, -1).movedim(-1, 1))
    expected = engines["torch"](source, motion, background)
    torch.testing.assert_close(made.result, expected.result, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_engines_results_stay_after_next_call(engines, kind):
    first = engines[kind](*frames(2))
    before = first.result.clone()
    engines[kind](*frames(2).select(torch.tensor([1, 0])))
    assert torch.equal(first.result, before)


@pytest.mark.parametrize("kind", KINDS)
def test_engines_are_thread_safe(engines, kind):
    given = [frames(count) for count in (1, 2, 5, 1, 2, 5, 3, 4)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda one: engines[kind](*one), given))
    for one, found in zip(given, made, strict=True):
        torch.testing.assert_close(found.result, engines["torch"](*one).result, atol=1e-4, rtol=0)


def test_openvino_engine_16_bit_is_close_to_32_bit(exported_model, engines):
    given = frames(2)
    rough = engines["openvino-bf16"](*given)
    assert (rough.result - engines["torch"](*given).result).abs().mean() < 0.05


@pytest.mark.parametrize("name", ENGINES)
def test_engines_describe_themselves(engines, name):
    assert engines[name].size == 32
    assert engines[name].device == torch.device("cpu")


def test_open_model_in_training_is_switched_to_evaluation(tiny_model):
    tiny_model.train()
    assert not TorchEngine(tiny_model).model.training


def test_open_model_without_landmark_transformer_is_refused():
    tiny = {"kind": "global", "width": 4, "downsamplings": 1, "num_residual_blocks": 0}
    config = FaceGANConfig(size=32, reenactor=tiny, background_mixer=tiny, transform_landmarks=False)
    with pytest.raises(InputError, match="without landmark transformer"):
        TorchEngine(FaceGAN(config))


@pytest.mark.parametrize("device", ["nonsense", "cuda:77"])
def test_open_unavailable_device_raises_input_error(exported_model, device):
    with pytest.raises(InputError, match=f"cannot use the device '{device}'"):
        load_engine(exported_model, "torch", device)


@pytest.mark.parametrize("kind", KINDS)
def test_open_other_device_without_torch_raises_input_error(exported_model, kind):
    with pytest.raises(InputError, match=f"the engine {kind} uses the CPU, not 'cuda'"):
        load_engine(exported_model, kind, "cuda")


def test_open_engine_unknown_raises_input_error(exported_model):
    with pytest.raises(InputError, match=f"no engine 'tensorrt': choose from {', '.join(ENGINES)}"):
        load_engine(exported_model, "tensorrt")


@pytest.mark.parametrize(("kind", "package"), [("openvino", "openvino"), ("onnx", "onnxruntime")])
def test_missing_package_error_names_extra(exported_model, monkeypatch, kind, package):
    monkeypatch.setitem(sys.modules, package, None)
    message = complaint(exported_model, kind)
    assert package in message
    assert f"pip install 'facegan[{kind}]'" in message


@pytest.mark.parametrize("kind", KINDS)
def test_open_engine_without_export_raises_input_error(tiny_model, tmp_path, kind):
    tiny_model.save_pretrained(tmp_path)
    message = complaint(tmp_path, kind)
    assert "is not exported" in message
    assert f"facegan export --model {tmp_path} --format {kind}" in message


@pytest.mark.parametrize("kind", KINDS)
def test_open_engine_hub_name_raises_input_error(kind):
    assert "owner/name is not a model folder on this disk" in complaint("owner/name", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_open_engine_export_of_other_weights_is_refused(folder, kind):
    model = FaceGAN.from_pretrained(folder)
    with torch.no_grad():
        next(model.reenactor.parameters()).mul_(1.01)
    model.save_pretrained(folder)
    message = complaint(folder, kind)
    assert "exported from another state of the model" in message
    assert "--overwrite" in message


def test_open_engine_export_of_other_configuration_is_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"sigma": 0.05}))
    assert "exported from another state of the model" in complaint(folder, "onnx")


def test_open_engine_equivalent_configuration_is_accepted(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config, sort_keys=True))
    assert load_engine(folder, "onnx").size == 32


@pytest.mark.parametrize(
    ("kind", "name"), [("openvino", "model.xml"), ("openvino", "model.bin"), ("onnx", "model.onnx")]
)
@pytest.mark.parametrize("harm", ["cut", "empty", "changed", "gone"])
def test_open_engine_damaged_networks_are_refused(folder, kind, name, harm):
    path = folder / kind / name
    content = path.read_bytes()
    middle = len(content) // 2
    spoilt = {
        "cut": content[:middle],
        "empty": b"",
        "changed": content[:middle] + b"?" + content[middle + 1 :],
    }
    path.unlink()
    if harm in spoilt:
        path.write_bytes(spoilt[harm])
    message = complaint(folder, kind)
    assert f"{folder / kind} is damaged" in message
    assert f"--format {kind} --overwrite" in message


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"model": {}, "files": {}}'])
def test_open_engine_damaged_record_is_refused(folder, record):
    (folder / "onnx" / RECORD).write_bytes(record)
    assert f"{folder / 'onnx' / RECORD} is damaged" in complaint(folder, "onnx")


@pytest.mark.parametrize("kind", KINDS)
def test_open_engine_unreadable_networks_are_refused(folder, kind):
    """For example of another version of it."""
    (folder / kind / MODEL_FILES[kind]).write_text("networks of the future")
    record = json.loads((folder / kind / RECORD).read_text())
    (folder / kind / RECORD).write_text(json.dumps(record | {"files": hash_files(folder / kind)}))
    assert f"cannot read {folder / kind / MODEL_FILES[kind]}" in complaint(folder, kind)


def test_inference_imports_engines_lazily():
    modules = "{'openvino', 'onnx', 'onnxruntime'}"
    script = f"import sys, facegan.inference.engines; sys.exit(bool({modules} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
