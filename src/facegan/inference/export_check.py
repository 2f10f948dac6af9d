"""Comparison of another engine with PyTorch on example inputs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from facegan.errors import InputError
from facegan.geometry.crop import Crop
from facegan.geometry.head_alignment import SourceFace
from facegan.geometry.landmarks import normalize_points
from facegan.geometry.motion import NUM_MOTION_PARAMS
from facegan.inference.animator import Animator
from facegan.io.images import image_to_tensor, is_image, read_image
from facegan.io.video_reader import VideoReader
from facegan.networks.compositing import mask_background
from facegan.perception import FaceAnalyzer
from synthetic_heads import render, sample_identity, sample_motion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.inference.engines import Engine

BATCHES = (1, 3)
"""Batch sizes of the comparison."""
NUM_IDENTITIES = 3
"""Number of synthetic identities."""
MOTIONS_PER_IDENTITY = 2
"""Number of motions of each."""
NUM_MOTIONS = 6
"""Number of motions of the user's own face."""
FRAME_STRIDE = 5
"""Stride of the frames of the user's video."""
RENDER_SIZE = 256
"""Side of the rendered images in pixels."""


class ExampleInputs(NamedTuple):
    """Arguments of an :class:`~facegan.inference.engines.Engine`."""

    source: SourceFace
    motion: Tensor
    background: Tensor

    def batches(self, size: int) -> Iterator[ExampleInputs]:
        """Split into batches of a size; the last may be smaller."""
        for start in range(0, len(self.motion), size):
            yield self.select(slice(start, start + size))

    def select(self, index: Tensor | slice) -> ExampleInputs:
        """Select some of the frames."""
        return ExampleInputs(self.source.select(index), self.motion[index], self.background[index])


@dataclass(frozen=True)
class EngineDifference:
    """Difference between the frames of an engine and those of PyTorch.

    Attributes:
        frames: number of compared frames.
        image_max: maximum absolute difference of I_r, on the scale 0..255.
        image_mean: mean absolute difference of I_r.
        landmarks_max: maximum absolute difference of a landmark's coordinate in pixels.
        landmarks_mean: mean absolute difference of the coordinates.
    """

    frames: int
    image_max: float
    image_mean: float
    landmarks_max: float
    landmarks_mean: float

    def describe(self) -> str:
        """Describe the differences."""
        return (
            f"{self.frames} frames differ from PyTorch's by at most {self.image_max:.2g} of 255 levels "
            f"({self.image_mean:.2g} on average), their landmarks by {self.landmarks_max:.2g} pixels "
            f"({self.landmarks_mean:.2g})"
        )


def compare_engines(engine: Engine, reference: Engine, inputs: ExampleInputs) -> EngineDifference:
    """Compare an engine, in each of BATCHES, with a reference that computes frame by frame.

    Args:
        engine: the engine under test.
        reference: PyTorch on the CPU.
        inputs: the frames.
    """
    expected = [reference(*frame) for frame in inputs.batches(1)]
    image_differences, landmark_differences = [], []
    for size in BATCHES:
        frames = [frame for batch in inputs.batches(size) for frame in zip(*engine(*batch), strict=True)]
        for (result, landmarks, _), target in zip(frames, expected, strict=True):
            image_differences.append((result - target.result[0]).abs() * 127.5)
            landmark_differences.append((landmarks - target.landmarks[0]).abs() * engine.size / 2)
    images, landmarks = torch.stack(image_differences), torch.stack(landmark_differences)
    return EngineDifference(
        len(inputs.motion),
        images.max().item(),
        images.mean().item(),
        landmarks.max().item(),
        landmarks.mean().item(),
    )


def synthetic_inputs(size: int) -> ExampleInputs:
    """Render synthetic identities, each with some motions.

    Args:
        size: side of the images in pixels.
    """
    sources, motions, backgrounds = [], [], []
    for seed in range(NUM_IDENTITIES):
        frame = render(sample_identity(seed), np.zeros(NUM_MOTION_PARAMS), RENDER_SIZE)
        crop = Crop.for_face(frame.landmarks)
        image = image_to_tensor(crop.cut(frame.image, size))[None]
        segmentation = torch.from_numpy(crop.cut_labels(frame.segmentation, size))[None]
        landmarks = torch.from_numpy(normalize_points(crop.to_crop(frame.landmarks, size), size))[None]
        source = SourceFace(image, segmentation, landmarks, torch.zeros(1, NUM_MOTION_PARAMS))
        sources.append(source.expand(MOTIONS_PER_IDENTITY))
        motions.append(_sample_motions(seed, MOTIONS_PER_IDENTITY))
        backgrounds.append(mask_background(image, segmentation).expand(MOTIONS_PER_IDENTITY, -1, -1, -1))
    source = SourceFace(*(torch.cat(parts) for parts in zip(*sources, strict=True)))
    return ExampleInputs(source, torch.cat(motions), torch.cat(backgrounds))


def inputs_from_file(model: Path, path: Path) -> ExampleInputs:
    """Prepare a face of the user's as for reenactment.

    The motions are those of the first frames of a video, or those of a synthetic identity for an image.

    Args:
        model: model folder.
        path: an image or a video.

    Raises:
        InputError: if the file cannot be read or shows no face.
    """
    if is_image(path):
        image, motion = read_image(path), _sample_motions(0, NUM_MOTIONS)
    else:
        image, motion = _read_motions(path)
    face = Animator.from_pretrained(model).prepare(image, path)
    count = len(motion)
    return ExampleInputs(face.face.expand(count), motion, face.background.expand(count, -1, -1, -1))


def _sample_motions(seed: int, count: int) -> Tensor:
    """Sample count×20 motions, one second apart."""
    return torch.from_numpy(sample_motion(seed, count + 1, 1).motion[1:])


def _read_motions(path: Path) -> tuple[NDArray[np.uint8], Tensor]:
    """Return the first frame with a face, and the motions from there on."""
    video = VideoReader(path)
    with FaceAnalyzer() as analyzer:
        analyzed = ((image, analyzer(image, time)) for _, time, image in video.frames(FRAME_STRIDE))
        detected = list(islice(((image, faces[0].motion) for image, faces in analyzed if faces), NUM_MOTIONS))
    if not detected:
        msg = f"no face in {path}: choose a file that shows a face larger and from the front"
        raise InputError(msg)
    return detected[0][0], torch.from_numpy(np.stack([motion for _, motion in detected]))
