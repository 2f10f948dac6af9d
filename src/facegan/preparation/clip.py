"""One video to the crops of its face tracks."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import cv2
import numpy as np

from facegan import landmarks, motion
from facegan.errors import InputError
from facegan.preparation.crop import Crop, extent, track_side
from facegan.preparation.tracker import CentroidTracker
from facegan.preparation.video import VideoReader
from facegan.preparation.writer import BLENDSHAPES, MESH_POINTS, PartWriter

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.preparation.observer import Observe, Observer, SeenFace
    from facegan.preparation.sources import Clip

MIN_TRACK = 2
"""Frames of a track; fewer make no pair to train on."""
JPEG_QUALITY = 95

SEEN = np.dtype(
    [
        ("frame", np.int32),
        ("track", np.int32),
        ("extent", np.float32),
        ("confidence", np.float32),
        ("mesh", np.float32, (MESH_POINTS, 3)),
        ("blendshapes", np.float32, (BLENDSHAPES,)),
        ("motion", np.float32, (motion.SIZE,)),
    ]
)
"""A usable face of a frame; ``mesh`` in pixels of the frame."""


@dataclass(frozen=True)
class Settings:
    """How crops are made.

    Attributes:
        size: side of the crops in pixels.
        min_face: least width and height of the landmarks' box, in pixels of the video.
        min_confidence: least score of the face detector.
        every: take each ``every``-th frame.
        max_frames: take at most so many frames of a video.
    """

    size: int = 256
    min_face: int = 48
    min_confidence: float = 0.5
    every: int = 1
    max_frames: int | None = None

    def __post_init__(self) -> None:
        for name, least in (
            ("size", 16),
            ("min_face", 0),
            ("min_confidence", 0),
            ("every", 1),
            ("max_frames", 1),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                msg = f"{name} is {value}: it must be {least} or more"
                raise InputError(msg)


@dataclass
class ClipResult:
    """What became of a video.

    Attributes:
        frames: number of frames looked at.
        tracks: name of each track's part to number of crops, in the order of the tracks.
        rejected: reason to number of faces that were found but not used.
        skipped: why the video gave nothing, or None.
        damage: why the video ended early, or None.
    """

    frames: int = 0
    tracks: dict[str, int] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    skipped: str | None = None
    damage: str | None = None


def prepare_clip(clip: Clip, folder: Path, settings: Settings, observe: Observe) -> ClipResult:
    """Finds, follows, crops and parses the faces of a video.

    Two passes: the side of a track's crop is known only at its end. What was seen waits in a temporary
    file, so that memory does not grow with the length of the video.

    Args:
        clip: the video.
        folder: where the tracks' parts are written.
        settings: how.
        observe: what tells the faces and their segmentation.

    Raises:
        InputError: if the video cannot be read, or nothing is known about it.
    """
    video = VideoReader(clip.path)
    result = ClipResult()
    with tempfile.TemporaryFile(dir=folder) as spool, observe(clip) as observer:
        _look(video, spool, settings, observer, result)
        result.damage = video.damage
        count = spool.tell() // SEEN.itemsize
        if count:
            seen = np.memmap(spool, SEEN, mode="r", shape=(count,))
            _cut(video, clip, seen, folder, settings, observer, result)
    if not result.tracks:
        result.skipped = "no usable face"
    return result


def _look(
    video: VideoReader, spool: IO[bytes], settings: Settings, observer: Observer, result: ClipResult
) -> None:
    """First pass: writes the usable faces into the spool."""
    # At a low rate, half a second is less than a frame.
    tracker = CentroidTracker(patience=max(0.5, 2.5 * settings.every / video.rate))
    for index, time, image in islice(video.frames(settings.every), settings.max_frames):
        result.frames += 1
        faces = observer.faces(index, time, image)
        points = np.array([face.landmarks for face in faces], np.float32).reshape(-1, landmarks.COUNT, 2)
        extents = np.ptp(points, axis=1).max(axis=1)
        tracks = tracker.update(points.mean(axis=1), extents, time)
        for face, track, face_extent in zip(faces, tracks, extents, strict=True):
            reason = _flaw(face, image.shape[:2], settings)
            if reason:
                result.rejected[reason] += 1
                continue
            record = (index, track, face_extent, face.confidence)
            spool.write(np.array((*record, face.mesh, face.blendshapes, face.motion), SEEN).tobytes())
    spool.flush()


def _flaw(face: SeenFace, shape: tuple[int, ...], settings: Settings) -> str | None:
    """Why a face is not used, or None."""
    if face.confidence < settings.min_confidence:
        return "uncertain"
    if min(extent(face.landmarks)) < settings.min_face:
        return "too small"
    height, width = shape
    needed = face.landmarks[list(landmarks.RIGHT_EYE + landmarks.LEFT_EYE + landmarks.OUTER_LIPS)]
    if (needed < -0.5).any() or (needed > (width - 0.5, height - 0.5)).any():
        return "outside the picture"
    return None


def _cut(
    video: VideoReader,
    clip: Clip,
    seen: NDArray[np.void],
    folder: Path,
    settings: Settings,
    observer: Observer,
    result: ClipResult,
) -> None:
    """Second pass: crops, segments and writes, a part for each track."""
    frames, tracks, extents = (np.array(seen[name]) for name in ("frame", "track", "extent"))
    sides, last = {}, {}
    for track, length in zip(*np.unique(tracks, return_counts=True), strict=True):
        if length < MIN_TRACK:
            result.rejected["short track"] += int(length)
            continue
        sides[track] = track_side(extents[tracks == track])
        last[track] = frames[tracks == track][-1]
        result.tracks[_part(track)] = int(length)
    writers: dict[int, PartWriter] = {}
    position = 0
    for index, time, image in islice(video.frames(settings.every), settings.max_frames):
        while position < len(seen) and frames[position] == index:
            face, track = seen[position], tracks[position]
            position += 1
            if track not in sides:
                continue
            if track not in writers:
                writers[track] = PartWriter(folder / _part(track))
            crop = Crop.around(landmarks.from_mesh(face["mesh"]), sides[track])
            row = _row(image, crop, face, observer, settings.size)
            row |= {"video": clip.video, "identity": clip.identity, "track": track}
            row |= {"frame": index, "time": time, "fps": video.rate}
            writers[track].write(row)
            if index == last[track]:
                writers.pop(track).close()
        if position == len(seen):
            break


def _part(track: int) -> str:
    return f"{track:06d}.parquet"


def _row(
    image: NDArray[np.uint8], crop: Crop, face: np.void, observer: Observer, size: int
) -> dict[str, Any]:
    picture = crop.cut(image, size)
    mesh = crop.to_crop(face["mesh"], size)
    labels = observer.labels(int(face["frame"]), crop, picture, mesh)
    mesh[:, :2] = landmarks.normalise(mesh[:, :2], size)
    mesh[:, 2] *= 2 / size
    return {
        "image": _encode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), cv2.IMWRITE_JPEG_QUALITY),
        "segmentation": encode_labels(labels),
        "landmarks": landmarks.from_mesh(mesh).ravel(),
        "mesh": mesh.ravel(),
        "motion": face["motion"],
        "blendshapes": face["blendshapes"],
        "confidence": float(face["confidence"]),
        "crop": np.array((crop.x, crop.y, crop.side), np.float32),
    }


def encode_labels(labels: NDArray[np.uint8]) -> bytes:
    """A segmentation as PNG."""
    return _encode(".png", labels)


def _encode(suffix: str, image: NDArray[Any], *quality: int) -> bytes:
    flags = [*quality, JPEG_QUALITY] if quality else []
    return bytes(cv2.imencode(suffix, image, flags)[1])
