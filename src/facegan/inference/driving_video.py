"""The driver: whose face moves how, picture by picture."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import torch

from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.inference.face_choice import MAX_FACES, choose, no_face, too_few
from facegan.perception import FaceAnalyzer
from facegan.perception.face_tracker import CentroidTracker

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.io.video_reader import VideoReader

LOYALTY = 1.5
"""Another face is followed only if it is so many times larger."""


class Step(NamedTuple):
    """One frame."""

    time: float
    """Seconds since the start of the driver."""
    image: NDArray[np.uint8]
    """The frame, H×W×3."""
    motion: Tensor | None
    """20 numbers; those of the frame before if no face is found, None before the first face."""
    found: bool
    """Whether the frame has a face."""
    landmarks: NDArray[np.float32] | None
    """Of that face, 68×2 in pixels; those seen last if none is found."""


def read_step(image: NDArray[np.uint8], name: object, face: int = 1) -> Step:
    """A picture as a driver of one frame.

    Args:
        image: H×W×3, RGB.
        name: what an error calls it.
        face: which of its faces, 1 the largest.

    Raises:
        InputError: if it has no such face.
    """
    with FaceAnalyzer(MAX_FACES, single_images=True, scores=False) as analyzer:
        found = choose(analyzer(image), face, name)
    return Step(0.0, image, torch.from_numpy(found.motion), found=True, landmarks=found.landmarks)


def find_reference(video: VideoReader, which: Literal["first", "neutral"], face: int = 1) -> Tensor:
    """The motion from which a driver's motion is counted, 20 numbers.

    Args:
        video: the driver.
        which: that of the first face, or the one nearest to zero, for which all frames are looked at.
        face: as for :func:`follow`.

    Raises:
        InputError: if no frame has such a face.
    """
    best: Tensor | None = None
    with closing(follow(video, face)) as steps:
        for step in steps:
            if step.found and step.motion is not None:
                if which == "first":
                    return step.motion
                if best is None or step.motion.norm() < best.norm():
                    best = step.motion
    if best is None:  # follow itself says so first
        raise no_face(video.path)
    return best


def follow(video: VideoReader, face: int = 1) -> Generator[Step]:
    """Motion of one face in every frame of a video.

    The largest face is followed as far as it is the same person's, and left for another one that is much
    larger. Any other face is chosen in the first frame that has as many, and not left.

    Args:
        video: the driver.
        face: which of its faces, 1 the largest.

    Raises:
        InputError: in the end, if no frame had so many faces.
    """
    tracker = CentroidTracker()
    followed: _Followed | None = None
    motion: Tensor | None = None
    shown: NDArray[np.float32] | None = None
    most = 0
    with FaceAnalyzer(MAX_FACES if face > 1 else 4, scores=False) as analyzer:
        for _, time, image in video.frames():
            faces = analyzer(image, time)
            most = max(most, len(faces))
            points = np.array([one.landmarks for one in faces], np.float32).reshape(-1, NUM_LANDMARKS, 2)
            places, extents = points.mean(axis=1), np.ptp(points, axis=1).max(axis=1)
            tracks = tracker.update(faces, image, time)
            best = _pick(tracks, places, extents, followed, face)
            if best is not None:
                followed = _Followed(tracks[best], places[best])
                motion, shown = torch.from_numpy(faces[best].motion), points[best]
            yield Step(time, image, motion, best is not None, shown)
    if motion is None:
        raise too_few(video.path, face, most) if most else no_face(video.path)


class _Followed(NamedTuple):
    track: int
    place: NDArray[np.floating]


def _pick(
    tracks: list[int],
    places: NDArray[np.floating],
    extents: NDArray[np.floating],
    followed: _Followed | None,
    face: int,
) -> int | None:
    """Index of the face to take."""
    if not tracks:
        return None
    if face == 1:
        loyal = np.array(tracks) == (followed.track if followed else None)
        return int(np.argmax(np.where(loyal, LOYALTY, 1) * extents))
    if followed is None:
        return int(np.argsort(-extents)[face - 1]) if len(tracks) >= face else None
    if followed.track in tracks:
        return tracks.index(followed.track)
    # Out of sight for so long that its track has ended: it comes back where it was, or not.
    distances = np.linalg.norm(places - followed.place, axis=1) / extents
    nearest = int(np.argmin(distances))
    return nearest if distances[nearest] < 1 else None
