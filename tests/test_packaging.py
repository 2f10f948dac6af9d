"""Versions, requirements and the YAML files of a run."""

import configparser
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def versions():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))


def test_constraints_exclude_torchvision(versions):
    assert "torchvision" not in versions


def test_constraints_opencv_distributions_have_one_version(versions):
    assert versions["opencv-contrib-python"] == versions["opencv-python-headless"]


def test_constraints_pin_every_requirement(versions):
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    extras = config["options.extras_require"]
    tested = re.search(r"facegan\[(.*)\]", extras["dev"])[1].split(",")
    required = "\n".join([config["options"]["install_requires"], *(extras[extra] for extra in tested)])
    names = re.findall(r"^([\w-]+)[\[<>=]", required, re.MULTILINE)
    assert "torch" in names
    # Spelling of names is free in - and _.
    known = {name.lower().replace("_", "-") for name in versions}
    assert {name.lower().replace("_", "-") for name in names} - known == set()


@pytest.mark.parametrize("name", ["synthetic", "videos", "ijbc", "faceforensics"])
def test_data_yaml_has_a_card_and_only_a_root(name):
    assert (ROOT / f"data/{name}.md").is_file()
    content = yaml.safe_load((ROOT / f"data/{name}.yaml").read_text())
    assert content == {"data": {"init_args": {"root": f"data/{name}/prepared"}}}


@pytest.mark.parametrize(
    "overlay", sorted((ROOT / "stages/small").glob("*.yaml")), ids=lambda path: path.stem
)
def test_small_overlay_belongs_to_a_stage_and_names_no_class(overlay):
    assert (ROOT / "stages" / overlay.name).is_file()
    content = yaml.safe_load(overlay.read_text())
    assert "class_path" not in content["model"]
