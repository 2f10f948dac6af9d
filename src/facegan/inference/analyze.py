"""Landmarks, pose and action units of every frame, as a table in OpenFace's columns."""

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
    """Writes a row for every face of every frame, and one of zeros for a frame without.

    Frames count from 1, as OpenFace does; ``face_id`` follows a face through the video; angles are
    in radians, action units in 0..5, positions in pixels of the upright frame.

    Args:
        path: a video or a picture.
        out: the CSV file.
        max_faces: at most so many faces a frame.
        overwrite: replace ``out``.
        progress: show a progress bar.

    Returns:
        Number of frames, and of those with a face.

    Raises:
        InputError: if the file is neither video nor picture, or ``out`` exists.
    """
    single = is_image(path)
    frames: Iterable[Frame] = [(0, 0.0, read_image(path))] if single else VideoReader(path).frames()
    count = found = 0
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
            names = tracker.update(faces, image, time)
            writer.writerows(_row(index, time, name, face) for name, face in zip(names, faces, strict=True))
            if not faces:
                writer.writerow([index + 1, 0, f"{time:.3f}"] + [0] * (len(COLUMNS) - 3))
            count += 1
            found += bool(faces)
    return count, found


def _row(index: int, time: float, name: int, face: Face) -> list[object]:
    return [
        index + 1,
        name,
        f"{time:.3f}",
        f"{face.confidence:.2f}",
        1,
        *(f"{angle:.4f}" for angle in face.angles),
        *(f"{intensity:.3f}" for intensity in face.intensities),
        *(f"{value:.2f}" for value in face.landmarks.T.ravel()),
    ]
