"""Select one of the faces of an image by its rank in size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facegan.perception import Face

MAX_FACES = 16
"""Faces that are detected when a certain one is asked for."""


def select_face(faces: Sequence[Face], number: int, name: object) -> Face:
    """Return the face with a rank, 1 for the largest.

    Args:
        faces: faces of an image, the largest first.
        number: the rank.
        name: name of the image in errors.

    Raises:
        InputError: if there is no such face.
    """
    if number < 1:
        msg = f"faces are numbered from 1, the largest first: there is no face {number}"
        raise InputError(msg)
    if len(faces) < number:
        raise missing_face_error(name, number, len(faces))
    return faces[number - 1]


def missing_face_error(name: object, number: int, count: int) -> InputError:
    """Build the error for a face that was not detected.

    Args:
        name: name of the file.
        number: rank of the face that was asked for.
        count: number of faces that were detected.
    """
    if count == 0:
        return InputError(f"no face in {name}: choose one that shows a face larger and from the front")
    faces = "one face was" if count == 1 else f"{count} faces were"
    return InputError(f"there is no face {number} in {name}: {faces} found")
