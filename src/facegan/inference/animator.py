"""Animator: a trained model that renders a source face in other motions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch

from facegan.geometry.crop import Crop
from facegan.geometry.head_alignment import SourceFace
from facegan.geometry.landmarks import landmarks_from_mesh, normalize_points
from facegan.inference.engines import load_engine
from facegan.inference.face_selection import MAX_FACES, select_face
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
    """Source face, prepared for the networks; tensors are on the model's device."""

    image: Tensor
    """I_s, 1×3×S×S in -1..1."""
    landmarks: Tensor
    """l_s, 1×68×2 in -1..1."""
    segmentation: Tensor
    """1×S×S of 0 background, 1 face, 2 hair."""
    background: Tensor
    """I_b, 1×3×S×S: the image without face and hair."""
    motion: Tensor
    """Motion parameters of the source itself, 1×20."""
    crop: Crop
    """Region of the source image from which ``image`` is cut."""
    photograph: NDArray[np.uint8]
    """The whole source image, H×W×3."""

    @property
    def face(self) -> SourceFace:
        """What the networks see of it, besides the background."""
        return SourceFace(self.image, self.segmentation, self.landmarks, self.motion)


class Animator:
    """Animate source faces with a trained model.

    Args:
        engine: runs the networks.
        name: name of the model in the signed manifests of results.

    Attributes:
        size: side S of the images in pixels.
        device: device of the tensors.
    """

    def __init__(self, engine: Engine, name: str = "unnamed model") -> None:
        self.engine = engine
        self.name = name
        self.size = engine.size
        self.device = engine.device

    @classmethod
    def from_pretrained(cls, name: Path | str, device: str = "cpu", engine: str = "torch") -> Self:
        """Load a model folder, or a repository of the Hugging Face hub (``owner/name``).

        Args:
            name: folder or repository.
            device: PyTorch device.
            engine: one of :data:`facegan.inference.engines.ENGINES`.

        Raises:
            InputError: if there is no such model or device, or the model is not exported for the engine.
        """
        folder = Path(name)
        return cls(load_engine(name, engine, device), folder.resolve().name if folder.exists() else str(name))

    def prepare(self, image: NDArray[np.uint8], name: object = "the source image", face: int = 1) -> Source:
        """Crop, segment and annotate a face as in the preparation of the training data.

        Args:
            image: the source image, H×W×3, RGB, upright.
            name: name of the image in errors.
            face: which of its faces, 1 for the largest.

        Raises:
            InputError: if there is no such face.
        """
        with FaceAnalyzer(MAX_FACES, single_images=True, scores=False) as analyzer, FaceParser() as parser:
            detected = select_face(analyzer(image), face, name)
            crop = Crop.for_face(detected.landmarks)
            cut = crop.cut(image, self.size)
            mesh = crop.to_crop(detected.mesh, self.size)
            labels = parser(cut, mesh)
        tensor = image_to_tensor(cut)[None].to(self.device)
        segmentation = torch.from_numpy(labels)[None].to(self.device)
        landmarks = torch.from_numpy(normalize_points(landmarks_from_mesh(mesh), self.size))
        return Source(
            image=tensor,
            landmarks=landmarks[None].to(self.device),
            segmentation=segmentation,
            background=mask_background(tensor, segmentation),
            motion=torch.from_numpy(detected.motion)[None].to(self.device),
            crop=crop,
            photograph=image,
        )

    def animate(self, source: Source, motion: Tensor, background: Tensor | None = None) -> Frames:
        """Render a face in a batch of motions.

        Args:
            source: the face.
            motion: AU_d, N×20.
            background: 1×3×S×S or N×3×S×S in -1..1, in place of the source's own.

        Returns:
            I_r, l_t and M of each motion, on ``device``.
        """
        count = len(motion)
        if background is None:
            background = source.background
        else:
            # Without the region of the source's head, as in training; otherwise it shows through the result.
            background = mask_background(background.to(self.device), source.segmentation)
        return self.engine(
            source.face.expand(count), motion.to(self.device), background.expand(count, -1, -1, -1)
        )
