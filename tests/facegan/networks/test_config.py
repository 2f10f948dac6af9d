import re
from dataclasses import FrozenInstanceError, asdict

import pytest

from facegan.errors import InputError
from facegan.networks import DiscriminatorConfig, GeneratorConfig, MixerConfig, ReenactorConfig


def test_config_defaults_are_pix2pixhd():
    assert asdict(GeneratorConfig()) == {
        "kind": "coarse_to_fine",
        "width": 32,
        "downsamplings": 4,
        "num_residual_blocks": 9,
        "num_local_residual_blocks": 3,
        "norm": "instance",
        "use_skip_connections": False,
        "init": "normal",
    }
    assert asdict(ReenactorConfig()) == asdict(GeneratorConfig()) | {"align_source": False}
    assert asdict(MixerConfig()) == asdict(GeneratorConfig()) | {"fill_background": False}
    assert asdict(DiscriminatorConfig()) == {
        "width": 64,
        "layers": 3,
        "scales": 3,
        "norm": "instance",
    }


@pytest.mark.parametrize("settings", [GeneratorConfig, DiscriminatorConfig])
def test_config_is_documented_and_frozen(settings):
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
    (GeneratorConfig, "num_residual_blocks", -1),
    (GeneratorConfig, "num_local_residual_blocks", -3),
    (GeneratorConfig, "norm", "batch"),
    (GeneratorConfig, "norm", None),
    (GeneratorConfig, "use_skip_connections", "no"),
    (GeneratorConfig, "norm", "none"),
    (ReenactorConfig, "align_source", 1.5),
    (ReenactorConfig, "width", 0),
    (MixerConfig, "fill_background", "yes"),
    (DiscriminatorConfig, "width", -64),
    (DiscriminatorConfig, "layers", 0),
    (DiscriminatorConfig, "scales", 0),
    (DiscriminatorConfig, "norm", "batch"),
]


@pytest.mark.parametrize(("settings", "name", "value"), IMPOSSIBLE)
def test_config_impossible_value_is_one_line_that_names_it(settings, name, value):
    with pytest.raises(InputError) as caught:
        settings(**{name: value})
    message = str(caught.value)
    assert f".{name} is {value!r}: it must be " in message
    assert "\n" not in message


def test_config_smallest_values_are_accepted():
    assert GeneratorConfig("global", 1, 0, 0, 0).width == 1
    assert DiscriminatorConfig(1, 1, 1).layers == 1
