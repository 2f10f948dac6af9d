import re
from dataclasses import FrozenInstanceError, asdict

import pytest

from facegan.errors import InputError
from facegan.networks import DiscriminatorConfig, GeneratorConfig


def test_defaults_are_pix2pixhds():
    assert asdict(GeneratorConfig()) == {
        "kind": "coarse_to_fine",
        "width": 32,
        "downsamplings": 4,
        "blocks": 9,
        "local_blocks": 3,
        "norm": "instance",
        "skips": False,
        "init": "normal",
    }
    assert asdict(DiscriminatorConfig()) == {
        "width": 64,
        "layers": 3,
        "scales": 3,
        "norm": "instance",
        "spectral_norm": False,
    }


@pytest.mark.parametrize("settings", [GeneratorConfig, DiscriminatorConfig])
def test_every_setting_is_documented_and_frozen(settings):
    for name in asdict(settings()):
        assert re.search(rf"^ {{4,8}}{name}: ", settings.__doc__, re.MULTILINE)
    with pytest.raises(FrozenInstanceError):
        settings().width = 3


IMPOSSIBLE = [
    (GeneratorConfig, "kind", "local"),
    (GeneratorConfig, "kind", ["global"]),
    (GeneratorConfig, "width", 0),
    (GeneratorConfig, "width", "wide"),
    (GeneratorConfig, "width", 8.5),
    (GeneratorConfig, "width", True),
    (GeneratorConfig, "width", None),
    (GeneratorConfig, "downsamplings", -1),
    (GeneratorConfig, "blocks", -1),
    (GeneratorConfig, "local_blocks", -3),
    (GeneratorConfig, "norm", "batch"),
    (GeneratorConfig, "norm", None),
    (GeneratorConfig, "skips", "no"),
    (DiscriminatorConfig, "width", -64),
    (DiscriminatorConfig, "layers", 0),
    (DiscriminatorConfig, "scales", 0),
    (DiscriminatorConfig, "norm", "batch"),
    (DiscriminatorConfig, "spectral_norm", 1),
]


@pytest.mark.parametrize(("settings", "name", "value"), IMPOSSIBLE)
def test_impossible_value_is_one_line_that_names_it(settings, name, value):
    with pytest.raises(InputError) as caught:
        settings(**{name: value})
    message = str(caught.value)
    assert f".{name} is {value!r}: it must be " in message
    assert "\n" not in message


def test_smallest_possible():
    assert GeneratorConfig("global", 1, 0, 0, 0).width == 1
    assert DiscriminatorConfig(1, 1, 1).layers == 1
