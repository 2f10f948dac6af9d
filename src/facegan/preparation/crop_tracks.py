"""One video to the crops of its face tracks."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np

from facegan.errors import InputError
from facegan.geometry.crop import Crop, landmark_extent, track_side
from facegan.geometry.landmarks import (
    LEFT_EYE,
    OUTER_LIPS,
    RIGHT_EYE,
    landmarks_from_mesh,
    normalize_points,
)
from facegan.geometry.motion import MOTION_NAMES, NUM_MOTION_PARAMS, POSE_SCALE
from facegan.io.video_reader import VideoReader
from facegan.perception.face_tracker import CentroidTracker
from facegan.preparation.identity_clustering import FaceEmbedder
from facegan.preparation.image_sequence import ImageSequenceReader
from facegan.preparation.quality import covered, fingerprint, sharpness
from facegan.preparation.shard_writer import BLENDSHAPES, MESH_POINTS, PartWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.preparation.face_annotator import AnnotatedFace, Observe, Observer
    from facegan.preparation.sources import Clip

Reader: TypeAlias = "VideoReader | ImageSequenceReader"

PITCH, YAW = (MOTION_NAMES.index(name) for name in ("pitch", "yaw"))
RECOGNISED = (0, 5, 15, 35, 75, 155, 315)
"""Crops of a track by which its person is known: more and more apart, so that a long track costs no more."""
MIN_TRACK = 2
"""Frames of a track; fewer make no pair to train on."""
MIN_RATE = 0.01
"""Frames a second."""
JPEG_QUALITY = 95

SEEN = np.dtype(
    [
        ("frame", np.int32),
        ("track", np.int32),
        ("extent", np.float32),
        ("confidence", np.float32),
        ("mesh", np.float32, (MESH_POINTS, 3)),
        ("blendshapes", np.float32, (BLENDSHAPES,)),
        ("motion", np.float32, (NUM_MOTION_PARAMS,)),
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
        rate: of these take so many a second; None for all.
        max_frames: take at most so many frames of a video.
        max_angle: largest pitch and yaw in degrees.
        min_sharpness: least :func:`facegan.preparation.quality.sharpness`.
        max_covered: largest :func:`facegan.preparation.quality.covered`.
        min_change: least mean difference, of 255, from the crop before in its track.
        recognize: embed the faces, so that tracks can be named by :func:`cluster_identities`.
    """

    size: int = 256
    min_face: int = 48
    min_confidence: float = 0.5
    every: int = 1
    rate: float | None = None
    max_frames: int | None = None
    max_angle: float = 60
    min_sharpness: float = 0
    max_covered: float = 1
    min_change: float = 0
    recognize: bool = False

    def __post_init__(self) -> None:
        for name, least in (
            ("size", 16),
            ("min_face", 0),
            ("min_confidence", 0),
            ("every", 1),
            ("max_frames", 1),
            ("rate", MIN_RATE),
            ("max_angle", 0),
            ("min_sharpness", 0),
            ("max_covered", 0),
            ("min_change", 0),
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
        embeddings: of each track's faces, if they were recognized.
        rejected: reason to number of faces that were found but not used.
        skipped: why the video gave nothing, or None.
        damage: why the video ended early, or None.
        sha256: of the video, or None if it cannot be read.
    """

    frames: int = 0
    tracks: dict[str, int] = field(default_factory=dict)
    embeddings: dict[str, list[float]] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    skipped: str | None = None
    damage: str | None = None
    sha256: str | None = None


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
    video = ImageSequenceReader(clip.pictures) if clip.pictures else VideoReader(clip.path)
    result = ClipResult()
    with tempfile.TemporaryFile(dir=folder) as spool, observe(clip) as observer:
        _look(video, spool, settings, observer, result)
        result.damage = video.decode_error
        if spool.tell():
            _Cutter(clip, folder, settings, observer, result).run(video, spool)
    if not result.tracks:
        reasons = ", ".join(f"{count} {reason}" for reason, count in result.rejected.most_common())
        result.skipped = f"no usable face ({reasons or 'none seen'})"
    return result


def _look(
    video: Reader, spool: IO[bytes], settings: Settings, observer: Observer, result: ClipResult
) -> None:
    """First pass: writes the usable faces into the spool."""
    if isinstance(video, ImageSequenceReader):
        # It is known who is meant; a track ends where the size changes.
        tracker = CentroidTracker(max_distance=math.inf, max_age=math.inf)
    else:
        # At a low rate, half a second is less than a frame.
        step = max(settings.every / video.fps, 1 / settings.rate if settings.rate else 0)
        tracker = CentroidTracker(max_age=max(0.5, 2.5 * step))
    shot = 0
    for index, time, image in islice(video.frames(settings.every, settings.rate), settings.max_frames):
        result.frames += 1
        if video.shot_index != shot:
            shot = video.shot_index
            tracker.reset()
        faces = observer.faces(index, time, image)
        for face, track in zip(faces, tracker.update(faces, image, time), strict=True):
            reason = _flaw(face, image.shape[:2], settings)
            if reason:
                result.rejected[reason] += 1
                continue
            record = (index, track, max(landmark_extent(face.landmarks)), face.confidence)
            spool.write(np.array((*record, face.mesh, face.blendshapes, face.motion), SEEN).tobytes())
    spool.flush()


def _flaw(face: AnnotatedFace, shape: tuple[int, ...], settings: Settings) -> str | None:
    """Why a face is not used, or None."""
    if face.confidence < settings.min_confidence:
        return "uncertain"
    if min(landmark_extent(face.landmarks)) < settings.min_face:
        return "too small"
    if np.abs(face.motion[[PITCH, YAW]]).max() * np.degrees(POSE_SCALE) > settings.max_angle:
        return "extreme pose"
    height, width = shape
    needed = face.landmarks[list(RIGHT_EYE + LEFT_EYE + OUTER_LIPS)]
    if (needed < -0.5).any() or (needed > (width - 0.5, height - 0.5)).any():
        return "outside the picture"
    return None


class _Cutter:
    """Second pass: crops, segments and writes, a part for each track."""

    def __init__(
        self, clip: Clip, folder: Path, settings: Settings, observer: Observer, result: ClipResult
    ) -> None:
        self.clip, self.folder, self.settings = clip, folder, settings
        self.observer, self.result = observer, result
        self.writers: dict[int, PartWriter] = {}
        self.counts: Counter[int] = Counter()
        self.before: dict[int, NDArray[np.float32]] = {}
        self.recognizer = FaceEmbedder() if settings.recognize else None

    def run(self, video: Reader, spool: IO[bytes]) -> None:
        """Writes the crops of the faces that were seen, in their order."""
        frames, tracks, extents = _columns(spool, "frame", "track", "extent")
        spool.seek(0)
        sides = {track: track_side(extents[tracks == track]) for track in np.unique(tracks).tolist()}
        last = {track: frames[tracks == track][-1] for track in sides}
        position = 0
        for index, time, image in islice(
            video.frames(self.settings.every, self.settings.rate), self.settings.max_frames
        ):
            while position < len(frames) and frames[position] == index:
                face, track = next(_records(spool, 1))[0], int(tracks[position])
                position += 1
                self._take(image, face, track, sides[track], {"time": time, "fps": video.fps})
                if index == last[track]:
                    self._end(track)
            if position == len(frames):
                break
        for track in list(self.writers):
            self._end(track)
        self.result.tracks = dict(sorted(self.result.tracks.items()))

    def _take(
        self, image: NDArray[np.uint8], face: np.void, track: int, side: float, row: dict[str, Any]
    ) -> None:
        size = self.settings.size
        crop = Crop.around(landmarks_from_mesh(face["mesh"]), side)
        picture, mesh = crop.cut(image, size), crop.to_crop(face["mesh"], size)
        labels = self.observer.labels(int(face["frame"]), crop, picture, mesh)
        reason = self._flaw(picture, mesh, labels, track)
        if reason:
            self.result.rejected[reason] += 1
            return
        if track not in self.writers:
            self.writers[track] = PartWriter(self.folder / _part(track))
        row |= {"video": self.clip.video, "track": track}
        row |= {"frame": int(face["frame"])} | _row(picture, labels, mesh, crop, face)
        self.writers[track].write(row)
        if self.recognizer and self.counts[track] in RECOGNISED:
            self.recognizer.add(track, picture, row["landmarks"])
        self.counts[track] += 1

    def _flaw(
        self, picture: NDArray[np.uint8], mesh: NDArray[np.float32], labels: NDArray[np.uint8], track: int
    ) -> str | None:
        """Why a crop is not used, or None."""
        if self.settings.min_sharpness and sharpness(picture, mesh) < self.settings.min_sharpness:
            return "blurred"
        if covered(labels, mesh) > self.settings.max_covered:
            return "covered"
        small = fingerprint(picture)
        before = self.before.get(track)
        if before is not None and float(np.abs(small - before).mean()) < self.settings.min_change:
            return "near-duplicate"
        self.before[track] = small
        return None

    def _end(self, track: int) -> None:
        """Closes the part of a track; one that is too short is removed."""
        if track not in self.writers:
            return
        self.writers.pop(track).close()
        if self.counts[track] < MIN_TRACK:
            self.result.rejected["short track"] += self.counts[track]
            (self.folder / _part(track)).unlink()
        else:
            self.result.tracks[_part(track)] = self.counts[track]
            if self.recognizer:
                self.result.embeddings[_part(track)] = self.recognizer.embedding(track)


def _columns(spool: IO[bytes], *names: str) -> list[NDArray[Any]]:
    """The numbers that are needed of all faces at once; the whole records, 6 kB each, stay on disk."""
    spool.seek(0)
    pieces = [[piece[name].copy() for name in names] for piece in _records(spool, 256)]
    return [np.concatenate(column) for column in zip(*pieces, strict=True)]


def _records(spool: IO[bytes], count: int) -> Iterator[NDArray[np.void]]:
    """What the spool holds from here on, so many at a time."""
    while data := spool.read(count * SEEN.itemsize):
        yield np.frombuffer(data, SEEN)


def _part(track: int) -> str:
    return f"{track:06d}.parquet"


def _row(
    picture: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    mesh: NDArray[np.float32],
    crop: Crop,
    face: np.void,
) -> dict[str, Any]:
    size = len(picture)
    mesh = mesh.copy()
    mesh[:, :2] = normalize_points(mesh[:, :2], size)
    mesh[:, 2] *= 2 / size
    return {
        "image": _encode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), cv2.IMWRITE_JPEG_QUALITY),
        "segmentation": encode_labels(labels),
        "landmarks": landmarks_from_mesh(mesh).ravel(),
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
