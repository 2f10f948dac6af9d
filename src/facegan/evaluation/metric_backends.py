"""Who looks at the pictures: recognizers of identity, and detectors of action units and pose."""

from __future__ import annotations

import csv
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import torch
from torch.nn import functional as F

from facegan.errors import InputError
from facegan.geometry.motion import ACTION_UNITS, INTENSITY_SCALE, NUM_MOTION_PARAMS, motion_from_openface
from facegan.perception import IdentityEmbedder
from facegan.perception.assets import ASSETS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.perception.face_analyzer import Face

    Images = Sequence[NDArray[np.uint8]]


class IdentityBackEnd(Protocol):
    """FaceEmbedder of faces."""

    name: str
    """As a report names it, with its weights."""

    def __call__(self, pictures: Tensor, landmarks: Tensor) -> Tensor:
        """Embeddings N×D of pictures N×3×S×S in -1..1 with landmarks N×68×2 in -1..1."""
        ...


class MotionBackEnd(Protocol):
    """Detector of action units and pose."""

    name: str
    """As a report names it."""

    def __call__(
        self, images: Images, faces: Sequence[Face | None], names: Sequence[str]
    ) -> NDArray[np.float32]:
        """Motion vectors N×20 of pictures; not a number where it sees no face.

        Args:
            images: N times S×S×3, RGB.
            faces: what MediaPipe sees in each.
            names: of the pictures, without suffix: ``model/self/000012``.
        """
        ...


class Dlib:
    """dlib's face recognition ResNet, the default.

    Args:
        device: where it computes.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        file = "dlib_face_recognition_resnet_model_v1.dat"
        self.name = f"dlib's face recognition ResNet ({file}, SHA-256 {ASSETS[file].sha256[:8]}…)"
        self._device = device
        self._embed = IdentityEmbedder().to(device)

    def __call__(self, pictures: Tensor, landmarks: Tensor) -> Tensor:
        """N×128."""
        embeddings: Tensor = self._embed(pictures.to(self._device), landmarks.to(self._device))
        return embeddings.cpu()


class FaceNet:
    """InceptionResnetV1 of facenet-pytorch, trained on VGGFace2.

    Args:
        device: where it computes.

    Raises:
        InputError: if the package is not installed or its weights cannot be had.
    """

    SIZE = 160
    MARGIN = 0.3
    """Of the box around the landmarks, whose upper edge are the brows, on each side."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        try:
            from facenet_pytorch import InceptionResnetV1
        except ImportError as error:
            msg = f"facenet-pytorch cannot be used ({error}): pip install facegan[facenet]"
            raise InputError(msg) from error
        try:
            self._network = InceptionResnetV1(pretrained="vggface2").eval().to(device)
        except OSError as error:
            msg = f"the weights of facenet-pytorch cannot be had: {error}"
            raise InputError(msg) from error
        self.name = "facenet-pytorch's InceptionResnetV1, VGGFace2"
        self._device = device

    def __call__(self, pictures: Tensor, landmarks: Tensor) -> Tensor:
        """N×512."""
        low, high = landmarks.amin(dim=1), landmarks.amax(dim=1)
        half = (high - low).amax(dim=1, keepdim=True) * (0.5 + self.MARGIN)
        steps = (2 * torch.arange(self.SIZE) + 1) / self.SIZE - 1
        offsets = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
        grid = (low + high)[:, None, None] / 2 + half[:, None, None] * offsets
        chips = F.grid_sample(pictures + 1, grid, align_corners=False) - 1
        # Its own preprocessing: (x - 127.5) / 128.
        embeddings: Tensor = self._network(chips.to(self._device) * 127.5 / 128)
        return embeddings.cpu()


class Callback:
    """Any function as recognizer.

    Args:
        embed: as :meth:`IdentityBackEnd.__call__`.
    """

    def __init__(self, embed: Callable[[Tensor, Tensor], Tensor]) -> None:
        self._embed = embed
        self.name = getattr(embed, "__qualname__", type(embed).__name__)

    def __call__(self, pictures: Tensor, landmarks: Tensor) -> Tensor:
        """What the function gives."""
        return self._embed(pictures, landmarks)


class MediaPipe:
    """OpenFace's units from MediaPipe's blendshapes, and the pose of its Face Landmarker; the default."""

    def __init__(self) -> None:
        file = "face_landmarker.task"
        self.name = f"MediaPipe Face Landmarker ({file}, SHA-256 {ASSETS[file].sha256[:8]}…)"

    def __call__(
        self, images: Images, faces: Sequence[Face | None], names: Sequence[str]
    ) -> NDArray[np.float32]:
        """Their own numbers."""
        return np.array([_UNSEEN if face is None else face.motion for face in faces], np.float32).reshape(
            -1, NUM_MOTION_PARAMS
        )


