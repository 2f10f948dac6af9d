"""Annotations of the faces in a clip: by detectors here, from a ground truth elsewhere."""

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
    from facegan.preparation.sources import VideoClip

MAX_FACES = 16
"""Faces detected in a frame at most."""


@dataclass(frozen=True)
class AnnotatedFace:
    """A face in a frame.

    Attributes:
        mesh: 478×3 in pixels, x right, y down; (0, 0) is the center of the top left pixel.
        motion: 20 motion parameters, see :mod:`facegan.geometry.motion`.
        blendshapes: 52 in 0..1, or NaN.
        confidence: score of the detection, 0..1.
    """

    mesh: NDArray[np.float32]
    motion: NDArray[np.float32]
    blendshapes: NDArray[np.float32]
    confidence: float

    @property
    def landmarks(self) -> NDArray[np.float32]:
        """68×2 in pixels."""
        return landmarks_from_mesh(self.mesh)


class FaceAnnotator(NamedTuple):
    """Annotations of one clip.

    Attributes:
        annotate: the faces of a frame, from its index, its time in seconds and its H×W×3 image; called for
            the frames in order.
        segment: the segmentation of a crop, from its frame's index, the crop window, its image and its mesh.
    """

    annotate: Callable[[int, float, NDArray[np.uint8]], Sequence[AnnotatedFace]]
    segment: Callable[[int, Crop, NDArray[np.uint8], NDArray[np.float32]], NDArray[np.uint8]]


AnnotatorFactory: TypeAlias = "Callable[[VideoClip], AbstractContextManager[FaceAnnotator]]"


@contextmanager
def annotate_with_detectors(clip: VideoClip) -> Iterator[FaceAnnotator]:
    """Annotate a clip with MediaPipe's face landmarks and the face parser's segmentation."""
    with FaceAnalyzer(MAX_FACES, single_images=bool(clip.images)) as analyzer, FaceParser() as parser:

        def annotate(index: int, time: float, image: NDArray[np.uint8]) -> list[AnnotatedFace]:
            faces = [
                AnnotatedFace(face.mesh, face.motion, face.blendshapes, face.confidence)
                for face in (analyzer(image) if clip.images else analyzer(image, time))
            ]
            return select_face_in_box(faces, clip.images[index].box) if clip.images else faces

        yield FaceAnnotator(annotate, lambda _index, _crop, image, mesh: parser(image, mesh))


def select_face_in_box(
    faces: Sequence[AnnotatedFace], box: tuple[float, float, float, float] | None
) -> list[AnnotatedFace]:
    """Select the face whose center is closest to that of a box (x, y, width, height) and in the box.

    Without a box it is the first, which is the largest.
    """
    if box is None:
        return list(faces[:1])
    x, y, width, height = box
    center = np.array((x + width / 2, y + height / 2))
    offsets = [np.abs(face.landmarks.mean(axis=0) - center) for face in faces]
    inside = [number for number, (dx, dy) in enumerate(offsets) if dx <= width / 2 and dy <= height / 2]
    return [faces[min(inside, key=lambda number: float(np.hypot(*offsets[number])))]] if inside else []
