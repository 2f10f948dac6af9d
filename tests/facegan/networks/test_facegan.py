"""The whole model and its folder."""

import json
from dataclasses import replace

import pytest
import torch
from huggingface_hub import constants

from facegan.errors import InputError
from facegan.geometry.head_alignment import SourceFace, align_head
from facegan.geometry.landmarks import draw_gaussians
from facegan.networks import CoarseToFineGenerator, FaceGAN, FaceGANConfig, GlobalGenerator
from facegan.networks.compositing import fill_hole, head_probability, mask_predicted_head

SIZE = 32
GENERATOR = {"width": 8, "downsamplings": 2, "num_residual_blocks": 1, "num_local_residual_blocks": 1}
CONFIG = FaceGANConfig(
    size=SIZE,
    sigma=0.1,
    landmark_transformer={"width": 16, "layers": 1},
    reenactor=GENERATOR,
    background_mixer=GENERATOR | {"kind": "global", "use_skip_connections": True},
)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return FaceGAN(CONFIG)


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(1)
    source, background = torch.rand(2, 2, 3, SIZE, SIZE, generator=generator) * 2 - 1
    return {
        "source": SourceFace(
            source,
            torch.randint(3, (2, SIZE, SIZE), generator=generator, dtype=torch.uint8),
            torch.rand(2, 68, 2, generator=generator) - 0.5,
            torch.zeros(2, 20),
        ),
        "motion": torch.rand(2, 20, generator=generator),
        "background": background,
    }


def test_from_pretrained_is_independent_of_file(model, tmp_path):
    model.save_pretrained(tmp_path)
    loaded = FaceGAN.from_pretrained(tmp_path)
    torch.manual_seed(1)
    FaceGAN(CONFIG).save_pretrained(tmp_path)
    for name, weight in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name


def test_facegan_output_shapes_and_ranges(model, inputs):
    output = model(**inputs)
    shapes = {name: tuple(value.shape[1:]) for name, value in output._asdict().items()}
    image, map_ = (3, SIZE, SIZE), (1, SIZE, SIZE)
    assert shapes == {
        "landmarks": (68, 2),
        "heatmap": map_,
        "face": image,
        "segmentation": image,
        "head": image,
        "foreground": image,
        "mask": map_,
        "result": image,
    }
    for value in (output.face, output.head, output.foreground, output.result):
        assert value.abs().max() <= 1
    assert 0 < output.mask.min() <= output.mask.max() < 1


def test_facegan_forward_equals_networks_in_sequence(model, inputs):
    torch.nn.init.normal_(model.landmark_transformer.body[-1].weight, std=0.1)
    output = model(**inputs)
    moved = model.landmark_transformer(inputs["source"].landmarks, inputs["motion"])
    assert (moved - inputs["source"].landmarks).abs().max() > 0.01
    torch.testing.assert_close(output.landmarks, moved)
    torch.testing.assert_close(output.heatmap, draw_gaussians(moved, SIZE, 0.1))
    face, segmentation = model.reenactor(inputs["source"].image, output.heatmap)
    torch.testing.assert_close((output.face, output.segmentation), (face, segmentation))
    torch.testing.assert_close(output.head, mask_predicted_head(face, segmentation))
    foreground, mask = model.background_mixer(output.head, inputs["background"])
    torch.testing.assert_close((output.foreground, output.mask), (foreground, mask))
    torch.testing.assert_close(output.result, mask * foreground + (1 - mask) * inputs["background"])


def test_facegan_aligned_equals_networks_in_sequence(inputs):
    """The aligned source replaces the source, the filled background the one with a hole."""
    aligned = CONFIG.reenactor | {"align_source": True}
    filled = CONFIG.background_mixer | {"fill_background": True}
    model = FaceGAN(replace(CONFIG, reenactor=aligned, background_mixer=filled))
    source, hole = inputs["source"], torch.zeros(2, 1, SIZE, SIZE)
    hole[..., 8:20, 10:24] = 1
    output = model(source, inputs["motion"], inputs["background"] * (1 - hole))
    head = align_head(source, output.landmarks, inputs["motion"])
    face, segmentation = model.reenactor(torch.cat(head, dim=1), output.heatmap)
    torch.testing.assert_close((output.face, output.segmentation), (face, segmentation))
    background = fill_hole(inputs["background"] * (1 - hole))
    foreground, mask = model.background_mixer(output.head, background, head_probability(segmentation))
    torch.testing.assert_close(output.result, mask * foreground + (1 - mask) * background)


def test_facegan_given_landmarks_replace_transformed(model, inputs):
    given = inputs["source"].landmarks + 0.2
    output = model(**inputs, landmarks=given)
    assert torch.equal(output.landmarks, given)
    torch.testing.assert_close(output.heatmap, draw_gaussians(given, SIZE, 0.1))
    assert not torch.equal(output.result, model(**inputs).result)


def test_facegan_image_gradient_reaches_landmark_transformer(model, inputs):
    """Through the heat map; first its last layer, which is initialized with zeros, then all of it."""
    model(**inputs).result.square().sum().backward()
    *_, weight, bias = model.landmark_transformer.parameters()
    assert weight.grad.abs().sum() > 0
    assert bias.grad.abs().sum() > 0
    torch.optim.SGD(model.landmark_transformer.parameters(), lr=1e-2).step()
    model.zero_grad()
    model(**inputs).result.square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.landmark_transformer.parameters())


