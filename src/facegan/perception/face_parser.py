"""Face, hair and background of a crop.

With MediaPipe's multiclass model where it can be had, else from the person mask, the landmarks and the
colors: the face is the inside of the oval of the mesh. Above the eyes and beside the cheeks all that belongs
to the person is head. Lower, hair is distinguished from neck, collar and shoulders by its color: that of hair
above the eyes, against those of the face and of what is below the chin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

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

# Positions in the head's own frame: in heights of the face, from the chin.
EYE_LEVEL, MOUTH_LEVEL, LOWEST_HAIR = 0.65, 0.3, -0.7
EAR_WIDTH, HAIRLINE, THROAT_WIDTH = 0.12, 0.03, 0.35
MIN_HAIR = 0.02
"""Of the face's area: with less hair above the eyes, a head is bald."""
REQUIRED_EVIDENCE = ((-0.7, 0.15, 0.65), (2.5, 0.5, -1.5))
"""Heights, and the log-likelihood ratio that a pixel there needs to be hair."""
COLOR_BINS = 16
COLOR_SMOOTHING = np.exp(-0.5 * (np.subtract.outer(range(COLOR_BINS), range(COLOR_BINS)) / 0.8) ** 2)
"""Gaussian by which a color counts in the neighboring bins."""
MIN_LIKELIHOOD = 1e-4
"""Of a color that occurs nowhere in a region."""

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
        person = np.squeeze(result.confidence_masks[0].numpy_view()) > 0.5
        return labels_from_person_mask(person, image, mesh)

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


def labels_from_person_mask(
    person: NDArray[np.bool_], image: NDArray[np.uint8], mesh: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Segment face and hair from a person mask, colors and landmarks.

    Args:
        person: H×W, where a person is.
        image: H×W×3, RGB.
        mesh: 478×2 or 478×3 in pixels.

    Returns:
        H×W of 0 background, 1 face, 2 hair.
    """
    face, head = _inside_oval(mesh, person.shape), _HeadFrame.from_mesh(mesh, person.shape)
    above_eyes = person & ~face & head.inside_ellipse(0.95, 0.95) & (head.height > EYE_LEVEL)
    beside_face = person & ~face & (head.height > MOUTH_LEVEL) & (head.distance_to(face) < EAR_WIDTH)
    labels = np.where(above_eyes | beside_face, HAIR, BACKGROUND).astype(np.uint8)
    labels[face] = FACE
    hairs = above_eyes & (head.distance_to(face) > HAIRLINE)
    if hairs.sum() > MIN_HAIR * face.sum():
        below_eyes = (head.height > LOWEST_HAIR) & (head.height <= EYE_LEVEL)
        lower = person & ~face & head.inside_ellipse(1.15, 1.25) & below_eyes
        skin = face & (head.height < EYE_LEVEL)
        throat = person & (head.height < 0) & (np.abs(head.across) < THROAT_WIDTH)
        evidence = _hair_evidence(image, hairs, (skin, throat))
        labels[lower & (evidence > np.interp(head.height, *REQUIRED_EVIDENCE))] = HAIR
        labels = _remove_specks(labels, above_eyes | beside_face)
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


def _hair_evidence(
    image: NDArray[np.uint8], hair: NDArray[np.bool_], others: tuple[NDArray[np.bool_], ...]
) -> NDArray[np.floating]:
    """Compute the log-likelihood ratio of each pixel's color: hair against the most similar other region.

    Args:
        image: H×W×3, RGB.
        hair: H×W, pixels that are hair.
        others: regions that are not.
    """
    bins = cv2.cvtColor(image, cv2.COLOR_RGB2LAB) // (256 // COLOR_BINS)

    def likelihood(region: NDArray[np.bool_]) -> NDArray[np.floating]:
        histogram = np.zeros((COLOR_BINS,) * 3)
        np.add.at(histogram, tuple(bins[region].T), 1)
        smooth = histogram
        for axis in range(3):
            smooth = np.moveaxis(np.tensordot(COLOR_SMOOTHING, smooth, (1, axis)), 0, axis)
        share: NDArray[np.floating] = smooth / max(smooth.sum(), 1e-9)
        return np.asarray(share[tuple(bins.transpose(2, 0, 1))] + MIN_LIKELIHOOD)

    other = np.max([likelihood(region) for region in others], axis=0)
    return np.asarray(cv2.GaussianBlur(np.log(likelihood(hair) / other), (0, 0), 0.012 * len(image)))


def _remove_specks(labels: NDArray[np.uint8], kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Remove hair that is thinner than three pixels, or not joined to hair that is kept."""
    hair = (labels == HAIR).astype(np.uint8)
    opened = cv2.morphologyEx(hair, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    _, parts = cv2.connectedComponents((opened | kept).astype(np.uint8), connectivity=8)
    joined = (opened | kept) & np.isin(parts, np.unique(parts[kept]))
    return np.where((labels == HAIR) & ~joined, BACKGROUND, labels).astype(np.uint8)


class _HeadFrame(NamedTuple):
    """Positions of pixels in the head's own frame; the unit is the height of the face, forehead to chin."""

    across: NDArray[np.floating]
    """H×W, to the right of the chin."""
    height: NDArray[np.floating]
    """H×W, above the chin."""
    width: float
    """Of the face, at least that of a face seen from the front."""
    pixels: float
    """The unit in pixels."""

    @classmethod
    def from_mesh(cls, mesh: NDArray[np.float32], shape: tuple[int, ...]) -> Self:
        top, chin = mesh[FOREHEAD, :2], mesh[CHIN, :2]
        pixels = max(float(np.linalg.norm(top - chin)), 1e-6)
        up = (top - chin) / pixels
        rows, columns = np.indices(shape)
        offset = (np.stack((columns, rows), axis=-1) - chin) / pixels
        # Seen from the side a face is narrow, but its head is not.
        width = max(float(np.linalg.norm(mesh[LEFT_CHEEK, :2] - mesh[RIGHT_CHEEK, :2])) / pixels, 0.8)
        return cls(offset @ np.array([-up[1], up[0]]), offset @ up, width, pixels)

    def inside_ellipse(self, width: float, height: float) -> NDArray[np.bool_]:
        """Return the pixels in an ellipse of half axes in widths and heights of the face."""
        x, y = self.across / (width * self.width), (self.height - 0.68) / height
        return np.asarray(x**2 + y**2 <= 1)

    def distance_to(self, region: NDArray[np.bool_]) -> NDArray[np.floating]:
        """Compute the distance of each pixel to a region."""
        distance = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5)
        return np.asarray(distance / self.pixels)
