"""How a head is turned, from its mesh.

MediaPipe fits its canonical face to the mesh under a camera that sees the whole picture, so that the angles
of one and the same face depend on where in the picture it is and how large: by 20 degrees of yaw at the
edge of a wide one. The same fit (MediaPipe's face geometry module, ``geometry_pipeline.cc``) is made here
in a square around the face.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from facegan.geometry.landmarks import interocular_center, landmarks_from_mesh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FIELD_OF_VIEW = math.radians(63)
"""Of MediaPipe's camera, from top to bottom."""
EYES, SIDE = np.array((0.5, 0.42)), 2.0
"""Where the eyes lie in the square, and its side as a multiple of the landmarks' extent: as in the crops of
a data set (``facegan.preparation.Crop``), so that a frame and the crop of it give the same angles."""
VERTEX = 5
"""Numbers of a vertex: its place, and its place in a texture."""
FIXED, BYTES, VARINT = 5, 2, 0
"""Wire types of protocol buffers."""


class HeadPose:
    """Fits MediaPipe's canonical face to meshes.

    Args:
        metadata: ``geometry_pipeline_metadata_landmarks.binarypb`` out of ``face_landmarker.task``.
    """

    def __init__(self, metadata: bytes) -> None:
        vertices: list[float] = []
        weights: dict[int, float] = {}
        for field, value in _fields(metadata):
            if field == 1:  # the mesh
                vertices += [_float(part) for number, part in _fields(value) if number == 3]
            elif field == 2:  # a vertex that counts, and how much
                entry = dict(_fields(value))
                weights[int.from_bytes(entry[1], "little")] = _float(entry[2])
        self._canonical = np.array(vertices).reshape(-1, VERTEX)[:, :3]
        self._weights = np.zeros(len(self._canonical))
        self._weights[list(weights)] = list(weights.values())

    def __call__(self, mesh: NDArray[np.floating]) -> NDArray[np.float64]:
        """The head's rotation, 3×3, with x right, y up, z towards the camera.

        Args:
            mesh: 478×3 in pixels, x right, y down, z away from the camera.
        """
        points = landmarks_from_mesh(mesh)
        side = SIDE * float(np.ptp(points, axis=0).max())
        placed = mesh / side
        placed[:, :2] += EYES - interocular_center(points) / side
        return self.fit(placed, 1.0)

    def fit(self, mesh: NDArray[np.floating], aspect: float) -> NDArray[np.float64]:
        """As MediaPipe does it.

        Args:
            mesh: 478×3; x and y as fractions of the picture, z in x's unit.
            aspect: width over height of the picture.
        """
        height = 2 * math.tan(FIELD_OF_VIEW / 2)
        width = aspect * height
        screen = np.array(mesh[: len(self._canonical)], np.float64)
        screen[:, 1] = 1 - screen[:, 1]
        screen = screen * (width, height, width) - (width / 2, height / 2, 0)
        first = self._solve(screen * (1, 1, -1)).scale
        second = self._solve(_metric(screen, first)).scale
        return self._solve(_metric(screen, first * second)).rotation

    def _solve(self, points: NDArray[np.float64]) -> _Fit:
        """Weighted Procrustes: the scaled rotation of the canonical face that is nearest to the points."""
        share = (self._weights / self._weights.sum())[:, None]
        source = self._canonical - (share * self._canonical).sum(axis=0)
        left, _, right = np.linalg.svd((points * share).T @ source)
        if np.linalg.det(left) * np.linalg.det(right) < 0:
            left[:, 2] *= -1
        rotation = left @ right
        scale = (share * (source @ rotation.T) * points).sum() / (share * source**2).sum()
        return _Fit(rotation, float(scale))


class _Fit(NamedTuple):
    rotation: NDArray[np.float64]
    scale: float


def _metric(screen: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Points on the screen as points in space, if the face is so many times smaller than in life."""
    depth = (screen[:, 2] - screen[:, 2].mean() + 1) / scale
    return np.stack((screen[:, 0] * depth, screen[:, 1] * depth, -depth), axis=1)


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field of a protocol buffer; of numbers their bytes, the lowest first."""
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(message):
        key = varint()
        if key & 7 == VARINT:
            yield key >> 3, varint().to_bytes(8, "little")
            continue
        length = {FIXED: 4, BYTES: None}[key & 7]
        length = varint() if length is None else length
        yield key >> 3, message[place : place + length]
        place += length


def _float(content: bytes) -> float:
    value: float = struct.unpack("<f", content)[0]
    return value
