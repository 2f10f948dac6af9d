"""What the detectors see in pictures, whoever made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from facegan import motion
from facegan.landmarks import COUNT, normalise
from facegan.perception import FaceAnalyzer, IdentityEmbedder
from facegan.perception.assets import ASSETS

if TYPE_CHECKING:
    from types import TracebackType

BACK_ENDS = {
    "landmarks and pose": ("MediaPipe Face Landmarker", "face_landmarker.task"),
    "action units": ("OpenFace's units from MediaPipe's blendshapes", "face_landmarker.task"),
    "identity": ("dlib's face recognition ResNet", "dlib_face_recognition_resnet_model_v1.dat"),
}
"""What is seen, to what sees it and its model file."""


class Seen(NamedTuple):
    """What is seen in N pictures, of which M show a face."""

    found: Tensor
    """N booleans."""
    landmarks: Tensor
    """M×68×2 in -1..1."""
    motion: Tensor
    """M×20."""
    identity: Tensor
    """M×128."""


class Observer:
    """Detects, measures and recognises the faces in single pictures.

    Args:
        device: where embeddings are computed.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self._device = device
        self._embedder = IdentityEmbedder().to(device)
        self._analyze = FaceAnalyzer(single_images=True)

    def __call__(self, pictures: Tensor) -> Seen:
        """Looks at the largest face of each picture.

        Args:
            pictures: N×3×S×S in -1..1.
        """
        images = ((pictures + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
        faces = [next(iter(self._analyze(image)), None) for image in images]
        found = torch.tensor([face is not None for face in faces])
        points = np.array([face.landmarks for face in faces if face], np.float32).reshape(-1, COUNT, 2)
        landmarks = torch.from_numpy(normalise(points, pictures.shape[-1]))
        motions = np.array([face.motion for face in faces if face], np.float32).reshape(-1, motion.SIZE)
        identity = self.embed(pictures[found.to(pictures.device)], landmarks)
        return Seen(found, landmarks, torch.from_numpy(motions), identity)

    def embed(self, pictures: Tensor, landmarks: Tensor) -> Tensor:
        """Identity embeddings N×128 of pictures N×3×S×S with known landmarks N×68×2."""
        embeddings: Tensor = self._embedder(pictures.to(self._device), landmarks.to(self._device))
        return embeddings.cpu()

    def close(self) -> None:
        """Frees the detectors."""
        self._analyze.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def back_ends() -> dict[str, str]:
    """What is seen, to the name of what sees it and its model file with checksum."""
    return {
        task: f"{name} ({file}, SHA-256 {ASSETS[file].sha256[:8]}…)"
        for task, (name, file) in BACK_ENDS.items()
    }
