"""Landmarks, pose and action units of every frame as a CSV file with OpenFace's columns."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track

from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.geometry.motion import ACTION_UNITS
from facegan.io.atomic import atomic_file
from facegan.io.images import is_image, read_image
from facegan.io.video_reader import VideoReader
from facegan.perception import FaceAnalyzer
from facegan.perception.face_tracker import CentroidTracker

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from facegan.io.video_reader import Frame
    from facegan.perception import Face

COLUMNS: tuple[str, ...] = (
    *("frame", "face_id", "timestamp", "confidence", "success", "pose_Rx", "pose_Ry", "pose_Rz"),
    *(f"{name}_r" for name in ACTION_UNITS),
    *(f"{axis}_{index}" for axis in "xy" for index in range(NUM_LANDMARKS)),
)


def analyze(
    path: Path, out: Path, *, max_faces: int = 4, overwrite: bool = False, progress: bool = True
) -> tuple[int, int]:
    """Write a row for every face of every frame, and a row of zeros for a frame without a face.

    Frames are numbered from 1 as in OpenFace, ``face_id`` is the track of the face; angles are in radians,
    action units in 0..5, positions in pixels of the upright frame.

    Args:
        path: an image or a video.
        out: the CSV file.
        max_faces: maximum number of faces per frame.
        overwrite: replace ``out``.
        progress: show a progress bar.

    Returns:
        Number of frames, and number of frames with a face.

    Raises:
        InputError: if the file is neither an image nor a video, or ``out`` exists.
    """
    single = is_image(path)
    frames: Iterable[Frame] = [(0, 0.0, read_image(path))] if single else VideoReader(path).frames()
    num_frames = num_detected = 0
    console = Console(stderr=True)
    with (
        atomic_file(out, overwrite=overwrite) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
        FaceAnalyzer(max_faces, single_images=single) as analyzer,
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        tracker = CentroidTracker(max_age=0.5)
        for index, time, image in track(frames, "analyzing", console=console, disable=not progress):
            faces = analyzer(image, time)
            tracks = tracker.update(faces, image, time)
            writer.writerows(
                _to_row(index, time, track_id, face) for track_id, face in zip(tracks, faces, strict=True)
            )
            if not faces:
                writer.writerow([index + 1, 0, f"{time:.3f}"] + [0] * (len(COLUMNS) - 3))
            num_frames += 1
            num_detected += bool(faces)
    return num_frames, num_detected


def _to_row(index: int, time: float, track_id: int, face: Face) -> list[object]:
    return [
        index + 1,
        track_id,
        f"{time:.3f}",
        f"{face.confidence:.2f}",
        1,
        *(f"{angle:.4f}" for angle in face.angles),
        *(f"{intensity:.3f}" for intensity in face.intensities),
        *(f"{value:.2f}" for value in face.landmarks.T.ravel()),
    ]
