"""The measurer behind the metrics of faces: landmarks, motion, gaze and identity of single images."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import torch

from facegan.geometry.landmarks import NUM_LANDMARKS, normalize_points
from facegan.io.images import image_to_tensor
from facegan.metrics.face_measurements import FaceMeasurements
from facegan.perception.face_analyzer import FaceAnalyzer
from facegan.perception.metric_backends import MediaPipeMotion, open_identity_backend, open_motion_backend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from facegan.perception.metric_backends import IdentityBackend, MotionBackend

    Floats = NDArray[np.float32]
    Images = Sequence[NDArray[np.uint8]] | NDArray[np.uint8]

IRISES = (468, 473)
EYE_CORNERS = ((33, 133), (362, 263))
"""Vertices of MediaPipe's mesh: iris centers, and the corners of the right and left eye, each with the one
further left in the image first."""


class MetricBackends(NamedTuple):
    """Names of the networks that measure faces; can be sent to another process."""

    identity: str = "dlib"
    motion: str = "mediapipe"
    device: str = "cpu"

    def open(self) -> FaceMeasurer:
        """Load the networks.

        Raises:
            InputError: if one cannot be used.
        """
        return FaceMeasurer(
            open_identity_backend(self.identity, self.device), open_motion_backend(self.motion)
        )


class FaceMeasurer:
    """Detector, analyzer and recognizer of the largest face of single images; a context manager.

    Args:
        identity: face recognition network.
        motion: detector of action units and head pose. Landmarks and gaze are MediaPipe's.
    """

    def __init__(self, identity: IdentityBackend, motion: MotionBackend) -> None:
        self._identity, self._motion = identity, motion
        self._analyzer = FaceAnalyzer(single_images=True)

    @torch.inference_mode()
    def analyze(self, images: Images, names: Sequence[str] = ()) -> FaceMeasurements:
        """Measure the faces of a batch of images.

        Args:
            images: N×S×S×3, RGB; or a list of images.
            names: of the images, for back ends that read their measurements from files.
        """
        size = images[0].shape[0]
        faces = [next(iter(self._analyzer(image)), None) for image in images]
        landmarks = np.full((len(images), NUM_LANDMARKS, 2), np.nan, np.float32)
        gaze = np.full((len(images), 2, 2), np.nan, np.float32)
        for index, face in enumerate(faces):
            if face is not None:
                landmarks[index] = normalize_points(face.landmarks, size)
                gaze[index] = compute_gaze(face.mesh)
        detected = np.flatnonzero(np.isfinite(landmarks[:, 0, 0]))
        # At least one image, to learn the size of an embedding.
        chosen = detected if len(detected) else np.array([0])
        embeddings = self._identity(
            image_to_tensor(np.stack([images[index] for index in chosen])),
            torch.from_numpy(np.nan_to_num(landmarks[chosen])),
        ).float()
        identity = np.full((len(images), embeddings.shape[1]), np.nan, np.float32)
        identity[detected] = embeddings.numpy()[: len(detected)]
        return FaceMeasurements(landmarks, self._motion(images, faces, names), gaze, identity)

    @property
    def names(self) -> dict[str, str]:
        """What is measured, to the name of the network that measures it."""
        return {
            "landmarks and gaze": MediaPipeMotion().name,
            "action units and head pose": self._motion.name,
            "identity": self._identity.name,
        }

    def close(self) -> None:
        """Free the detectors."""
        self._analyzer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def compute_gaze(mesh: Floats) -> Floats:
    """Compute the position of each iris between the corners of its eye, in eye widths.

    Args:
        mesh: MediaPipe's, 478×3 in any unit.

    Returns:
        2×2: right and left eye; along and across the line between the corners.
    """
    points = mesh[:, :2]
    offsets = []
    for iris, (first, second) in zip(IRISES, EYE_CORNERS, strict=True):
        along = points[second] - points[first]
        width = max(float(np.linalg.norm(along)), np.finfo(np.float32).eps)
        along = along / width
        offset = (points[iris] - (points[first] + points[second]) / 2) / width
        offsets.append((offset @ along, offset @ np.array([-along[1], along[0]])))
    return np.array(offsets, np.float32)
