"""Errors as the page displays them: one sentence without paths of the server."""

from __future__ import annotations

import functools
import inspect
import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import gradio as gr

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

P = ParamSpec("P")
R = TypeVar("R")

UNEXPECTED = "Something went wrong on the server. Please try again, perhaps with other files."
PATH = re.compile(r"""(?:^|[\s'"(])(?:~?/|[A-Za-z]:\\)\w""")

log = logging.getLogger(__name__)


def replace_paths(message: str, names: Mapping[Path, str]) -> str:
    """Replace paths in a message by names that the user knows."""
    for path, name in names.items():
        message = message.replace(str(path), name)
    return message


@contextmanager
def rename_files(names: Mapping[Path, str]) -> Iterator[None]:
    """Replace paths in the message of an InputError by names."""
    try:
        yield
    except InputError as error:
        raise InputError(replace_paths(str(error), names)) from error


def display_errors(handler: Callable[P, R]) -> Callable[P, R]:
    """Wrap an event handler so that its errors become messages on the page.

    gradio displays ``gr.Error`` alone, and nothing of other exceptions. Here an InputError becomes one,
    unless it names a path; what is unexpected is logged and a general sentence is displayed.
    Generators stay generators.
    """
    if not inspect.isgeneratorfunction(handler):
        return _gradio_errors()(handler)

    @functools.wraps(handler)
    def generate(*args: P.args, **kwargs: P.kwargs) -> Iterator[object]:
        with _gradio_errors():
            yield from handler(*args, **kwargs)

    return generate  # type: ignore[return-value]


@contextmanager
def _gradio_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        text = str(error)
        if not isinstance(error, InputError) or PATH.search(text):
            log.exception("error of the page")
            text = UNEXPECTED
        raise gr.Error(text[:1].upper() + text[1:], print_exception=False) from error
