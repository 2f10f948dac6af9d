"""A model that moves the face of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch

from facegan.geometry.crop import Crop
from facegan.geometry.landmarks import landmarks_from_mesh, normalize_points
from facegan.inference.engines import load_engine
from facegan.inference.face_choice import MAX_FACES, choose
from facegan.io.images import image_to_tensor
from facegan.networks.compositing import mask_background
from facegan.perception import FaceAnalyzer, FaceParser

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.inference.engines import Engine, Frames


@dataclass(frozen=True)
class Source:
    """A face to be moved, ready for the networks; tensors are on the model's device."""

    image: Tensor
    """I_s, 1×3×S×S in -1..1."""
    landmarks: Tensor
    """l_s, 1×68×2 in -1..1."""
    segmentation: Tensor
    """1×S×S of 0 background, 1 face, 2 hair."""
    background: Tensor
    """I_b, 1×3×S×S: the picture without face and hair."""
    motion: Tensor
    """The picture's own motion vector, 1×20."""
    crop: Crop
    """Where in the photograph the picture was cut out."""
    photograph: NDArray[np.uint8]
    """The whole picture, H×W×3."""


class Animator:
    """Moves faces in pictures with a trained model.

    Args:
        engine: runs the networks.
        name: of the model, for the marks in the results.

    Attributes:
        size: side S of the pictures in pixels.
        device: where the tensors are to be.
    """

    def __init__(self, engine: Engine, name: str = "unnamed model") -> None:
        self.engine = engine
        self.name = name
        self.size = engine.size
        self.device = engine.device

    @classmethod
    def from_pretrained(cls, name: Path | str, device: str = "cpu", engine: str = "torch") -> Self:
        """Reads a model folder, or a repository of the Hugging Face hub (``owner/name``).

        Args:
            name: folder or repository.
            device: name of a device of PyTorch.
            engine: one of :data:`facegan.inference.engines.ENGINES`.

        Raises:
            InputError: if there is no such model, no such device, or nothing for this engine.
        """
        folder = Path(name)
        return cls(load_engine(name, engine, device), folder.resolve().name if folder.exists() else str(name))

    def prepare(self, image: NDArray[np.uint8], name: object = "the source picture", face: int = 1) -> Source:
        """Cuts a face out of a photograph, as the crops of the training data are.

        Args:
            image: H×W×3, RGB, upright.
            name: what an error calls it.
            face: which of its faces, 1 the largest.

        Raises:
            InputError: if there is no such face.
        """
        with FaceAnalyzer(MAX_FACES, single_images=True, scores=False) as analyzer, FaceParser() as parser:
            found = choose(analyzer(image), face, name)
            crop = Crop.for_face(found.landmarks)
            cut = crop.cut(image, self.size)
            mesh = crop.to_crop(found.mesh, self.size)
            labels = parser(cut, mesh)
        picture = image_to_tensor(cut)[None].to(self.device)
        segmentation = torch.from_numpy(labels)[None].to(self.device)
        landmarks = torch.from_numpy(normalize_points(landmarks_from_mesh(mesh), self.size))
        return Source(
            image=picture,
            landmarks=landmarks[None].to(self.device),
            segmentation=segmentation,
            background=mask_background(picture, segmentation),
            motion=torch.from_numpy(found.motion)[None].to(self.device),
            crop=crop,
            photograph=image,
        )

    def animate(self, source: Source, motion: Tensor, background: Tensor | None = None) -> Frames:
        """Gives a face other motions, all in one batch.

        Args:
            source: the face.
            motion: AU_d, N×20.
            background: 1×3×S×S or N×3×S×S in -1..1, in place of the source's own.

        Returns:
            I_r, l_t and M of each, on ``device``.
        """
        count = len(motion)
        behind = source.background
        if background is not None:
            # With the hole of the source's head, as in training: else the new background shines through.
            behind = mask_background(background.to(self.device), source.segmentation)
        return self.engine(
            source.image.expand(count, -1, -1, -1),
            source.landmarks.expand(count, -1, -1),
            motion.to(self.device),
            behind.expand(count, -1, -1, -1),
        )
