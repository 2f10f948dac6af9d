"""The command line that a function's signature and docstring describe."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsonargparse import ArgumentParser

ELEMENTS: dict[Any, type] = {list[str] | None: str, list[Path]: Path}
"""Of lists."""


def parser_of(name: str, command: Callable[..., int | None]) -> ArgumentParser:
    """Positional parameters become positional arguments, the others options.

    Args:
        name: of the command.
        command: whose docstring, in Google's style, tells each parameter.
    """
    import docstring_parser
    from jsonargparse import ArgumentParser

    text = docstring_parser.parse(inspect.getdoc(command) or "")
    helps = {parameter.arg_name: parameter.description for parameter in text.params}
    parser = ArgumentParser(
        prog=f"facegan {name}",
        description=f"{text.short_description}\n\n{text.long_description}",
        exit_on_error=False,
    )
    hints = get_type_hints(command)
    for parameter in inspect.signature(command).parameters.values():
        hint, required = hints[parameter.name], parameter.default is parameter.empty
        option = parameter.name
        about: dict[str, Any] = {"help": helps[parameter.name]}
        if parameter.kind is parameter.KEYWORD_ONLY:
            option = "--" + parameter.name.replace("_", "-")
            about |= {"required": True} if required else {"default": parameter.default}
        if parameter.default is False:
            about["action"] = "store_true"
        elif hint in ELEMENTS:
            about |= {"nargs": "+", "type": ELEMENTS[hint]}
            if option != parameter.name:  # at once, or one by one
                about["action"] = "extend"
        elif hint == str | None:
            about["type"] = str  # as it is: in YAML a color, #204080, would be a comment
        elif (choices := _choices(hint)) is not None:
            about |= {"type": str, "choices": choices}
        else:
            about["type"] = hint
        parser.add_argument(option, **about)
    return parser


def _choices(hint: Any) -> tuple[str, ...] | None:
    """Of a Literal, or one that may be None."""
    literals = [kind for kind in (hint, *get_args(hint)) if get_origin(kind) is Literal]
    return get_args(literals[0]) if literals else None