class OpenFace:
    """What OpenFace wrote about each picture: a CSV beside it or in a folder of the same structure.

    Args:
        folder: with ``NAME.csv`` for each picture ``NAME.png``, as ``FaceLandmarkImg -fdir`` writes.

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
        """The numbers of the face of greatest confidence.

        Raises:
            InputError: if the pictures have no names, or a file is missing or lacks a column.
        """
        if len(names) != len(images):
            msg = "OpenFace's files are found by the names of pictures: these have none"
            raise InputError(msg)
        return np.stack([self._read(self._folder / f"{name}.csv") for name in names])

    def _read(self, path: Path) -> NDArray[np.float32]:
        columns = [*(f"{unit}_r" for unit in ACTION_UNITS), "pose_Rx", "pose_Ry", "pose_Rz"]
        try:
            with path.open(newline="", encoding="utf-8") as file:
                # OpenFace puts a space behind every comma.
                rows = list(csv.DictReader(file, skipinitialspace=True))
            seen = [row for row in rows if float(row.get("success", 1)) > 0]
            if not seen:
                return _UNSEEN
            best = max(seen, key=lambda row: float(row["confidence"]))
            values = torch.tensor([float(best[column]) for column in columns])
        except (OSError, KeyError, TypeError, ValueError) as error:
            msg = f"cannot read OpenFace's {path}: {error}"
            raise InputError(msg) from error
        count = len(ACTION_UNITS)
        return cast("NDArray[np.float32]", motion_from_openface(values[:count], values[count:]).numpy())


class PyFeat:
    """py-feat's multi-task detector: probabilities of action units, and the head's pose.

    Its AU43, closed eyes, stands for AU45, which it does not have.

    Args:
        device: where it computes.

    Raises:
        InputError: if the package is not installed or its weights cannot be had.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        try:
            from feat import Detectorv2
        except ImportError as error:
            msg = f"py-feat cannot be used ({error}): pip install facegan[pyfeat]"
            raise InputError(msg) from error
        try:
            self._detector = Detectorv2(device=str(device), identity_model=None)
        except OSError as error:
            msg = f"the weights of py-feat cannot be had: {' '.join(str(error).split())}"
            raise InputError(msg) from error
        self.name = f"py-feat {version('py-feat')}, Detectorv2"

    def __call__(
        self, images: Images, faces: Sequence[Face | None], names: Sequence[str]
    ) -> NDArray[np.float32]:
        """The numbers of the largest face."""
        pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
        seen = self._detector.detect(pictures, data_type="tensor", batch_size=len(images), progress_bar=False)
        return self.read(seen, len(images))

    @staticmethod
    def read(seen: Any, count: int) -> NDArray[np.float32]:
        """Motion vectors count×20 of py-feat's table, a row a face."""
        units = ["AU43" if unit == "AU45" else unit for unit in ACTION_UNITS]
        vectors = np.tile(_UNSEEN, (count, 1))
        largest = np.zeros(count)
        for _, row in seen.iterrows():
            frame, area = int(row["frame"]), row["FaceRectWidth"] * row["FaceRectHeight"]
            if not area > largest[frame]:
                continue
            largest[frame] = area
            values = torch.tensor([float(row[unit]) for unit in units])
            # Radians; up and to the person's right, where ours go down and clockwise.
            angles = torch.tensor([-row["Pitch"], row["Yaw"], -row["Roll"]]).float()
            vectors[frame] = motion_from_openface(values * INTENSITY_SCALE, angles).numpy()
        return vectors


_UNSEEN = np.full(NUM_MOTION_PARAMS, np.nan, np.float32)

IDENTITY: dict[str, Callable[[torch.device | str], IdentityBackEnd]] = {"dlib": Dlib, "facenet": FaceNet}


def identity_back_end(name: str, device: torch.device | str = "cpu") -> IdentityBackEnd:
    """``dlib`` or ``facenet``.

    Raises:
        InputError: for another name, or if it cannot be used.
    """
    if name not in IDENTITY:
        msg = f"unknown identity back end {name!r}: choose {' or '.join(IDENTITY)}"
        raise InputError(msg)
    return IDENTITY[name](device)


def motion_back_end(name: str, device: torch.device | str = "cpu") -> MotionBackEnd:
    """``mediapipe``, ``pyfeat`` or ``openface=FOLDER``.

    Raises:
        InputError: for another name, or if it cannot be used.
    """
    kind, _, folder = name.partition("=")
    if kind == "openface" and folder:
        return OpenFace(Path(folder))
    if name == "pyfeat":
        return PyFeat(device)
    if name != "mediapipe":
        msg = f"unknown motion back end {name!r}: choose mediapipe, pyfeat or openface=FOLDER"
        raise InputError(msg)
    return MediaPipe()
