import errno
from pathlib import Path

import gradio
import pytest

from facegan.app.messages import FULL, UNEXPECTED, in_sentences, naming
from facegan.errors import InputError


def raising(error):
    @in_sentences
    def handler():
        raise error

    return handler


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InputError("no face in the driver: choose another"), "No face in the driver: choose another"),
        (InputError("cannot read /srv/model/config.json"), UNEXPECTED),
        (InputError("cannot read '~/x'"), UNEXPECTED),
        (InputError("5 frames/second is too many"), "5 frames/second is too many"),
        (ValueError("/srv/secret"), UNEXPECTED),
        (OSError(errno.ENOSPC, "full", "/srv/x"), FULL),
        (OSError(errno.EACCES, "no", "/srv/x"), UNEXPECTED),
    ],
)
def test_errors_are_sentences(error, sentence):
    with pytest.raises(gradio.Error) as raised:
        raising(error)()
    assert raised.value.message == sentence
    assert not raised.value.print_exception


def test_in_the_middle_of_a_generator():
    @in_sentences
    def handler():
        yield 1
        raise InputError("bad")

    frames = handler()
    assert next(frames) == 1
    with pytest.raises(gradio.Error, match="Bad"):
        next(frames)


def test_files_are_called_by_what_the_user_knows():
    inner, outer = Path("/t/files/a/me.png"), Path("/t/files/a")
    with (
        pytest.raises(InputError, match="cannot read the photograph in the folder"),
        naming({outer: "the folder", inner: "the photograph"}),
    ):
        raise InputError(f"cannot read {inner} in {outer}")
