"""Who tells what is to be seen in a clip: detectors here, a ground truth elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from facegan.geometry.landmarks import landmarks_from_mesh
from facegan.perception import FaceAnalyzer, FaceParser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from facegan.geometry.crop import Crop
    from facegan.preparation.sources import Clip


MAX_FACES = 16
"""Of a frame; those that are not there cost nothing."""


@dataclass(frozen=True)
class AnnotatedFace:
    """A face in a frame."""

    mesh: NDArray[np.float32]
    """478×3 in pixels, x right, y down; (0, 0) is the center of the top left pixel."""
    motion: NDArray[np.float32]
    """The 20 numbers of :mod:`facegan.geometry.motion`."""
    blendshapes: NDArray[np.float32]
    """52 in 0..1, or NaN."""
    confidence: float
    """How sure it is that there is a face, 0..1."""

    @property
    def landmarks(self) -> NDArray[np.float32]:
        """68×2 in pixels."""
        return landmarks_from_mesh(self.mesh)


class Observer(NamedTuple):
    """What is to be seen in one clip."""

    faces: Callable[[int, float, NDArray[np.uint8]], Sequence[AnnotatedFace]]
    """The faces in a frame: of its number, seconds and H×W×3 picture; called for the frames in order."""
    labels: Callable[[int, Crop, NDArray[np.uint8], NDArray[np.float32]], NDArray[np.uint8]]
    """The segmentation of a crop: of its frame's number, its place, its picture and the mesh in it."""


Observe: TypeAlias = "Callable[[Clip], AbstractContextManager[Observer]]"


@contextmanager
def detect(clip: Clip) -> Iterator[Observer]:
    """Looks at the pictures: MediaPipe's face landmarks, and the parser's segmentation."""
    with FaceAnalyzer(MAX_FACES, single_images=bool(clip.pictures)) as analyzer, FaceParser() as parser:

        def faces(index: int, time: float, image: NDArray[np.uint8]) -> list[AnnotatedFace]:
            seen = [
                AnnotatedFace(face.mesh, face.motion, face.blendshapes, face.confidence)
                for face in (analyzer(image) if clip.pictures else analyzer(image, time))
            ]
            return meant(seen, clip.pictures[index].box) if clip.pictures else seen

        yield Observer(
            faces=faces,
            labels=lambda _index, _crop, picture, mesh: parser(picture, mesh),
        )


def meant(faces: Sequence[AnnotatedFace], box: tuple[float, float, float, float]) -> list[AnnotatedFace]:
    """The face whose middle lies in a box (x, y, width, height) and is nearest to the box's, or none."""
    x, y, width, height = box
    middle = np.array((x + width / 2, y + height / 2))
    offsets = [np.abs(face.landmarks.mean(axis=0) - middle) for face in faces]
    inside = [number for number, (dx, dy) in enumerate(offsets) if dx <= width / 2 and dy <= height / 2]
    return [faces[min(inside, key=lambda number: float(np.hypot(*offsets[number])))]] if inside else []
