"""Which of several faces is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facegan.perception import Face

MAX_FACES = 16
"""So many are looked for where somebody asks for a certain one."""


def choose(faces: Sequence[Face], number: int, name: object) -> Face:
    """The face of a number, counted from 1, the largest first.

    Args:
        faces: of a picture, the largest first.
        number: of the face.
        name: what an error calls the picture.

    Raises:
        InputError: if there is no such face.
    """
    if number < 1:
        msg = f"faces are numbered from 1, the largest first: there is no face {number}"
        raise InputError(msg)
    if not faces:
        raise no_face(name)
    if number > len(faces):
        raise too_few(name, number, len(faces))
    return faces[number - 1]


def no_face(name: object) -> InputError:
    """Nothing was found."""
    return InputError(f"no face in {name}: choose one that shows a face larger and from the front")


def too_few(name: object, number: int, count: int) -> InputError:
    """Something was found, but not enough."""
    faces = "one face was" if count == 1 else f"{count} faces were"
    return InputError(f"there is no face {number} in {name}: {faces} found")
