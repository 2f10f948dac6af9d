"""What a user is told when something goes wrong: a sentence, and nothing about the server."""

from __future__ import annotations

import errno
import functools
import inspect
import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import gradio

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

P = ParamSpec("P")
R = TypeVar("R")

UNEXPECTED = "Something went wrong on the server. Please try again, perhaps with other files."
FULL = "The disk of the server is full. Please try again later."

PATH = re.compile(r"""(?:^|[\s'"(])(?:~?/|[A-Za-z]:\\)\w""")

log = logging.getLogger(__name__)


@contextmanager
def naming(files: Mapping[Path, str]) -> Iterator[None]:
    """Errors inside the block call these files by what the user knows them as."""
    try:
        yield
    except InputError as error:
        raise InputError(rename(str(error), files)) from error


def rename(message: str, files: Mapping[Path, str]) -> str:
    """Replaces paths in a message by names."""
    # The longest first, in case one lies inside another.
    for path, name in sorted(files.items(), key=lambda item: -len(str(item[0]))):
        message = message.replace(str(path), name)
    return message


def in_sentences(handler: Callable[P, R]) -> Callable[P, R]:
    """A handler of the page whose errors are sentences; what nobody expected goes to the server's log.

    Generators stay generators.
    """
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def generate(*args: P.args, **kwargs: P.kwargs) -> Iterator[object]:
            with _sentences():
                yield from handler(*args, **kwargs)

        return generate  # type: ignore[return-value]

    @functools.wraps(handler)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with _sentences():
            return handler(*args, **kwargs)

    return call


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except gradio.Error:
        raise
    except InputError as error:
        text = str(error)
        if PATH.search(text):
            log.warning("not shown to the user: %s", text)
            text = UNEXPECTED
        raise _shown(text) from error
    except OSError as error:
        log.exception("the page")
        raise _shown(FULL if error.errno == errno.ENOSPC else UNEXPECTED) from error
    except Exception as error:
        log.exception("the page")
        raise _shown(UNEXPECTED) from error


def _shown(text: str) -> gradio.Error:
    return gradio.Error(text[:1].upper() + text[1:], title="That did not work", print_exception=False)
