"""Back ends of the metrics: face recognition networks, and detectors of action units and head pose."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import torch

from facegan.errors import InputError
from facegan.geometry.motion import ACTION_UNITS, NUM_MOTION_PARAMS, motion_from_openface
from facegan.perception.assets import ASSETS
from facegan.perception.identity_embedder import IdentityEmbedder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.perception.face_analyzer import Face

    Images = Sequence[NDArray[np.uint8]] | NDArray[np.uint8]


class IdentityBackend(Protocol):
    """Face recognition network."""

    name: str
    """Name in a report, with its weights."""

    def __call__(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """Embed faces: images N×3×S×S in -1..1 with landmarks N×68×2 in -1..1 to N×D."""
        ...


class MotionBackend(Protocol):
    """Detector of action units and head pose."""

    name: str
    """Name in a report."""

    def __call__(
        self, images: Images, faces: Sequence[Face | None], names: Sequence[str]
    ) -> NDArray[np.float32]:
        """Measure motion parameters, N×20; not a number where no face is detected.

        Args:
            images: N times S×S×3, RGB.
            faces: what MediaPipe detects in each.
            names: of the images, without suffix: ``model/self/000012``.
        """
        ...


class DlibIdentity:
    """dlib's face recognition ResNet, the default; embeddings N×128.

    Args:
        device: where it computes.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        file = "dlib_face_recognition_resnet_model_v1.dat"
        self.name = f"dlib's face recognition ResNet ({file}, SHA-256 {ASSETS[file].sha256[:8]}…)"
        self._device = device
        self._embed = IdentityEmbedder().to(device)

    def __call__(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """Embed faces; see :class:`IdentityBackend`."""
        embeddings: Tensor = self._embed(images.to(self._device), landmarks.to(self._device))
        return embeddings.cpu()


class MediaPipeMotion:
    """Action units from MediaPipe's blendshapes, and the pose of its Face Landmarker; the default."""

    def __init__(self) -> None:
        file = "face_landmarker.task"
        self.name = f"MediaPipe Face Landmarker ({file}, SHA-256 {ASSETS[file].sha256[:8]}…)"

    def __call__(
        self, images: Images, faces: Sequence[Face | None], names: Sequence[str]
    ) -> NDArray[np.float32]:
        """Return the motion of the detected faces; see :class:`MotionBackend`."""
        return np.stack([_NO_FACE if face is None else face.motion for face in faces]).astype(np.float32)


class OpenFaceMotion:
    """Measurements that OpenFace wrote: one CSV an image, in a folder of the same structure.

    Args:
        folder: with ``NAME.csv`` for each image ``NAME.png``, as ``FaceLandmarkImg -fdir`` writes.

    Raises:
        InputError: if there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"OpenFace ({folder})"
        self._folder = folder
        if not folder.is_dir():
            msg = f"no folder of OpenFace CSV files: {folder}"
            raise InputError(msg)

    def __call__(
        self, images: Images, faces: Sequence[Face | None], names: Sequence[str]
    ) -> NDArray[np.float32]:
        """Read the motion of the face of greatest confidence; see :class:`MotionBackend`.

        Raises:
            InputError: if the images have no names, or a file is missing or lacks a column.
        """
        if len(names) != len(images):
            msg = "OpenFace's CSV files are found by the names of images: these have none"
            raise InputError(msg)
        return np.stack([self._read(self._folder / f"{name}.csv") for name in names])

    def _read(self, path: Path) -> NDArray[np.float32]:
        columns = [*(f"{unit}_r" for unit in ACTION_UNITS), "pose_Rx", "pose_Ry", "pose_Rz"]
        try:
            with path.open(newline="", encoding="utf-8") as file:
                # OpenFace writes a space behind every comma.
                rows = list(csv.DictReader(file, skipinitialspace=True))
            detected = [row for row in rows if float(row.get("success", 1)) > 0]
            if not detected:
                return _NO_FACE
            best = max(detected, key=lambda row: float(row["confidence"]))
            values = torch.tensor([float(best[column]) for column in columns])
        except (OSError, KeyError, TypeError, ValueError) as error:
            msg = f"cannot read OpenFace's {path}: {error}"
            raise InputError(msg) from error
        count = len(ACTION_UNITS)
        return cast("NDArray[np.float32]", motion_from_openface(values[:count], values[count:]).numpy())


_NO_FACE = np.full(NUM_MOTION_PARAMS, np.nan, np.float32)

IDENTITY_BACKENDS: dict[str, Callable[[torch.device | str], IdentityBackend]] = {"dlib": DlibIdentity}


def open_identity_backend(name: str, device: torch.device | str = "cpu") -> IdentityBackend:
    """Load a face recognition network: ``dlib``.

    Raises:
        InputError: for another name, or if it cannot be used.
    """
    if name not in IDENTITY_BACKENDS:
        msg = f"unknown identity back end {name!r}: choose {' or '.join(IDENTITY_BACKENDS)}"
        raise InputError(msg)
    return IDENTITY_BACKENDS[name](device)


def open_motion_backend(name: str) -> MotionBackend:
    """Open a detector of action units and head pose: ``mediapipe`` or ``openface=FOLDER``.

    Raises:
        InputError: for another name, or if it cannot be used.
    """
    kind, _, folder = name.partition("=")
    if kind == "openface" and folder:
        return OpenFaceMotion(Path(folder))
    if name != "mediapipe":
        msg = f"unknown motion back end {name!r}: choose mediapipe or openface=FOLDER"
        raise InputError(msg)
    return MediaPipeMotion()
