"""Face measurements of images, whatever method made them: landmarks, motion, gaze, identity."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import torch

from facegan.evaluation.image_sets import map_images, read_batches
from facegan.evaluation.metric_backends import MediaPipeMotion, open_identity_backend, open_motion_backend
from facegan.geometry.landmarks import NUM_LANDMARKS, normalize_points
from facegan.geometry.motion import ACTION_UNITS, motion_to_openface
from facegan.io.images import image_to_tensor
from facegan.metrics import CLOSED_EYE_THRESHOLD
from facegan.perception import FaceAnalyzer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from facegan.evaluation.image_sets import ImageSet
    from facegan.evaluation.metric_backends import IdentityBackend, MotionBackend
    from facegan.parallel.workers import Workers

    Floats = NDArray[np.float32]
    Images = Sequence[NDArray[np.uint8]] | NDArray[np.uint8]

IRISES = (468, 473)
EYE_CORNERS = ((33, 133), (362, 263))
"""Vertices of MediaPipe's mesh: iris centers, and the corners of the right and left eye, each with the one
further left in the image first."""


class FaceMeasurements(NamedTuple):
    """Measurements of the faces of N images; not a number where no face is detected."""

    landmarks: Floats
    """N×68×2 in -1..1."""
    motion: Floats
    """Motion parameters, N×20."""
    gaze: Floats
    """Position of the right and left iris in its eye, N×2×2, as for :class:`facegan.metrics.GazeError`."""
    identity: Floats
    """Identity embeddings, N×D."""

    @property
    def detected(self) -> NDArray[np.bool_]:
        """Whether all back ends found a face, N."""
        both = np.isfinite(self.landmarks).all(axis=(1, 2)) & np.isfinite(self.motion).all(axis=1)
        return np.asarray(both)

    @property
    def action_units(self) -> Floats:
        """Action-unit intensities, N×17 in 0..1."""
        return self.motion[:, : len(ACTION_UNITS)]

    @property
    def head_pose(self) -> Floats:
        """Pitch, yaw and roll in radians, N×3."""
        return np.asarray(motion_to_openface(torch.from_numpy(self.motion))[1].numpy())

    @property
    def blink(self) -> Floats:
        """Intensity of AU45, N in 0..1."""
        return self.motion[:, ACTION_UNITS.index("AU45")]

    @property
    def open_eye_gaze(self) -> Floats:
        """The gaze of open eyes, N×2×2; not a number where the eyes are closed."""
        return np.where((self.blink < CLOSED_EYE_THRESHOLD)[:, None, None], self.gaze, np.float32(np.nan))

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> FaceMeasurements:
        """Return the measurements of some images, in the order of the indices."""
        return FaceMeasurements(*(column[indices] for column in self))

    @classmethod
    def concatenate(cls, parts: Iterable[FaceMeasurements]) -> FaceMeasurements:
        """Join the measurements of several sets of images."""
        return cls(*map(np.concatenate, zip(*parts, strict=True)))


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


def measure_faces(
    images: ImageSet, backends: MetricBackends, workers: Workers, title: str
) -> FaceMeasurements:
    """Measure the faces of a set of images over several processes."""
    return FaceMeasurements(**map_images(partial(_measure, backends), [images], workers, title))


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


def _measure(backends: MetricBackends, images: ImageSet) -> dict[str, Floats]:
    names = iter(images.names)
    with backends.open() as measurer:
        parts = [measurer.analyze(batch, list(islice(names, len(batch)))) for batch in read_batches(images)]
    return FaceMeasurements.concatenate(parts)._asdict()
