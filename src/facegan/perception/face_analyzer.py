"""Estimate landmarks, blendshapes, action units and pose of faces by MediaPipe's Face Landmarker.

One :class:`FaceAnalyzer` tracks the faces of one video, frame by frame.
"""

from __future__ import annotations

import zipfile
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from facegan.geometry.head_pose import HeadPose, head_angles
from facegan.geometry.landmarks import interocular_center, landmarks_from_mesh
from facegan.geometry.motion import INTENSITY_SCALE, POSE_SCALE
from facegan.perception import action_units, assets, mediapipe_api

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

_HALF_A_PIXEL = 0.5 * 1.5 / 256
"""MediaPipe reads a face in a square of 1.5 times its extent, in 256 pixels, and counts from the
corner of the first of these, not from its center."""


SHARES = (1 / 2, 1 / 4)
"""Sides of the tiles in which small faces are searched, as fractions of the image's longer side."""
SMALLEST_PART = 256
"""Least side of a tile in pixels: a face in a smaller one would be too small to animate."""


@dataclass(frozen=True)
class Face:
    """A face detected in an image."""

    mesh: NDArray[np.float32]
    """478×3 in pixels, x right, y down; (0, 0) is the center of the top left pixel."""
    blendshapes: NDArray[np.float32]
    """52 in 0..1, in the order of ``action_units.BLENDSHAPE_NAMES``."""
    angles: NDArray[np.float32]
    """Pitch, yaw, roll in radians with OpenFace's signs."""
    confidence: float
    """Score of the face detector at this position, 0..1; 0 without a detection, NaN if not requested."""

    @property
    def landmarks(self) -> NDArray[np.float32]:
        """68×2 in pixels."""
        return landmarks_from_mesh(self.mesh)

    @property
    def intensities(self) -> NDArray[np.float32]:
        """17 action units in 0..5."""
        return action_units.blendshapes_to_action_units(self.blendshapes)

    @property
    def motion(self) -> NDArray[np.float32]:
        """The 20 motion parameters of :mod:`facegan.geometry.motion`."""
        return np.concatenate((self.intensities / INTENSITY_SCALE, self.angles / POSE_SCALE)).astype(
            np.float32
        )


class FaceAnalyzer:
    """Run MediaPipe's Face Landmarker on the frames of one video.

    Args:
        max_faces: largest number of faces per frame.
        single_images: treat every image on its own instead of tracking faces from frame to frame.
        scores: False omits the faces' confidence, which a second model estimates.
    """

    def __init__(self, max_faces: int = 4, *, single_images: bool = False, scores: bool = True) -> None:
        vision = mediapipe_api.import_vision()
        model = assets.fetch("face_landmarker.task")
        mode = vision.RunningMode.IMAGE if single_images else vision.RunningMode.VIDEO
        self._max_faces = max_faces
        self._single_images = single_images
        self._scores = scores
        self._milliseconds = -1
        self._found = False
        # The landmarker keeps the scores of the detector inside it to itself.
        with zipfile.ZipFile(model) as bundle:
            detector = bundle.read("face_detector.tflite")
        self._head_pose = HeadPose()
        with mediapipe_api.suppress_native_stderr():
            self._landmarker = vision.FaceLandmarker.create_from_options(
                vision.FaceLandmarkerOptions(
                    base_options=mediapipe_api.base_options(model_asset_path=str(model)),
                    running_mode=mode,
                    num_faces=max_faces,
                    output_face_blendshapes=True,
                )
            )
            self._detector = vision.FaceDetector.create_from_options(
                vision.FaceDetectorOptions(
                    base_options=mediapipe_api.base_options(model_asset_buffer=detector),
                    running_mode=vision.RunningMode.IMAGE,
                    min_detection_confidence=0.1,
                )
            )

    def __call__(self, image: NDArray[np.uint8], time: float = 0.0) -> list[Face]:
        """Detect the faces of an image, the largest first.

        A single image without a detected face is searched in tiles: the detector sees faces of about a
        tenth of the image's side and more.

        Args:
            image: H×W×3, RGB.
            time: seconds since the start of the video, increasing.
        """
        faces = self._find(image, time)
        if not faces and self._single_images:
            faces = self._find_small(image)
        return faces

    def _find(self, image: NDArray[np.uint8], time: float) -> list[Face]:
        mediapipe_image = mediapipe_api.to_mediapipe_image(image)
        # Only the first run of a model logs, and some do not run before there is a face.
        with nullcontext() if self._found else mediapipe_api.suppress_native_stderr():
            # Frames closer than a millisecond still need growing timestamps.
            self._milliseconds = max(self._milliseconds + 1, round(1000 * time))
            if self._single_images:
                result = self._landmarker.detect(mediapipe_image)
            else:
                result = self._landmarker.detect_for_video(mediapipe_image, self._milliseconds)
            wanted = self._scores and result.face_landmarks
            detections = self._detector.detect(mediapipe_image).detections if wanted else []
        if not result.face_landmarks:
            return []
        self._found = True
        boxes = [(d.bounding_box, d.categories[0].score) for d in detections]
        height, width = image.shape[:2]
        faces = []
        for points, shapes in zip(result.face_landmarks, result.face_blendshapes, strict=True):
            mesh = np.array([(p.x * width, p.y * height, p.z * width) for p in points], np.float32)
            mesh[:, :2] -= _HALF_A_PIXEL * np.ptp(mesh[:, :2], axis=0).max()
            faces.append(
                Face(
                    mesh=mesh,
                    blendshapes=np.array([s.score for s in shapes], np.float32),
                    angles=head_angles(self._head_pose(mesh)),
                    confidence=_score_at(boxes, interocular_center(landmarks_from_mesh(mesh)))
                    if self._scores
                    else float("nan"),
                )
            )
        return _largest_first(faces)

    def _find_small(self, image: NDArray[np.uint8]) -> list[Face]:
        """Looks at overlapping squares, at smaller ones if there is nobody in the larger."""
        height, width = image.shape[:2]
        for share in SHARES:
            side = round(share * max(height, width))
            if side < SMALLEST_PART:
                break
            faces = []
            for y in range(0, max(1, height - side // 2), side // 2):
                for x in range(0, max(1, width - side // 2), side // 2):
                    part = np.ascontiguousarray(image[y : y + side, x : x + side])
                    offset = np.array((x, y, 0), np.float32)
                    faces += [replace(face, mesh=face.mesh + offset) for face in self._find(part, 0)]
            if faces:
                return _largest_first(faces)[: self._max_faces]
        return []

    def close(self) -> None:
        """Frees the detectors (their destructors complain at the interpreter's exit)."""
        with mediapipe_api.suppress_native_stderr():
            self._landmarker.close()
            self._detector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _largest_first(faces: list[Face]) -> list[Face]:
    """Once each: MediaPipe now and then gives a face twice, so that middles lie nearer than a third of it."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -float(np.ptp(face.mesh[:, 1]))):
        middle, extent = face.mesh[:, :2].mean(axis=0), float(np.ptp(face.mesh[:, 1]))
        if all(np.linalg.norm(middle - other.mesh[:, :2].mean(axis=0)) > extent / 3 for other in kept):
            kept.append(face)
    return kept


def _score_at(boxes: list[tuple[Any, float]], point: NDArray[np.float32]) -> float:
    """The best score among the boxes that hold a point."""
    x, y = point
    return max(
        (
            score
            for box, score in boxes
            if box.origin_x <= x <= box.origin_x + box.width
            and box.origin_y <= y <= box.origin_y + box.height
        ),
        default=0.0,
    )
