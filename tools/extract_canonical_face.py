"""Extract MediaPipe's canonical face from face_landmarker.task.

Writes src/facegan/geometry/canonical_face.npz: vertices 468×3 in cm (x right, y up, z towards the camera),
their unit normals, 468×3, and weights, 468, by which MediaPipe's Procrustes analysis fits them to a mesh.

    python tools/extract_canonical_face.py
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facegan.perception import assets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

OUT = Path(__file__).parents[1] / "src/facegan/geometry/canonical_face.npz"
METADATA = "geometry_pipeline_metadata_landmarks.binarypb"
VERTEX_SIZE = 5
"""Numbers of a vertex: its position, then its texture coordinates."""
MESH, PROCRUSTES_LANDMARK, VERTEX_BUFFER, INDEX_BUFFER, LANDMARK_ID, WEIGHT = 1, 2, 3, 4, 1, 2
"""Field numbers of GeometryPipelineMetadata, Mesh3d and WeightedLandmarkRef."""
VARINT, LENGTH_DELIMITED, FIXED32 = 0, 2, 5
"""Wire types of protocol buffers."""


def main() -> None:
    """Write the data file."""
    with zipfile.ZipFile(assets.fetch("face_landmarker.task")) as bundle:
        metadata = bundle.read(METADATA)
    numbers: list[float] = []
    indices: list[int] = []
    weights: dict[int, float] = {}
    for field, value in read_fields(metadata):
        if field == MESH:
            for number, part in read_fields(value):
                if number == VERTEX_BUFFER:
                    numbers.append(read_float(part))
                elif number == INDEX_BUFFER:
                    indices.append(int.from_bytes(part, "little"))
        elif field == PROCRUSTES_LANDMARK:
            entry = dict(read_fields(value))
            weights[int.from_bytes(entry[LANDMARK_ID], "little")] = read_float(entry[WEIGHT])
    vertices = np.array(numbers, np.float32).reshape(-1, VERTEX_SIZE)[:, :3]
    dense = np.zeros(len(vertices), np.float32)
    dense[list(weights)] = list(weights.values())
    normals = vertex_normals(vertices, np.array(indices).reshape(-1, 3))
    np.savez_compressed(OUT, vertices=vertices, normals=normals, weights=dense)


def vertex_normals(vertices: NDArray[np.float32], triangles: NDArray[np.integer]) -> NDArray[np.float32]:
    """Sum the normals of the triangles around each vertex, weighted by their areas."""
    first, second, third = (vertices[triangles[:, corner]] for corner in range(3))
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], np.cross(second - first, third - first))
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def read_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Iterate over number and content of the fields of a message; integers as little-endian bytes."""
    position = 0

    def read_varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(message):
        key = read_varint()
        if key & 7 == VARINT:
            yield key >> 3, read_varint().to_bytes(8, "little")
            continue
        length = {FIXED32: 4, LENGTH_DELIMITED: None}[key & 7]
        length = read_varint() if length is None else length
        yield key >> 3, message[position : position + length]
        position += length


def read_float(content: bytes) -> float:
    """Decode a 32-bit float."""
    value: float = struct.unpack("<f", content)[0]
    return value


if __name__ == "__main__":
    main()
