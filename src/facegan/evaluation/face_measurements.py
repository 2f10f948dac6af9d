"""What is seen in pictures, whoever made them: landmarks, motion, gaze, identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import torch

from facegan.evaluation.metric_backends import MediaPipe, identity_back_end, motion_back_end
from facegan.geometry.landmarks import NUM_LANDMARKS, normalize_points
from facegan.io.images import image_to_tensor
from facegan.perception import FaceAnalyzer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from facegan.evaluation.image_sets import Pictures
    from facegan.evaluation.metric_backends import IdentityBackEnd, MotionBackEnd

    Floats = NDArray[np.float32]

IRISES = (468, 473)
CORNERS = ((33, 133), (362, 263))
"""Vertices of MediaPipe's mesh: middles of the irises, and the corners of the right and left eye, each with
the one further left in the picture first."""


class Seen(NamedTuple):
    """What is seen in N pictures; not a number where there is no face."""

    landmarks: Floats
    """N×68×2 in -1..1."""
    motion: Floats
    """N×20."""
    gaze: Floats
    """N×2×2: where the right and left iris is in its eye, as :class:`facegan.metrics.GazeError` counts."""
    identity: Floats
    """N×D."""

    @property
    def found(self) -> NDArray[np.bool_]:
        """N, whether there is a face that all could measure."""
        both = np.isfinite(self.landmarks).all(axis=(1, 2)) & np.isfinite(self.motion).all(axis=1)
        return np.asarray(both)

    def take(self, indices: NDArray[np.int64]) -> Seen:
        """Some pictures, in another order."""
        return Seen(*(part[indices] for part in self))


class Observer:
    """Detects, measures and recognizes the largest face of single pictures.

    Args:
        identity: recognizer of faces.
        motion: detector of action units and pose. Landmarks and gaze are MediaPipe's.
    """

    def __init__(self, identity: IdentityBackEnd, motion: MotionBackEnd) -> None:
        self.identity, self.motion = identity, motion
        self._analyze = FaceAnalyzer(single_images=True)

    def __call__(self, images: Sequence[NDArray[np.uint8]], names: Sequence[str] = ()) -> Seen:
        """Looks at pictures.

        Args:
            images: N times S×S×3, RGB.
            names: of the pictures, for detectors that read what they found from files.
        """
        size = images[0].shape[0]
        faces = [next(iter(self._analyze(image)), None) for image in images]
        landmarks = np.full((len(images), NUM_LANDMARKS, 2), np.nan, np.float32)
        gaze = np.full((len(images), 2, 2), np.nan, np.float32)
        for index, face in enumerate(faces):
            if face is not None:
                landmarks[index] = normalize_points(face.landmarks, size)
                gaze[index] = gaze_of(face.mesh)
        seen = np.flatnonzero(np.isfinite(landmarks[:, 0, 0]))
        with torch.inference_mode():
            # At least one, to learn the size of an embedding.
            chosen = seen if len(seen) else np.array([0])
            embeddings = self.identity(
                image_to_tensor(np.stack([images[index] for index in chosen])),
                torch.from_numpy(np.nan_to_num(landmarks[chosen])),
            ).float()
        identity = np.full((len(images), embeddings.shape[1]), np.nan, np.float32)
        if len(seen):
            identity[seen] = embeddings.numpy()
        return Seen(landmarks, self.motion(images, faces, names), gaze, identity)

    @property
    def back_ends(self) -> dict[str, str]:
        """What is seen, to the name of what sees it."""
        return {
            "landmarks and gaze": MediaPipe().name,
            "action units and pose": self.motion.name,
            "identity": self.identity.name,
        }

    def close(self) -> None:
        """Frees the detectors."""
        self._analyze.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class MetricBackends(NamedTuple):
    """Which back ends look, as names that can be sent to another process."""

    identity: str = "dlib"
    motion: str = "mediapipe"
    device: str = "cpu"

    def open(self) -> Observer:
        """Loads them.

        Raises:
            InputError: if one cannot be used.
        """
        return Observer(
            identity_back_end(self.identity, self.device), motion_back_end(self.motion, self.device)
        )


def gaze_of(mesh: Floats) -> Floats:
    """Where each iris is in its eye, 2×2, of MediaPipe's mesh 478×3 in any unit."""
    points = mesh[:, :2]
    places = []
    for iris, (first, second) in zip(IRISES, CORNERS, strict=True):
        along = points[second] - points[first]
        width = max(float(np.linalg.norm(along)), np.finfo(np.float32).eps)
        along = along / width
        offset = (points[iris] - (points[first] + points[second]) / 2) / width
        places.append((offset @ along, offset @ np.array([-along[1], along[0]])))
    return np.array(places, np.float32)


def observe(job: tuple[Pictures, range, MetricBackends]) -> Seen:
    """Looks at some of many pictures; the detectors stay open for the process' next job."""
    pictures, chosen, eyes = job
    images = [pictures.read(index) for index in chosen]
    return shared(eyes)(images, [pictures.names[index] for index in chosen])


def join(parts: Iterable[Seen]) -> Seen:
    """Several as one."""
    return Seen(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


_OPEN: dict[MetricBackends, Observer] = {}


def shared(eyes: MetricBackends) -> Observer:
    """The process' own observer, open until others are asked for, or :func:`close_shared`.

    Raises:
        InputError: if a back end cannot be used.
    """
    if eyes not in _OPEN:
        close_shared()
        _OPEN[eyes] = eyes.open()
    return _OPEN[eyes]


def close_shared() -> None:
    """Frees it; MediaPipe's detectors complain when the interpreter ends before them."""
    while _OPEN:
        _OPEN.popitem()[1].close()
