"""Prepare synthetic videos with their ground truth in place of detections."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from facegan.errors import InputError
from facegan.geometry.segmentation import LABELS
from facegan.parallel.workers import worker_count
from facegan.preparation.dataset_format import NUM_BLENDSHAPES, NUM_MESH_POINTS
from facegan.preparation.face_annotator import AnnotatedFace, FaceAnnotator
from facegan.preparation.prepare import DEFAULT_CONFIG, write_dataset
from facegan.preparation.shard_writer import check_output
from facegan.preparation.sources import find_videos
from synthetic_heads import GROUND_TRUTH_FILE, GroundTruth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from facegan.geometry.crop import Crop
    from facegan.preparation import PrepareConfig, Summary, VideoClip

SMOOTHING_SIGMA = 0.01
"""Standard deviation of the smoothing as a share of the crop's side: thinner structures are merged."""


def prepare_synthetic(
    source_dir: Path,
    out: Path,
    config: PrepareConfig = DEFAULT_CONFIG,
    *,
    seed: int = 0,
    workers: int | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Summary:
    """Prepare a data set of synthetic heads: images from the videos, all else from the ground truth.

    Format, crops, splits and resumption are those of :func:`facegan.preparation.prepare_videos`.

    Args:
        source_dir: folder that :func:`facegan.preparation.synthesize.synthesize` wrote.
        out: folder of the data set.
        config: which frames and faces are used; without a limit of the pose.
        seed: of the split by identity.
        workers: number of processes; by default one per core.
        overwrite: replace a data set at ``out``.
        progress: show a progress bar.

    Raises:
        InputError: if there is no ground truth, ``out`` is in use, or no usable face is found.
        OSError: if the result cannot be written, for example to a full disk.
    """
    config = replace(config, max_angle=180)
    source_dir, workers = Path(source_dir), worker_count(workers)
    check_output(out, source_dir, overwrite=overwrite)
    open_ground_truth(source_dir)  # refused now, not clip by clip
    source = replace(find_videos(source_dir), kind="synthetic")
    annotate = partial(annotate_from_ground_truth, folder=source_dir)
    return write_dataset(source, out, annotate, config, seed=seed, workers=workers, progress=progress)


def open_ground_truth(folder: Path) -> GroundTruth:
    """Open the ground truth beside synthetic videos.

    Raises:
        InputError: if the folder holds no ground truth that this version can read.
    """
    try:
        return GroundTruth(folder)
    except ValueError as error:
        msg = f"{error}: name a folder that facegan synthesize wrote"
        raise InputError(msg) from error


@contextmanager
def annotate_from_ground_truth(clip: VideoClip, folder: Path) -> Iterator[FaceAnnotator]:
    """Annotate the faces of a clip from the ground truth.

    Args:
        clip: a video in the folder.
        folder: of the ground truth.

    Raises:
        InputError: if the ground truth does not describe this video.
    """
    truth = open_ground_truth(folder)
    frames = truth.videos.get(clip.path.relative_to(folder).as_posix())
    if frames is None:
        msg = f"{GROUND_TRUTH_FILE} does not describe it"
        raise InputError(msg)
    rows = list(truth.rows(frames))

    def annotate(index: int, _time: float, image: NDArray[np.uint8]) -> list[AnnotatedFace]:
        if index >= len(rows) or image.shape[:2] != 2 * (rows[index]["size"],):
            msg = f"{GROUND_TRUTH_FILE} describes another video of this name"
            raise InputError(msg)
        mesh = rows[index]["mesh"].reshape(NUM_MESH_POINTS, 3)
        unknown = np.full(NUM_BLENDSHAPES, np.nan, np.float32)
        return [AnnotatedFace(mesh, rows[index]["motion"], unknown, confidence=1.0)]

    def segment(
        index: int, crop: Crop, image: NDArray[np.uint8], _mesh: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        png = np.frombuffer(rows[index]["segmentation"], np.uint8)
        segmentation = np.asarray(cv2.imdecode(png, cv2.IMREAD_GRAYSCALE), np.uint8)
        return smooth_labels(crop.cut_labels(segmentation, image.shape[0]))

    yield FaceAnnotator(annotate, segment)


def smooth_labels(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Smooth rendered labels to the regions of a face segmenter, without single strands and gaps.

    The paper trains with the labels of a pretrained segmenter (L_ce), as do the data sets of real people
    here. Which strand covers a pixel cannot be inferred from another image of the person.

    Args:
        labels: S×S of 0 background, 1 face, 2 hair.
    """
    shares = np.eye(len(LABELS), dtype=np.float32)[labels]
    smoothed = cv2.GaussianBlur(
        shares, (0, 0), SMOOTHING_SIGMA * len(labels), borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(smoothed.argmax(axis=-1), np.uint8)
