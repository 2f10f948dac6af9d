"""How well another engine agrees with PyTorch: on which frames, and by how much they differ."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from facegan.errors import InputError
from facegan.geometry.crop import Crop
from facegan.geometry.landmarks import normalize_points
from facegan.geometry.motion import NUM_MOTION_PARAMS
from facegan.inference.animator import Animator
from facegan.io.images import image_to_tensor, is_image, read_image
from facegan.io.video_reader import VideoReader
from facegan.networks.compositing import mask_background
from facegan.perception import FaceAnalyzer
from synthetic_heads import render, sample_identity, sample_motion

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.inference.engines import Engine

BATCHES = (1, 3)
"""Sizes of the batches that are tried."""
PEOPLE = 3
"""Drawn people."""
MOTIONS = 6
"""Frames of which the user's own face is given the motion."""
EVERY = 5
"""So many frames of the user's video lie between two of them."""
RENDERED = 256
"""Side in pixels in which people are drawn."""


class ExampleInputs(NamedTuple):
    """Frames to compute: the arguments of an :class:`~facegan.inference.engines.Engine`."""

    source: Tensor
    landmarks: Tensor
    motion: Tensor
    background: Tensor


@dataclass(frozen=True)
class Agreement:
    """How far an engine's frames are from PyTorch's.

    Attributes:
        frames: how many were compared.
        picture_max: largest difference in I_r, on the scale 0..255.
        picture_mean: mean absolute difference in I_r.
        landmarks_max: largest difference of a landmark's coordinate in pixels.
        landmarks_mean: their mean absolute difference.
    """

    frames: int
    picture_max: float
    picture_mean: float
    landmarks_max: float
    landmarks_mean: float

    def describe(self) -> str:
        """The same in words."""
        return (
            f"{self.frames} frames differ from PyTorch's by at most {self.picture_max:.2g} of 255 levels "
            f"({self.picture_mean:.2g} on average), their landmarks by {self.landmarks_max:.2g} pixels "
            f"({self.landmarks_mean:.2g})"
        )


def compare(engine: Engine, reference: Engine, trial: ExampleInputs) -> Agreement:
    """Computes all frames with both, the engine's once in each size of batch.

    Args:
        engine: the one in question.
        reference: PyTorch, on the CPU.
        trial: the frames.
    """
    expected = [reference(*(part[None] for part in frame)) for frame in zip(*trial, strict=True)]
    picture, points = [], []
    for size in BATCHES:
        batches = zip(*(torch.split(part, size) for part in trial), strict=True)
        frames = [frame for batch in batches for frame in zip(*engine(*batch), strict=True)]
        for (result, landmarks, _), true in zip(frames, expected, strict=True):
            picture.append((result - true.result[0]).abs() * 127.5)
            points.append((landmarks - true.landmarks[0]).abs() * engine.size / 2)
    pictures, landmarks = torch.stack(picture), torch.stack(points)
    return Agreement(
        len(trial.motion),
        pictures.max().item(),
        pictures.mean().item(),
        landmarks.max().item(),
        landmarks.mean().item(),
    )


def synthetic_inputs(size: int) -> ExampleInputs:
    """Drawn people, each with two motions.

    Args:
        size: side of the pictures in pixels.
    """
    parts: list[tuple[Tensor, ...]] = []
    for seed in range(PEOPLE):
        frame = render(sample_identity(seed), np.zeros(NUM_MOTION_PARAMS), RENDERED)
        crop = Crop.for_face(frame.landmarks)
        picture = image_to_tensor(crop.cut(frame.image, size))[None]
        segmentation = torch.from_numpy(crop.cut_labels(frame.segmentation, size))[None]
        landmarks = torch.from_numpy(normalize_points(crop.to_crop(frame.landmarks, size), size))[None]
        background = mask_background(picture, segmentation)
        parts += [(picture, landmarks, motion[None], background) for motion in _drawn_motion(seed, 2)]
    return ExampleInputs(*(torch.cat(part) for part in zip(*parts, strict=True)))


def own_trial(model: Path, path: Path) -> ExampleInputs:
    """A face of the user's, prepared as for reenactment.

    A video's first face has its own motions of the first seconds, a picture's face those of a drawn person.

    Args:
        model: model folder.
        path: a picture or a video.

    Raises:
        InputError: if the file cannot be read or shows no face.
    """
    if is_image(path):
        image, motion = read_image(path), _drawn_motion(0, MOTIONS)
    else:
        image, motion = _seen(path)
    face = Animator.from_pretrained(model).prepare(image, path)
    count = len(motion)
    return ExampleInputs(
        face.image.expand(count, -1, -1, -1),
        face.landmarks.expand(count, -1, -1),
        motion,
        face.background.expand(count, -1, -1, -1),
    )


def _drawn_motion(seed: int, count: int) -> Tensor:
    """Count×20, a second between two."""
    return torch.from_numpy(sample_motion(seed, count + 1, 1).motion[1:])


def _seen(path: Path) -> tuple[NDArray[np.uint8], Tensor]:
    """The first frame with a face, and the motions from there."""
    video = VideoReader(path)
    with FaceAnalyzer() as analyzer:
        looked = ((image, analyzer(image, time)) for _, time, image in video.frames(EVERY))
        seen = list(islice(((image, faces[0].motion) for image, faces in looked if faces), MOTIONS))
    if not seen:
        msg = f"no face in {path}: choose a file that shows a face larger and from the front"
        raise InputError(msg)
    return seen[0][0], torch.from_numpy(np.stack([motion for _, motion in seen]))
