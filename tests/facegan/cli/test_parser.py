import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from facegan.cli.commands import COMMANDS, load_command
from facegan.cli.parser import CommandParser
from facegan.errors import InputError


@dataclass(frozen=True)
class MotionConfig:
    """How to move.

    Attributes:
        only: What to transfer.
        strength: Factors.
        layers: Sizes.
        marks: Mark the result.

    Raises:
        InputError: if strength is negative.
    """

    only: Literal["pose", "expression"] | None = None
    strength: Mapping[str, float] = field(default_factory=dict)
    layers: tuple[int, ...] = (1, 2)
    marks: bool = True

    def __post_init__(self) -> None:
        if any(value < 0 for value in self.strength.values()):
            msg = "strength is negative"
            raise InputError(msg)


def animate(
    kind: Literal["image", "video"],
    input_: list[Path],
    motion: MotionConfig,
    *,
    out: Path,
    pairs: int | Path = 200,
    min_face: int = 48,
    background: str | None = None,
    names: list[str] | None = None,
    overwrite: bool = False,
) -> int:
    """Animate something.

    More text.

    Example:
        facegan animate image a.png --out b.png

    Args:
        kind: What it is.
        input_: Files.
        motion: Motion.
        out: Result, 100 % of it.
        pairs: Number of pairs, or a file.
        min_face: Size.
        background: Color.
        names: Names.
        overwrite: Replace.
    """
    return 0


def parse(line):
    return CommandParser("animate", animate).parse(line.split())


def test_parser_minimal_arguments_leaves_defaults_to_the_function():
    values = parse("image a.png b.png --out c.png")
    expected = {"kind": "image", "input_": [Path("a.png"), Path("b.png")], "out": Path("c.png")}
    assert values == expected | {"motion": MotionConfig()}


def test_parser_all_options_are_converted():
    values = parse(
        "image a.png --out b.png --pairs pairs.parquet --min-face 32 --background #204080 --names x"
        " --names y z --overwrite --only pose --strength AU12=1.5 yaw=2"
        " --strength AU12=1 --layers 4 --no-marks"
    )
    assert values["pairs"] == Path("pairs.parquet")
    assert values["min_face"] == 32
    assert values["background"] == "#204080"
    assert values["names"] == ["x", "y", "z"]
    assert values["overwrite"] is True
    assert values["motion"] == MotionConfig("pose", {"AU12": 1, "yaw": 2}, (4,), False)


def test_parser_union_takes_the_first_type_that_fits():
    assert parse("image a.png --out b.png --pairs 12")["pairs"] == 12


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "the following arguments are required: kind, input, --out"),
        ("image a --out b --min-fac 3", "unrecognized arguments: --min-fac 3"),
        ("image a --out b --min-face x", "argument --min-face: invalid int value: 'x'"),
        ("sound a --out b", "argument kind: invalid choice: 'sound'"),
        ("image a --out b --only mouth", "argument --only: invalid choice: 'mouth'"),
        ("image a --out b --strength AU12", "argument --strength: invalid NAME=FLOAT value: 'AU12'"),
        ("image a --out b --strength AU12=x", "argument --strength: invalid NAME=FLOAT value: 'AU12=x'"),
        ("image a --out b --strength AU12=-1", "strength is negative"),
    ],
)
def test_parser_wrong_arguments_raise_one_line(line, message):
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        parse(line)
    assert "\n" not in str(caught.value)


def test_parser_help_shows_groups_types_defaults_and_example(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = CommandParser("animate", animate).format_help()
    assert text.startswith("usage: facegan animate {image,video} input [input ...] --out PATH [options]\n")
    assert "\nexample: facegan animate image a.png --out b.png" in text
    for group in ("required options", "options", "motion"):
        assert f"\n{group}:\n" in text
    lines = {line.split()[0]: " ".join(line.split()) for line in text.splitlines() if line.startswith("  ")}
    assert lines["--out"] == "--out PATH Result, 100 % of it."
    assert lines["--pairs"] == "--pairs INT|PATH Number of pairs, or a file. (default: 200)"
    assert lines["--strength"] == "--strength NAME=FLOAT [NAME=FLOAT ...]"
    assert lines["--layers"] == "--layers INT [INT ...]"
    assert "Sizes. (default: 1 2)" in text
    assert lines["--no-marks"] == "--no-marks Mark the result."


@pytest.mark.parametrize("name", COMMANDS)
def test_parser_every_command_documents_its_options_readably(name):
    text = CommandParser(name, load_command(name)).format_help()
    assert "function" not in text
    assert "<class" not in text
    assert f"\nexample: facegan {name} " in text