def test_facegan_given_landmarks_leave_transformer_without_gradient(model, inputs):
    model(**inputs, landmarks=inputs["source"].landmarks).result.sum().backward()
    assert all(parameter.grad is None for parameter in model.landmark_transformer.parameters())


def test_save_pretrained_round_trip_is_bit_exact(model, inputs, tmp_path):
    torch.nn.init.normal_(model.landmark_transformer.body[-1].weight, std=0.1)
    model.save_pretrained(tmp_path / "deep" / "model")
    assert sorted(path.name for path in (tmp_path / "deep" / "model").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]
    loaded = FaceGAN.from_pretrained(str(tmp_path / "deep" / "model"))
    assert loaded.config == model.config
    assert not loaded.training
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in model.state_dict().items())
    with torch.no_grad():
        assert torch.equal(loaded(**inputs).result, model.eval()(**inputs).result)


def test_facegan_without_landmark_transformer_needs_landmarks(inputs, tmp_path):
    """The paper's ablation, Table 1: every parameter is trained."""
    model = FaceGAN(replace(CONFIG, transform_landmarks=False))
    assert model.landmark_transformer is None
    assert not any("landmark_transformer" in name for name in model.state_dict())
    with pytest.raises(ValueError, match="no landmark transformer"):
        model(**inputs)
    driving = inputs["source"].landmarks + 0.1
    output = model(**inputs, landmarks=driving)
    assert output.landmarks is driving
    output.result.square().sum().backward()
    unused = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is None}
    assert not unused
    model.save_pretrained(tmp_path)
    loaded = FaceGAN.from_pretrained(tmp_path)
    assert loaded.config == model.config
    assert loaded.landmark_transformer is None
    with torch.no_grad():
        assert torch.equal(loaded(**inputs, landmarks=driving).result, output.result)


def test_facegan_config_reaches_networks(model):
    assert isinstance(model.reenactor.generator, CoarseToFineGenerator)
    assert isinstance(model.background_mixer.generator, GlobalGenerator)
    assert not model.reenactor.generator.use_skip_connections
    assert model.background_mixer.generator.use_skip_connections


@pytest.fixture
def folder(model, tmp_path):
    model.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def rewrite(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def cut(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


DAMAGES = {
    "no configuration": lambda folder: (folder / "config.json").unlink(),
    "no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "cut off weights": cut,
    "empty weights": lambda folder: (folder / "model.safetensors").write_bytes(b""),
    "weights that are none": lambda folder: (folder / "model.safetensors").write_bytes(b"\x80\x04" * 500),
    "half a configuration": lambda folder: (folder / "config.json").write_text('{"size": 3'),
    "configuration of bytes": lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe\x00"),
    "configuration that is a list": lambda folder: (folder / "config.json").write_text("[1, 2]"),
    "unknown key": lambda folder: rewrite(folder, color="red"),
    "unknown key of a network": lambda folder: rewrite(folder, reenactor=GENERATOR | {"wings": 2}),
    "number that is none": lambda folder: rewrite(folder, reenactor=GENERATOR | {"width": "wide"}),
    "impossible number": lambda folder: rewrite(folder, reenactor=GENERATOR | {"num_residual_blocks": -1}),
    "unknown norm": lambda folder: rewrite(folder, background_mixer=GENERATOR | {"norm": "batch"}),
    "enormous width": lambda folder: rewrite(folder, reenactor=GENERATOR | {"width": 10**30}),
    "fields that are a list": lambda folder: rewrite(folder, reenactor=[1, 2]),
    "transformer without weights": lambda folder: rewrite(folder, transform_landmarks=False),
    "other shapes": lambda folder: rewrite(folder, landmark_transformer={"width": 17, "layers": 1}),
    "other layers": lambda folder: rewrite(folder, reenactor=GENERATOR | {"num_residual_blocks": 2}),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_from_pretrained_damaged_folder_is_one_line(folder, damage):
    damage(folder)
    with pytest.raises(InputError) as caught:
        FaceGAN.from_pretrained(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_from_pretrained_mismatched_weights_are_named(folder):
    rewrite(folder, landmark_transformer={"width": 17, "layers": 1})
    with pytest.raises(InputError, match=r"size mismatch for landmark_transformer\.body\.0"):
        FaceGAN.from_pretrained(folder)


@pytest.mark.parametrize("version", [None, 1, 3])
def test_from_pretrained_other_format_version_is_refused(folder, version):
    config = json.loads((folder / "config.json").read_text())
    assert config.pop("version") == 2
    (folder / "config.json").write_text(json.dumps(config | ({"version": version} if version else {})))
    with pytest.raises(InputError, match=f"has model format {version or 1}, not 2: train") as caught:
        FaceGAN.from_pretrained(folder)
    assert "\n" not in str(caught.value)


def test_from_pretrained_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"lacks config\.json or model\.safetensors"):
        FaceGAN.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["runs/no-such-model", "/no/such/folder", "no model", ""])
def test_from_pretrained_unknown_name_is_one_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError) as caught:
        FaceGAN.from_pretrained(name)
    assert "\n" not in str(caught.value)
