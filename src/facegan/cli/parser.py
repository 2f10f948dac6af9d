"""Turn the signature of a command into its command line."""

from __future__ import annotations

import argparse
import inspect
import re
import shutil
import textwrap
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

import docstring_parser

from facegan.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Command = Callable[..., "int | None"]

TYPE_NAMES: dict[Any, str] = {int: "INT", float: "FLOAT", str: "TEXT", Path: "PATH"}
"""Names of types in help texts."""


class CommandParser(argparse.ArgumentParser):
    """Parser of one command, built from the function that implements it.

    Positional parameters of the function become positional arguments, keyword-only ones options: ``min_face``
    is ``--min-face``, and a trailing underscore (``format_``) is dropped. A parameter that is a dataclass
    becomes a titled group with an option for each field. A boolean is a flag: ``--name`` if it is false by
    default, ``--no-name`` if it is true. ``list[T]`` and ``tuple[T, ...]`` take several words,
    ``Mapping[str, T]`` several ``NAME=VALUE``. Help texts are the Args and Attributes of the docstrings.

    Args:
        name: name of the command.
        command: the function.
    """

    def __init__(self, name: str, command: Command) -> None:
        text = docstring_parser.parse(inspect.getdoc(command) or "")
        width = shutil.get_terminal_size().columns - 2
        paragraphs = [text.short_description or "", *(text.long_description or "").split("\n\n")]
        super().__init__(
            prog=f"facegan {name}",
            description="\n\n".join(textwrap.fill(paragraph, width) for paragraph in paragraphs).strip(),
            epilog="\n".join(f"example: {example.description}" for example in text.examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
            add_help=False,
        )
        self.command = command
        hints, helps = get_type_hints(command), _help_texts(command)
        required, options = self.add_argument_group("required options"), self.add_argument_group("options")
        options.add_argument("-h", "--help", action="help", help="Show this help.")
        for parameter in inspect.signature(command).parameters.values():
            hint = hints[parameter.name]
            if isinstance(hint, type) and is_dataclass(hint):
                self._add_group(hint)
            elif parameter.kind is not parameter.KEYWORD_ONLY:
                self._add(self, parameter.name, hint, MISSING, helps, positional=True)
            elif parameter.default is parameter.empty:
                self._add(required, parameter.name, hint, MISSING, helps)
            else:
                self._add(options, parameter.name, hint, parameter.default, helps)
        words = [_usage(action) for action in self._actions if not action.option_strings or action.required]
        self.usage = " ".join([self.prog, *words, "[options]"])

    def parse(self, words: Sequence[str]) -> dict[str, Any]:
        """Parse the words after the command's name.

        Returns:
            The arguments of the function.

        Raises:
            InputError: if a word is wrong, missing or unknown, or a dataclass refuses its values.
        """
        given = vars(self.parse_args(list(words)))
        return _collect(get_type_hints(self.command), given)

    def error(self, message: str) -> NoReturn:
        """Raise an InputError that names the help."""
        msg = f"{message} ({self.prog} --help)"
        raise InputError(msg)

    def _add_group(self, config: type[DataclassInstance]) -> None:
        title = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", config.__name__.removesuffix("Config")).lower()
        group = self.add_argument_group(title)
        hints, helps = get_type_hints(config), _help_texts(config)
        for field in fields(config):
            default = field.default if field.default_factory is MISSING else field.default_factory()
            self._add(group, field.name, hints[field.name], default, helps)

    def _add(
        self,
        group: argparse._ActionsContainer,
        name: str,
        hint: Any,
        default: Any,
        helps: Mapping[str, str],
        *,
        positional: bool = False,
    ) -> None:
        word = name.rstrip("_").replace("_", "-")
        text = helps[name].replace("%", "%%")
        if hint is bool:
            option = f"--no-{word}" if default else f"--{word}"
            group.add_argument(
                option, dest=name, action="store_false" if default else "store_true", help=text
            )
            return
        about: dict[str, Any] = {"help": text}
        kind, element = _unwrap(hint)
        if get_origin(element) is Literal:
            about["choices"] = get_args(element)
        else:
            about["type"] = _pair(element) if kind is dict else _converter(element)
            about["metavar"] = word if positional else ("NAME=" if kind is dict else "") + _type_name(element)
        if kind is not None:
            about["nargs"] = "+"
        if positional:
            group.add_argument(name, **about)
            return
        if default is MISSING:
            about["required"] = True
        elif default is not None and (kind is None or default):
            about["help"] += f" (default: {_format(default)})"
        if kind is not None:  # all words at once, or one by one
            about["action"] = "extend"
        group.add_argument(f"--{word}", dest=name, **about)


def _help_texts(documented: Any) -> dict[str, str]:
    text = docstring_parser.parse(inspect.getdoc(documented) or "")
    return {entry.arg_name: " ".join((entry.description or "").split()) for entry in text.params}


def _collect(hints: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of these parameters or fields that were given; the others keep their defaults."""
    values = {}
    for name, hint in hints.items():
        if isinstance(hint, type) and is_dataclass(hint):
            values[name] = hint(**_collect(get_type_hints(hint), given))
        elif name in given:
            kind, _ = _unwrap(hint)
            values[name] = given[name] if kind is None else kind(given[name])
    return values


def _unwrap(hint: Any) -> tuple[type | None, Any]:
    """Split a type into its collection (list, tuple, dict or None) and the type of its elements."""
    if get_origin(hint) in (Union, types.UnionType):
        members = tuple(member for member in get_args(hint) if member is not types.NoneType)
        return _unwrap(members[0]) if len(members) == 1 else (None, hint)
    origin = get_origin(hint)
    if origin in (list, tuple, Sequence):
        return (tuple if origin is tuple else list), get_args(hint)[0]
    if origin in (dict, Mapping):
        return dict, get_args(hint)[1]
    return None, hint


def _members(hint: Any) -> tuple[Any, ...]:
    members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return tuple(member for member in members if member is not types.NoneType)


def _type_name(hint: Any) -> str:
    return "|".join(TYPE_NAMES[member] for member in _members(hint))


def _converter(hint: Any) -> Callable[[str], Any]:
    """Return what converts a word; of a union, the first type that accepts it."""

    def convert(word: str) -> Any:
        *others, last = _members(hint)
        for member in others:
            try:
                return member(word)
            except ValueError:
                continue
        return last(word)

    convert.__name__ = _type_name(hint).lower()
    return convert


def _pair(hint: Any) -> Callable[[str], tuple[str, Any]]:
    """Return what splits ``NAME=VALUE``."""
    convert = _converter(hint)

    def split(word: str) -> tuple[str, Any]:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError
        return name, convert(value)

    split.__name__ = f"NAME={_type_name(hint)}"
    return split


def _format(default: Any) -> str:
    if isinstance(default, Mapping):
        return " ".join(f"{name}={value}" for name, value in default.items())
    if isinstance(default, (list, tuple)):
        return " ".join(map(str, default))
    return str(default)


def _usage(action: argparse.Action) -> str:
    metavar = action.metavar or "{" + ",".join(map(str, action.choices or ())) + "}"
    word = f"{metavar} [{metavar} ...]" if action.nargs == "+" else str(metavar)
    return f"{action.option_strings[0]} {word}" if action.option_strings else word
