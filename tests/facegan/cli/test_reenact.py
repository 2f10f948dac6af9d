"""``facegan reenact`` and ``facegan edit`` as they are typed."""

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from tests.facegan.app.hostile_files import EITHER, REFUSED, RESULT, hostile_files

from facegan.cli import main
from facegan.networks import FaceGAN
from facegan.networks.facegan import FaceGANConfig
from synthetic_heads import render, sample_identity, sample_motion

TINY = {"kind": "global", "width": 8, "downsamplings": 2, "num_residual_blocks": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model, two photographs, one without a face, and a clip."""
    folder = tmp_path_factory.mktemp("moving")
    torch.manual_seed(0)
    model = FaceGAN(FaceGANConfig(size=64, reenactor=TINY, background_mixer=TINY))
    for parameter in model.landmark_transformer.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    model.save_pretrained(folder / "model")
    for name, seed in (("me", 3), ("you", 5)):
        image = render(sample_identity(seed), np.zeros(20, np.float32), 192).image
        Image.fromarray(image).save(folder / f"{name}.png")
    Image.fromarray(np.full((64, 64, 3), 99, np.uint8)).save(folder / "wall.png")
    with av.open(folder / "clip.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 128
        for vector in sample_motion(1, 6, 25).motion:
            image = render(sample_identity(8), vector, 128).image
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return folder


@pytest.fixture(autouse=True)
def _here(folder, monkeypatch):
    monkeypatch.chdir(folder)


def run(line, out):
    return main([*line.split(), "--model", "model", "--out", str(out)])


OPTIONS = (
    "",
    "--relative",
    "--relative --reference neutral --smooth",
    "--only pose --strength yaw=2 AU12=1.5",
    "--only expression --strength AU12=1.5 --strength AU25=2",
    "--background #204080 --visible-label",
    "--background you.png --no-marks",
    "--background clip.mp4 --side-by-side",
    "--paste-back --side-by-side --face 1 --driving-face 1",
)


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS)
def test_reenact_option_writes_video(tmp_path, capsys, options):
    assert run(f"reenact --source me.png --driving clip.mp4 {options}", tmp_path / "out.mp4") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{tmp_path / 'out.mp4'}: 6 frames at 25 fps, no sound")
    assert ("delays the motion by" in out) == ("--smooth" in options)
    with av.open(tmp_path / "out.mp4") as container:
        assert len(list(container.decode(video=0))) == 6


def test_reenact_background_color_is_visible(tmp_path):
    """``#`` begins a comment in YAML, which other options are read as."""
    for color in ("#0000ff", "#ff0000"):
        line = f"reenact --source me.png --driving you.png --background {color}"
        assert run(line, tmp_path / f"{color[1:]}.png") == 0
    blue, red = (np.asarray(Image.open(tmp_path / f"{name}.png"), int) for name in ("0000ff", "ff0000"))
    assert (blue[..., 2] - red[..., 2]).mean() > 20
    assert (red[..., 0] - blue[..., 0]).mean() > 20


def test_reenact_several_files_one_bad_is_partial(tmp_path, capsys):
    line = "reenact --source me.png wall.png --driving clip.mp4 --driving you.png"
    assert run(line, tmp_path / "out") == 3
    out, err = capsys.readouterr()
    assert "wall.png by clip.mp4: no face in wall.png" in " ".join(err.split())
    assert all(name in out for name in ("me.png", "clip.mp4", "you.png"))
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["me_clip.mp4", "me_you.png", "results.csv"]


def test_reenact_only_bad_files_fails(tmp_path, capsys):
    assert run("reenact --source wall.png --driving you.png clip.mp4", tmp_path / "out") == 2
    assert "every reenactment failed; the last reason: no face in wall.png" in capsys.readouterr().err


def test_edit_writes_image_grid_and_video(tmp_path, capsys):
    assert run("edit --source me.png --set AU12=0.8 yaw=15 --set AU25=0.4", tmp_path / "a.png") == 0
    assert capsys.readouterr().out == f"image: {tmp_path / 'a.png'}\n"
    assert run("edit --source me.png --grid", tmp_path / "grid.png") == 0
    assert run("edit --source me.png --animate AU26 --seconds 0.4", tmp_path / "a.mp4") == 0
    assert capsys.readouterr().out.endswith(f"video: {tmp_path / 'a.mp4'}\n")
    assert run("edit --source me.png --set yaw=15 --paste-back", tmp_path / "b.jpg") == 0
    assert Image.open(tmp_path / "b.jpg").size == (192, 192)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("reenact --source me.png --driving clip.mp4 --strength AU99=1", "unknown motion 'AU99'"),
        ("reenact --source me.png --driving clip.mp4 --only nose", "nose"),
        ("reenact --source me.png --driving clip.mp4 --reference last", "last"),
        ("reenact --source me.png --driving clip.mp4 --paste-back --background red", "choose one of the two"),
        (
            "reenact --source me.png --driving clip.mp4 --background nowhere.png",
            "neither a file nor a color",
        ),
        ("reenact --source me.png --driving clip.mp4 --face 2", "no face 2 in me.png: one face was found"),
        ("reenact --source me.png --driving clip.mp4 --driving-face 2", "no face 2 in clip.mp4"),
        ("reenact --source me.png --driving clip.mp4 --face 0", "numbered from 1"),
        ("reenact --source me.png --driving clip.mp4 --engine tensorrt", "tensorrt"),
        ("reenact --source me.png --driving clip.mp4 --reference neutral", "ask for relative motion"),
        ("reenact --source clip.mp4 --driving me.png", "cannot read clip.mp4 as an image"),
        ("edit --source me.png", "nothing to edit"),
        ("edit --source me.png --set AU12", "invalid NAME=FLOAT value: 'AU12'"),
        ("edit --source me.png --set AU12=2", "out of range"),
        ("edit --source wall.png --set AU12=1", "no face in wall.png"),
    ],
)
def test_analyze_file_bad_input_is_one_line_and_leaves_nothing(tmp_path, capsys, line, message):
    out = tmp_path / ("out.mp4" if line.startswith("reenact") else "out.png")
    assert run(line, out) == 2
    told, err = capsys.readouterr()
    assert told == ""
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_reenact_hostile_file_is_one_line_and_leaves_nothing(tmp_path, capsys):
    options = {"source": "--source", "driving-video": "--driving", "background-image": "--background"}
    page_limits = ("70_seconds.mp4", "4000_frames.mp4", "8k.mp4", "101_megabytes.jpg", "bomb.png")
    wrong = []
    for number, (field, name, data, expected) in enumerate(hostile_files()):
        if name in page_limits:
            continue
        file = tmp_path / f"{number}{Path(name).suffix[:5]}"
        file.write_bytes(data)
        inputs = {"--source": "me.png", "--driving": "you.png"} | {options[field]: str(file)}
        kind = "mp4" if field == "driving-video" and name != "image.png" else "png"
        out = tmp_path / "out" / f"{number}.{kind}"
        status = run(f"reenact {' '.join(f'{key} {value}' for key, value in inputs.items())}", out)
        left = sorted(path.name for path in out.parent.iterdir()) if out.parent.exists() else []
        one_line = capsys.readouterr().err.count("\n") == 1
        out.unlink(missing_ok=True)
        result = {(0, True): RESULT, (2, False): REFUSED}.get((status, left == [out.name]))
        if result is None or expected not in (result, EITHER) or (result == REFUSED and not one_line):
            wrong.append((field, name, status, left))
    assert wrong == []


def test_reenact_existing_folder_receives_the_result(tmp_path, capsys):
    assert run("reenact --source me.png --driving you.png", tmp_path) == 0
    assert (tmp_path / "me_you.png").is_file()
    assert run("reenact --source me.png --driving you.png", tmp_path / "new") == 2
    assert "name it .png" in capsys.readouterr().err


@pytest.mark.slow
def test_reenact_image_does_not_import_training_packages(tmp_path):
    line = f"reenact --source me.png --driving you.png --model model --out {tmp_path / 'moved.png'}"
    heavy = {"torch._dynamo", "scipy", "datasets", "pytorch_lightning"}
    script = (
        f"import sys; from facegan.cli import main; main({line.split()}); print({heavy} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stdout + done.stderr
