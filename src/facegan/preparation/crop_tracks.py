"""Crop the face tracks of one video."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np

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
from facegan.perception.face_tracker import MAX_SIZE_RATIO, CentroidTracker
from facegan.preparation.dataset_format import NUM_BLENDSHAPES, NUM_MESH_POINTS, TRACK_SCHEMA
from facegan.preparation.identity_clustering import TrackEmbedder
from facegan.preparation.image_sequence import ImageSequenceReader
from facegan.preparation.shard_writer import RowWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.io.video_reader import Frame
    from facegan.preparation.face_annotator import AnnotatedFace, AnnotatorFactory, FaceAnnotator
    from facegan.preparation.prepare_config import PrepareConfig
    from facegan.preparation.sources import VideoClip

Reader: TypeAlias = "VideoReader | ImageSequenceReader"

PITCH, YAW = (MOTION_NAMES.index(name) for name in ("pitch", "yaw"))
EMBEDDED_CROPS = (0, 5, 15, 35, 75, 155, 315)
"""Crops of a track whose face embeddings are averaged: ever further apart, which bounds their number."""
MIN_TRACK_LENGTH = 2
"""Frames; a shorter track gives no training pair."""
MIN_CONFIDENCE = 0.5
MAX_TRACK_AGE = 0.5
"""Seconds without a detection after which a track ends."""
JPEG_QUALITY = 95

FACE_RECORD = np.dtype(
    [
        ("frame", np.int32),
        ("track", np.int32),
        ("extent", np.float32),
        ("confidence", np.float32),
        ("mesh", np.float32, (NUM_MESH_POINTS, 3)),
        ("blendshapes", np.float32, (NUM_BLENDSHAPES,)),
        ("motion", np.float32, (NUM_MOTION_PARAMS,)),
    ]
)
"""A usable face of a frame; ``mesh`` in pixels of the frame."""


@dataclass
class ClipResult:
    """Result of one video.

    Attributes:
        frames: number of frames processed.
        tracks: file name of each track, in their order, to its number of crops.
        embeddings: file name of each track to its mean face embedding, if identities are to be clustered.
        rejected: reason to number of faces that were detected but not used.
        skipped: why the video gave no crops, or None.
        decode_error: why decoding ended early, or None.
        sha256: hash of the video, or None if it cannot be read.
    """

    frames: int = 0
    tracks: dict[str, int] = field(default_factory=dict)
    embeddings: dict[str, list[float]] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    skipped: str | None = None
    decode_error: str | None = None
    sha256: str | None = None


def prepare_clip(
    clip: VideoClip, folder: Path, config: PrepareConfig, annotate: AnnotatorFactory
) -> ClipResult:
    """Detect, track, crop and segment the faces of a video in two passes.

    The crop size of a track is known only at its end. Between the passes the detected faces are in a
    temporary file, so that memory does not grow with the length of the video.

    Args:
        clip: the video.
        folder: where a file of each track is written.
        config: which frames and faces are used.
        annotate: opens the annotator of the clip.

    Raises:
        InputError: if the video cannot be read, or has no annotation.
    """
    video = ImageSequenceReader(clip.images) if clip.images else VideoReader(clip.path)
    result = ClipResult()
    with tempfile.TemporaryFile(dir=folder) as spool, annotate(clip) as annotator:
        _annotate_frames(video, spool, config, annotator, result)
        result.decode_error = video.decode_error
        if spool.tell():
            _CropWriter(clip, folder, config, annotator, result).write(video, spool)
    if not result.tracks:
        reasons = ", ".join(f"{count} {reason}" for reason, count in result.rejected.most_common())
        result.skipped = f"no usable face ({reasons or 'none detected'})"
    return result


def encode_segmentation(labels: NDArray[np.uint8]) -> bytes:
    """Encode an S×S segmentation as PNG."""
    return bytes(cv2.imencode(".png", labels)[1])


def _sampled_frames(video: Reader, config: PrepareConfig) -> Iterator[Frame]:
    return islice(video.frames(config.frame_stride, config.sample_fps), config.max_frames)


def _annotate_frames(
    video: Reader, spool: IO[bytes], config: PrepareConfig, annotator: FaceAnnotator, result: ClipResult
) -> None:
    """First pass: write the usable faces into the spool."""
    if isinstance(video, ImageSequenceReader):
        # One face of each image is selected. A track of frames ends where its size changes.
        ratio = math.inf if video.are_photos else MAX_SIZE_RATIO
        tracker = CentroidTracker(max_distance=math.inf, max_ratio=ratio, max_age=math.inf)
    else:
        # At a low frame rate, the maximal age is less than a frame.
        step = max(config.frame_stride / video.fps, 1 / config.sample_fps if config.sample_fps else 0)
        tracker = CentroidTracker(max_age=max(MAX_TRACK_AGE, 2.5 * step))
    shot = 0
    for index, time, image in _sampled_frames(video, config):
        result.frames += 1
        if video.shot_index != shot:
            shot = video.shot_index
            tracker.reset()
        faces = annotator.annotate(index, time, image)
        for face, track in zip(faces, tracker.update(faces, image, time), strict=True):
            reason = _rejection_reason(face, image.shape[:2], config)
            if reason:
                result.rejected[reason] += 1
                continue
            record = (index, track, max(landmark_extent(face.landmarks)), face.confidence)
            spool.write(np.array((*record, face.mesh, face.blendshapes, face.motion), FACE_RECORD).tobytes())
    spool.flush()


def _rejection_reason(face: AnnotatedFace, shape: tuple[int, ...], config: PrepareConfig) -> str | None:
    if face.confidence < MIN_CONFIDENCE:
        return "low confidence"
    if min(landmark_extent(face.landmarks)) < config.min_face:
        return "too small"
    if np.abs(face.motion[[PITCH, YAW]]).max() * np.degrees(POSE_SCALE) > config.max_angle:
        return "extreme pose"
    height, width = shape
    inner = face.landmarks[list(RIGHT_EYE + LEFT_EYE + OUTER_LIPS)]
    if (inner < -0.5).any() or (inner > (width - 0.5, height - 0.5)).any():
        return "outside the image"
    return None


class _CropWriter:
    """Second pass: crop, segment and write, one file for each track."""

    def __init__(
        self,
        clip: VideoClip,
        folder: Path,
        config: PrepareConfig,
        annotator: FaceAnnotator,
        result: ClipResult,
    ) -> None:
        self.clip, self.folder, self.config = clip, folder, config
        self.annotator, self.result = annotator, result
        self.writers: dict[int, RowWriter] = {}
        self.counts: Counter[int] = Counter()
        self.embedder = TrackEmbedder() if config.cluster else None

    def write(self, video: Reader, spool: IO[bytes]) -> None:
        """Write the crops of the faces in the spool, in their order."""
        frames, tracks, extents = _read_columns(spool, "frame", "track", "extent")
        spool.seek(0)
        sides = {track: track_side(extents[tracks == track]) for track in np.unique(tracks).tolist()}
        last = {track: frames[tracks == track][-1] for track in sides}
        position = 0
        for index, time, image in _sampled_frames(video, self.config):
            while position < len(frames) and frames[position] == index:
                face, track = next(_read_records(spool, 1))[0], int(tracks[position])
                position += 1
                self._write_crop(image, face, track, sides[track], {"time": time, "fps": video.fps})
                if index == last[track]:
                    self._end_track(track)
            if position == len(frames):
                break
        for track in list(self.writers):
            self._end_track(track)
        self.result.tracks = dict(sorted(self.result.tracks.items()))

    def _write_crop(
        self, image: NDArray[np.uint8], face: np.void, track: int, side: float, row: dict[str, Any]
    ) -> None:
        size = self.config.size
        crop = Crop.around(landmarks_from_mesh(face["mesh"]), side)
        crop_image, mesh = crop.cut(image, size), crop.to_crop(face["mesh"], size)
        labels = self.annotator.segment(int(face["frame"]), crop, crop_image, mesh)
        row |= {"video": self.clip.video, "track": track, "frame": int(face["frame"])}
        row |= _encode_crop(crop_image, labels, mesh, crop, face)
        if track not in self.writers:
            self.writers[track] = RowWriter(self.folder / _track_file(track), TRACK_SCHEMA)
        self.writers[track].write(row)
        if self.embedder and self.counts[track] in EMBEDDED_CROPS:
            self.embedder.add(track, crop_image, row["landmarks"])
        self.counts[track] += 1

    def _end_track(self, track: int) -> None:
        """Close the file of a track; remove it if the track is too short."""
        name = _track_file(track)
        self.writers.pop(track).close()
        if self.counts[track] < MIN_TRACK_LENGTH:
            self.result.rejected["short track"] += self.counts[track]
            (self.folder / name).unlink()
            return
        self.result.tracks[name] = self.counts[track]
        if self.embedder:
            self.result.embeddings[name] = self.embedder.mean_embedding(track)


def _read_columns(spool: IO[bytes], *names: str) -> list[NDArray[Any]]:
    """Read a few columns of all records; a whole record takes 6 kB."""
    spool.seek(0)
    pieces = [[piece[name].copy() for name in names] for piece in _read_records(spool, 256)]
    return [np.concatenate(column) for column in zip(*pieces, strict=True)]


def _read_records(spool: IO[bytes], count: int) -> Iterator[NDArray[np.void]]:
    """Read the rest of the spool, so many records at a time."""
    while data := spool.read(count * FACE_RECORD.itemsize):
        yield np.frombuffer(data, FACE_RECORD)


def _track_file(track: int) -> str:
    return f"{track:06d}.parquet"


def _encode_crop(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    mesh: NDArray[np.float32],
    crop: Crop,
    face: np.void,
) -> dict[str, Any]:
    size = len(image)
    mesh = mesh.copy()
    mesh[:, :2] = normalize_points(mesh[:, :2], size)
    mesh[:, 2] *= 2 / size
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return {
        "image": bytes(cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))[1]),
        "segmentation": encode_segmentation(labels),
        "landmarks": landmarks_from_mesh(mesh).ravel(),
        "mesh": mesh.ravel(),
        "motion": face["motion"],
        "blendshapes": face["blendshapes"],
        "confidence": float(face["confidence"]),
        "crop": np.array((crop.x, crop.y, crop.side), np.float32),
    }
