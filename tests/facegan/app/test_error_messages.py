from pathlib import Path

import gradio
import pytest

from facegan.app.error_messages import UNEXPECTED, display_errors, rename_files
from facegan.errors import InputError


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            InputError("no face in the driving file: choose another"),
            "No face in the driving file: choose another",
        ),
        (InputError("cannot read /srv/model/config.json"), UNEXPECTED),
        (InputError("cannot read '~/x'"), UNEXPECTED),
        (InputError("5 frames/second is too many"), "5 frames/second is too many"),
        (ValueError("/srv/secret"), UNEXPECTED),
        (OSError("no space on /srv/x"), UNEXPECTED),
    ],
)
def test_display_errors_raises_sentence_without_paths(error, sentence):
    @display_errors
    def handler():
        raise error

    @display_errors
    def generate():
        yield 1
        raise error

    with pytest.raises(gradio.Error) as raised:
        handler()
    assert raised.value.message == sentence
    assert not raised.value.print_exception
    values = generate()
    assert next(values) == 1
    with pytest.raises(gradio.Error) as raised:
        next(values)
    assert raised.value.message == sentence


def test_rename_files_replaces_paths_in_errors():
    path = Path("/t/files/a/me.png")
    with (
        pytest.raises(InputError, match="cannot read the source image"),
        rename_files({path: "the source image"}),
    ):
        raise InputError(f"cannot read {path}")
