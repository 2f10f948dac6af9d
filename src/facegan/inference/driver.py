"""The driver: whose face moves how, picture by picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from facegan.errors import InputError
from facegan.inference.pictures import read_picture
from facegan.landmarks import COUNT
from facegan.perception import FaceAnalyzer
from facegan.preparation.tracker import CentroidTracker

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from torch import Tensor

    from facegan.perception import Face
    from facegan.preparation.video import VideoReader

LOYALTY = 1.5
"""Another face is followed only if it is so many times larger."""


class Step(NamedTuple):
    """The motion of one frame."""

    time: float
    """Seconds since the start of the driver."""
    motion: Tensor
    """20 numbers."""
    found: bool
    """Whether the frame has a face; else the motion is that of the frame before."""


def read_motion(path: Path) -> Tensor:
    """Motion of the largest face in a picture, 1×20.

    Raises:
        InputError: if the file is no picture, or has no face.
    """
    with FaceAnalyzer(single_images=True) as analyzer:
        faces = analyzer(read_picture(path))
    if not faces:
        raise _no_face(path)
    return torch.from_numpy(faces[0].motion)[None]


def follow(video: VideoReader, rest: Tensor) -> Generator[Step]:
    """Motion of the largest face in every frame of a video.

    Nothing is delivered before the first face is found.

    Args:
        video: the driver.
        rest: motion, 20 numbers, of the frames before the first face.

    Raises:
        InputError: if no frame has a face.
    """
    early: list[float] = []
    motion = None
    for time, face in _faces(video):
        if face is not None:
            if motion is None:
                yield from (Step(before, rest, found=False) for before in early)
            motion = torch.from_numpy(face.motion)
        if motion is None:
            early.append(time)
        else:
            yield Step(time, motion, face is not None)
    if motion is None:
        raise _no_face(video.path)


def _faces(video: VideoReader) -> Iterator[tuple[float, Face | None]]:
    """In each frame the same person, as far as there is a choice."""
    tracker = CentroidTracker()
    followed = None
    with FaceAnalyzer() as analyzer:
        for _, time, image in video.frames():
            faces = analyzer(image, time)
            points = np.array([face.landmarks for face in faces], np.float32).reshape(-1, COUNT, 2)
            extents = np.ptp(points, axis=1).max(axis=1)
            tracks = np.array(tracker.update(points.mean(axis=1), extents, time))
            if not faces:
                yield time, None
                continue
            best = int(np.argmax(np.where(tracks == followed, LOYALTY, 1) * extents))
            followed = tracks[best]
            yield time, faces[best]


def _no_face(path: Path) -> InputError:
    return InputError(f"no face in {path}: choose a driver that shows a face larger and from the front")
