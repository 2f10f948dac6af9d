"""Driving frames: decode a driving video or image, detect its faces and track one of them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.inference.face_selection import MAX_FACES, missing_face_error, select_face
from facegan.io.prefetch import prefetch
from facegan.io.video_reader import VideoReader
from facegan.perception import FaceAnalyzer
from facegan.perception.face_tracker import CentroidTracker

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

SWITCH_RATIO = 1.5
"""The tracked face is left for another one that is at least this many times larger."""
PREFETCHED_FRAMES = 8


class DrivingFrame(NamedTuple):
    """One driving frame and the motion of its face."""

    time: float
    """Seconds since the start of the video."""
    image: NDArray[np.uint8]
    """H×W×3, RGB."""
    motion: Tensor | None
    """20 motion parameters; the last known ones without a face, None before the first face."""
    detected: bool
    """Whether the frame shows the face."""
    landmarks: NDArray[np.float32] | None
    """68×2 in pixels, like ``motion`` the last known ones."""


class DrivingVideo:
    """Driving video as a sequence of :class:`DrivingFrame`.

    Each iteration decodes the file once; detection and tracking run ahead in a thread.

    Args:
        path: the video.
        face: which face of the first frame that shows as many, 1 for the largest.

    Attributes:
        path: the video.
        reader: decodes the file; has its frame rate and, after an iteration, its decoding error.

    Raises:
        InputError: if the file is not a video; while iterating, before the first frame, if no frame shows
            the face.
    """

    def __init__(self, path: Path, face: int = 1) -> None:
        self.path = path
        self.reader = VideoReader(path)
        self._face = face

    def __iter__(self) -> Generator[DrivingFrame]:
        return prefetch(self._detect(), PREFETCHED_FRAMES)

    def find_neutral_motion(self) -> Tensor:
        """Return the motion parameters of the most neutral frame, that with the smallest norm.

        Decodes the whole video once.

        Raises:
            InputError: if no frame shows the face.
        """
        with closing(track_driving_face(self.reader, self._face)) as frames:
            motions = [frame.motion for frame in frames if frame.detected and frame.motion is not None]
        return min(motions, key=lambda motion: float(motion.norm()))

    def _detect(self) -> Generator[DrivingFrame]:
        with closing(track_driving_face(self.reader, self._face)) as frames:
            first = next(frames)
            if not first.detected:
                # A video without a face must fail before anything is written.
                with closing(track_driving_face(VideoReader(self.path), self._face)) as search:
                    next(frame for frame in search if frame.detected)
            yield first
            yield from frames


def read_driving_image(image: NDArray[np.uint8], name: object, face: int = 1) -> DrivingFrame:
    """Detect the face of a driving image.

    Args:
        image: H×W×3, RGB.
        name: name of the image in errors.
        face: which of its faces, 1 for the largest.

    Raises:
        InputError: if there is no such face.
    """
    with FaceAnalyzer(MAX_FACES, single_images=True, scores=False) as analyzer:
        detected = select_face(analyzer(image), face, name)
    return DrivingFrame(0.0, image, torch.from_numpy(detected.motion), True, detected.landmarks)


def track_driving_face(video: VideoReader, face: int = 1) -> Generator[DrivingFrame]:
    """Detect and track one face through a video.

    The largest face is tracked until another one is much larger. A face of another rank is selected in the
    first frame with as many faces and never left.

    Args:
        video: the driving video.
        face: rank of the face, 1 for the largest.

    Raises:
        InputError: at the end, if no frame shows the face.
    """
    tracker = CentroidTracker()
    target: _Target | None = None
    motion: Tensor | None = None
    landmarks: NDArray[np.float32] | None = None
    most = 0
    with FaceAnalyzer(MAX_FACES if face > 1 else 4, scores=False) as analyzer:
        for _, time, image in video.frames():
            faces = analyzer(image, time)
            most = max(most, len(faces))
            points = np.array([one.landmarks for one in faces], np.float32).reshape(-1, NUM_LANDMARKS, 2)
            centroids, extents = points.mean(axis=1), np.ptp(points, axis=1).max(axis=1)
            tracks = tracker.update(faces, image, time)
            best = _select_target(tracks, centroids, extents, target, face)
            if best is not None:
                target = _Target(tracks[best], centroids[best])
                motion, landmarks = torch.from_numpy(faces[best].motion), points[best]
            yield DrivingFrame(time, image, motion, best is not None, landmarks)
    if motion is None:
        raise missing_face_error(video.path, face, most)


class _Target(NamedTuple):
    track: int
    centroid: NDArray[np.floating]


def _select_target(
    tracks: list[int],
    centroids: NDArray[np.floating],
    extents: NDArray[np.floating],
    target: _Target | None,
    face: int,
) -> int | None:
    """Return the index of the tracked face among the faces of a frame."""
    if not tracks:
        return None
    if face == 1:
        is_target = np.array(tracks) == (target.track if target else None)
        return int(np.argmax(np.where(is_target, SWITCH_RATIO, 1) * extents))
    if target is None:
        return int(np.argsort(-extents)[face - 1]) if len(tracks) >= face else None
    if target.track in tracks:
        return tracks.index(target.track)
    # Its track ended while it was out of sight: it is recognized by its place.
    distances = np.linalg.norm(centroids - target.centroid, axis=1) / extents
    nearest = int(np.argmin(distances))
    return nearest if distances[nearest] < 1 else None
