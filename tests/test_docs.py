"""Lines of the documentation: commands parse, targets and files exist, Python runs."""

import ast
import re
import shlex
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from facegan.cli.commands import COMMANDS, TRAINING, load_command
from facegan.cli.parser import CommandParser
from facegan.networks import FaceGAN, FaceGANConfig
from synthetic_heads import render, sample_identity

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "data").glob("*.md"))]
PAGES += [ROOT / "CONTRIBUTING.md", ROOT / "benchmarks/README.md"]
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
INLINE = re.compile(r"(?<!`)`(facegan [^`\n]+)`(?!`)")
PYTHON = [
    (name, code) for name, text in TEXTS.items() for code in re.findall(r"```python\n(.*?)```", text, re.S)
]


def shell_lines(text):
    """Return the commands of a page's shell blocks, continuation lines joined and comments dropped."""
    blocks = re.findall(r"^```(?:bash|sh|shell)?\n(.*?)^```", text, re.M | re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.partition(" #")[0].strip() for line in lines]


def commands(lines):
    """Return the words after ``facegan`` of the lines without placeholders of the shell."""
    return [
        shlex.split(line)[1:] for line in lines if line.startswith("facegan ") and not set("…$") & set(line)
    ]


@pytest.mark.parametrize("page", TEXTS)
def test_docs_command_in_a_block_parses(page):
    for name, *words in commands(shell_lines(TEXTS[page])):
        if name in TRAINING:
            files = [word for option, word in pairwise(words) if option == "-c"]
            assert [file for file in files if not (ROOT / file).is_file()] == []
        else:
            CommandParser(name, load_command(name)).parse(words)


@pytest.mark.parametrize("page", TEXTS)
def test_docs_command_in_a_sentence_has_known_options(page):
    for name, *words in commands(INLINE.findall(TEXTS[page])):
        if name in COMMANDS:
            known = CommandParser(name, load_command(name)).format_help()
            options = [word.partition("=")[0] for word in words if word.startswith("--")]
            assert [option for option in options if not re.search(rf"{option}\b", known)] == []
        else:
            assert name in {*TRAINING, "COMMAND", "--help"}


@pytest.mark.parametrize("page", TEXTS)
def test_docs_targets_and_scripts_exist(page):
    makefile = (ROOT / "Makefile").read_text()
    for line in shell_lines(TEXTS[page]) + re.findall(r"`(make [^`\n]+)`", TEXTS[page]):
        if line.startswith("make "):
            targets = [word for word in line.split()[1:] if re.fullmatch(r"[a-z0-9-]+", word)]
            assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.M)] == []
    scripts = re.findall(r"benchmarks/[\w/]+\.py", TEXTS[page])
    assert [script for script in scripts if not (ROOT / script).is_file()] == []


@pytest.mark.parametrize(("page", "code"), PYTHON, ids=[name for name, _ in PYTHON])
def test_docs_python_imports_exist(page, code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith(("facegan", "synthetic_heads")):
            module = import_module(node.module)
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/using.md"])
def test_docs_python_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny = {"kind": "global", "width": 8, "downsamplings": 2, "num_residual_blocks": 1}
    model = FaceGAN(FaceGANConfig(size=64, reenactor=tiny, background_mixer=tiny))
    for folder in ("runs/demo/model", "runs/model"):
        model.save_pretrained(folder)
    image = render(sample_identity(3), np.zeros(20, np.float32), 192).image
    for name in ("portrait.jpg", "me.jpg"):
        Image.fromarray(image).save(name)
    with av.open("clip.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 192
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    (code,) = [code for name, code in PYTHON if name == page]
    exec(code, {})
    assert Path("reenacted.mp4").is_file()
