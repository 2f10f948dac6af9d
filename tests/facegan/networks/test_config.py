import re
from dataclasses import FrozenInstanceError, asdict

import pytest

from facegan.errors import InputError
from facegan.networks import DiscriminatorSettings, GeneratorSettings


def test_defaults_are_pix2pixhds():
    assert asdict(GeneratorSettings()) == {
        "kind": "coarse_to_fine",
        "width": 32,
        "downsamplings": 4,
        "blocks": 9,
        "local_blocks": 3,
        "norm": "instance",
        "skips": False,
        "initialisation": "normal",
    }
    assert asdict(DiscriminatorSettings()) == {
        "width": 64,
        "layers": 3,
        "scales": 3,
        "norm": "instance",
        "spectral_norm": False,
    }


@pytest.mark.parametrize("settings", [GeneratorSettings, DiscriminatorSettings])
def test_every_setting_is_documented_and_frozen(settings):
    for name in asdict(settings()):
        assert re.search(rf"^ {{4,8}}{name}: ", settings.__doc__, re.MULTILINE)
    with pytest.raises(FrozenInstanceError):
        settings().width = 3


IMPOSSIBLE = [
    (GeneratorSettings, "kind", "local"),
    (GeneratorSettings, "kind", ["global"]),
    (GeneratorSettings, "width", 0),
    (GeneratorSettings, "width", "wide"),
    (GeneratorSettings, "width", 8.5),
    (GeneratorSettings, "width", True),
    (GeneratorSettings, "width", None),
    (GeneratorSettings, "downsamplings", -1),
    (GeneratorSettings, "blocks", -1),
    (GeneratorSettings, "local_blocks", -3),
    (GeneratorSettings, "norm", "batch"),
    (GeneratorSettings, "norm", None),
    (GeneratorSettings, "skips", "no"),
    (DiscriminatorSettings, "width", -64),
    (DiscriminatorSettings, "layers", 0),
    (DiscriminatorSettings, "scales", 0),
    (DiscriminatorSettings, "norm", "batch"),
    (DiscriminatorSettings, "spectral_norm", 1),
]


@pytest.mark.parametrize(("settings", "name", "value"), IMPOSSIBLE)
def test_impossible_value_is_one_line_that_names_it(settings, name, value):
    with pytest.raises(InputError) as caught:
        settings(**{name: value})
    message = str(caught.value)
    assert f".{name} is {value!r}: it must be " in message
    assert "\n" not in message


def test_smallest_possible():
    assert GeneratorSettings("global", 1, 0, 0, 0).width == 1
    assert DiscriminatorSettings(1, 1, 1).layers == 1
