"""Face, hair and background of a crop.

With MediaPipe's multiclass model where it can be had, else from the person mask and the landmarks:
the face is the inside of the mesh's oval, hair is what else belongs to the person inside the
head's region, and everything below the chin (neck, clothes) is background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import cv2
import numpy as np

from facegan.geometry.segmentation import BACKGROUND, FACE, HAIR
from facegan.perception import assets, mediapipe_api

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

FACE_OVAL: tuple[int, ...] = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""Mesh vertices around the face, clockwise in the image from the middle of the forehead."""

FOREHEAD, CHIN, RIGHT_CHEEK, LEFT_CHEEK = 10, 152, 234, 454

# Classes of the multiclass model: 0 background, 1 hair, 2 body skin, 3 face skin, 4 clothes, 5 other.
MULTICLASS = np.array([BACKGROUND, HAIR, BACKGROUND, FACE, BACKGROUND, BACKGROUND], np.uint8)


class FaceParser:
    """Segment a square crop around one face into background, face and hair."""

    def __init__(self) -> None:
        self.multiclass = assets.is_available("selfie_multiclass_256x256.tflite")
        """Whether the multiclass model was found; else masks come from person mask and landmarks."""
        name = "selfie_multiclass_256x256.tflite" if self.multiclass else "selfie_segmenter.tflite"
        vision = mediapipe_api.import_vision()
        options = vision.ImageSegmenterOptions(
            base_options=mediapipe_api.base_options(model_asset_path=str(assets.fetch(name))),
            output_confidence_masks=not self.multiclass,
            output_category_mask=self.multiclass,
        )
        with mediapipe_api.suppress_native_stderr():
            self._segmenter = vision.ImageSegmenter.create_from_options(options)

    def __call__(self, image: NDArray[np.uint8], mesh: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Labels every pixel.

        Args:
            image: H×W×3, RGB.
            mesh: 478×2 or 478×3 in pixels of ``image``.

        Returns:
            H×W of 0 background, 1 face, 2 hair.
        """
        result = self._segmenter.segment(mediapipe_api.to_mediapipe_image(image))
        if self.multiclass:
            categories = np.squeeze(result.category_mask.numpy_view())
            labels: NDArray[np.uint8] = MULTICLASS[np.minimum(categories, len(MULTICLASS) - 1)]
            # Glasses belong to the face; a bag or a microphone outside of it does not.
            labels[(categories == 5) & _inside_oval(mesh, labels.shape)] = FACE
            return keep_face_component(labels, mesh)
        return labels_from_person_mask(np.squeeze(result.confidence_masks[0].numpy_view()) > 0.5, mesh)

    def close(self) -> None:
        """Frees the segmenter."""
        with mediapipe_api.suppress_native_stderr():
            self._segmenter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def labels_from_person_mask(person: NDArray[np.bool_], mesh: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Segment face and hair from a person mask and the landmarks.

    Args:
        person: H×W, where a person is.
        mesh: 478×2 or 478×3 in pixels.

    Returns:
        H×W of 0 background, 1 face, 2 hair.
    """
    face = _inside_oval(mesh, person.shape)
    labels = np.where(person & _head_region(mesh, person.shape), HAIR, BACKGROUND).astype(np.uint8)
    labels[face] = FACE
    return keep_face_component(labels, mesh)


def keep_face_component(labels: NDArray[np.uint8], mesh: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Keep the component of the face: other people's heads and islands become background.

    Args:
        labels: H×W of 0 background, 1 face, 2 hair.
        mesh: 478×2 or 478×3 in pixels.
    """
    _, parts = cv2.connectedComponents((labels > BACKGROUND).astype(np.uint8), connectivity=8)
    joined = np.isin(parts, np.unique(parts[_inside_oval(mesh, labels.shape) & (labels > BACKGROUND)]))
    return np.where(joined, labels, BACKGROUND).astype(np.uint8)


def _inside_oval(mesh: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    inside = np.zeros(shape, np.uint8)
    cv2.fillPoly(inside, [np.round(mesh[list(FACE_OVAL), :2]).astype(np.int32)], 1)
    return inside.astype(bool)


def _head_region(mesh: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Rasterize an ellipse around the head, aligned with it and cut off above the chin."""
    top, chin = mesh[FOREHEAD, :2], mesh[CHIN, :2]
    height = float(np.linalg.norm(top - chin))
    up = (top - chin) / max(height, 1e-6)
    right = np.array([-up[1], up[0]])
    # Seen from the side a face is narrow, but its head is not.
    width = max(float(np.linalg.norm(mesh[LEFT_CHEEK, :2] - mesh[RIGHT_CHEEK, :2])), 0.8 * height)
    center = (top + chin) / 2 + 0.18 * height * up
    rows, columns = np.indices(shape)
    offset = np.stack((columns, rows), axis=-1) - center
    across, along = offset @ right, offset @ up
    ellipse = (across / (0.95 * width)) ** 2 + (along / (0.95 * height)) ** 2 <= 1
    # A little above the chin: shoulders and collars reach up to it.
    above_chin = (np.stack((columns, rows), axis=-1) - chin) @ up > 0.15 * height
    region: NDArray[np.bool_] = ellipse & above_chin
    return region
