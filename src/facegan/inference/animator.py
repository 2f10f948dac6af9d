"""A model that moves the face of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from facegan.errors import InputError
from facegan.inference.pictures import to_tensor
from facegan.landmarks import from_mesh, normalise
from facegan.networks import FaceGAN
from facegan.networks.compositing import cut_background
from facegan.perception import FaceAnalyzer, FaceParser
from facegan.preparation.crop import Crop, extent, track_side

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor


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


class Animator:
    """Moves faces in pictures with a trained model.

    Args:
        model: the networks; moved to the device and switched to evaluation.
        device: name of a device of PyTorch.

    Attributes:
        size: side S of the pictures in pixels.

    Raises:
        InputError: if this machine has no such device.
    """

    def __init__(self, model: FaceGAN, device: str = "cpu") -> None:
        check_device(device)
        self.model = model.to(device).eval()
        self.device = torch.device(device)
        self.size = model.config.size

    @classmethod
    def from_pretrained(cls, name: Path | str, device: str = "cpu") -> Self:
        """Reads a model folder, or a repository of the Hugging Face hub (``owner/name``).

        Raises:
            InputError: if there is no such model or no such device.
        """
        return cls(FaceGAN.from_pretrained(name), device)

    def prepare(self, image: NDArray[np.uint8], name: object = "the source picture") -> Source:
        """Cuts the largest face out of a photograph, as the crops of the training data are.

        Args:
            image: H×W×3, RGB, upright.
            name: what an error calls it.

        Raises:
            InputError: if there is no face.
        """
        with FaceAnalyzer(single_images=True) as analyzer, FaceParser() as parser:
            faces = analyzer(image)
            if not faces:
                msg = f"no face in {name}: choose a picture that shows a face larger and from the front"
                raise InputError(msg)
            face = faces[0]
            crop = Crop.around(face.landmarks, track_side(np.array([max(extent(face.landmarks))])))
            cut = crop.cut(image, self.size)
            mesh = crop.to_crop(face.mesh, self.size)
            labels = parser(cut, mesh)
        picture = to_tensor(cut).to(self.device)
        segmentation = torch.from_numpy(labels)[None].to(self.device)
        landmarks = torch.from_numpy(normalise(from_mesh(mesh), self.size))
        return Source(
            image=picture,
            landmarks=landmarks[None].to(self.device),
            segmentation=segmentation,
            background=cut_background(picture, segmentation),
            motion=torch.from_numpy(face.motion)[None].to(self.device),
            crop=crop,
        )

    @torch.inference_mode()
    def animate(self, source: Source, motion: Tensor, background: Tensor | None = None) -> Tensor:
        """Gives a face other motions, all in one batch.

        Args:
            source: the face.
            motion: AU_d, N×20.
            background: 1×3×S×S or N×3×S×S in -1..1, in place of the source's own.

        Returns:
            I_r, N×3×S×S in -1..1, on the model's device.

        Raises:
            InputError: if the model has no landmark transformer.
        """
        if self.model.landmark_transformer is None:
            msg = "this model was trained without landmark transformer: motion cannot move it"
            raise InputError(msg)
        count = len(motion)
        behind = source.background
        if background is not None:
            # With the hole of the source's head, as in training: else the new background shines through.
            behind = cut_background(background.to(self.device), source.segmentation)
        result: Tensor = self.model(
            source.image.expand(count, -1, -1, -1),
            source.landmarks.expand(count, -1, -1),
            motion.to(self.device),
            behind.expand(count, -1, -1, -1),
        ).result
        return result


def check_device(device: str) -> None:
    """Raises InputError unless this machine has a device of PyTorch of that name."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        msg = f"cannot use the device {device!r}: {str(error).splitlines()[0]}"
        raise InputError(msg) from error
