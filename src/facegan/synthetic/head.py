"""The shape of the built-in head: MediaPipe's canonical face, identities and action units.

Lengths are centimetres, axes the camera's (x right, y down, z away from the camera). All that
deforms the face is a sum of displacement fields, so a face is neutral + units · fields.
"""

from __future__ import annotations

import functools
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from facegan import motion as motion_vector
from facegan.perception import assets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

Colour = tuple[int, int, int]

LIPS_UPPER = (
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
)
"""Rows of the upper lip, outer to inner, each from the person's right corner to the left."""
LIPS_LOWER = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
)
LIDS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((263, 466, 388, 387, 386, 385, 384, 398, 362), (263, 249, 390, 373, 374, 380, 381, 382, 362)),
)
"""Upper and lower lid of the person's right eye and of the left one, from corner to corner."""
CREASES = ((247, 30, 29, 27, 28, 56, 190), (467, 260, 259, 257, 258, 286, 414))
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)

# A handle moves a vertex (of the person's right side, mirrored to the left) and, fading with a
# Gaussian of the radius, what lies around it: (vertex, radius, (outwards, up, forwards)).
Handle = tuple[int, float, tuple[float, float, float]]
SHAPES: dict[str, tuple[Handle, ...]] = {
    "jaw width": ((172, 3.0, (0.7, 0, 0)), (136, 3.0, (0.5, 0, 0))),
    "cheek width": ((123, 3.5, (0.6, 0, 0.1)), (234, 3.0, (0.4, 0, 0))),
    "chin length": ((152, 3.0, (0, -0.8, 0.1)), (149, 2.5, (0, -0.5, 0))),
    "forehead height": ((10, 3.5, (0, 0.7, 0)), (103, 3.0, (0, 0.5, 0))),
    "eye distance": ((159, 2.2, (0.28, 0, 0)),),
    "eye height": ((159, 0.7, (0, 0.12, 0)), (145, 0.7, (0, -0.08, 0))),
    "brow height": ((105, 1.6, (0, 0.35, 0.05)),),
    "nose width": ((98, 1.1, (0.28, 0, 0)), (48, 1.0, (0.2, 0, 0))),
    "nose length": ((4, 1.6, (0, -0.35, 0.45)), (2, 1.0, (0, -0.2, 0.1))),
    "mouth width": ((61, 1.4, (0.4, 0, -0.05)),),
}
UNITS: dict[str, tuple[Handle, ...]] = {
    "AU01": ((107, 1.1, (0, 0.9, 0)), (66, 1.0, (0, 0.4, 0))),
    "AU02": ((63, 1.2, (0, 0.9, 0)), (105, 1.0, (0, 0.5, 0))),
    "AU04": ((107, 1.2, (-0.35, -0.6, 0.1)), (105, 1.0, (-0.15, -0.35, 0))),
    "AU06": ((50, 1.6, (0, 0.5, 0.35)), (145, 0.7, (0, 0.12, 0))),
    "AU09": ((48, 0.9, (0.1, 0.45, 0)), (126, 0.8, (0, 0.3, 0.15)), (55, 1.0, (-0.1, -0.25, 0))),
    "AU10": ((37, 1.0, (0, 0.35, 0.1)), (205, 1.4, (0, 0.25, 0.1))),
    "AU12": ((61, 1.5, (0.85, 0.9, -0.35)), (205, 1.8, (0.2, 0.4, 0.25))),
    "AU14": ((61, 1.0, (0.35, 0.1, -0.45)),),
    "AU15": ((61, 1.2, (0.15, -0.8, -0.05)),),
    "AU17": ((200, 1.5, (0, 0.45, 0.25)), (17, 0.9, (0, 0.3, 0.15))),
    "AU20": ((61, 1.5, (0.7, -0.1, -0.25)),),
    "AU23": ((61, 1.3, (-0.45, 0, 0.1)),),
}
BROW_UNITS = ("AU01", "AU02", "AU04")
JAW_DROP = 3.0
"""Centimetres that the chin sinks at a full AU26."""


class Mesh(NamedTuple):
    """A triangle mesh: vertices V×3, texture coordinates V×2 in 0..1 (v down), triangles T×3."""

    vertices: Floats
    uv: Floats
    triangles: NDArray[np.int32]


@dataclass(frozen=True)
class Identity:
    """Everything of a head that does not move. Colours are RGB, 0..255.

    Attributes:
        seed: seed of the fine texture and of the background.
        shape: one number, about -1.5..1.5, for each of ``SHAPES``.
        hair_volume: how far the hair stands off the skull, as a fraction of its radius.
        hair_length: how far it hangs below the ears, in centimetres; 0 for short hair.
        fringe: height of the forehead that the hair covers, 0..1.
        stubble: darkness of the beard's shadow, 0..1.
    """

    seed: int
    shape: tuple[float, ...]
    skin: Colour
    hair: Colour
    lips: Colour
    iris: Colour
    clothes: Colour
    hair_volume: float
    hair_length: float
    fringe: float
    stubble: float


SKINS = ((246, 212, 186), (241, 194, 160), (224, 172, 130), (190, 132, 92), (141, 92, 62), (104, 68, 50))
HAIRS = ((28, 24, 24), (58, 38, 28), (96, 62, 38), (142, 74, 38), (206, 164, 96), (150, 148, 146))
IRISES = ((74, 48, 30), (52, 92, 140), (72, 110, 70), (110, 120, 130), (120, 82, 40))


def sample_identity(seed: int) -> Identity:
    """Draws a person: shape, colours, hair. The same seed gives the same person."""
    random = np.random.default_rng(seed)

    def colour(palette: tuple[Colour, ...] | NDArray[np.float64], spread: float) -> Colour:
        picked = np.asarray(palette)[random.integers(len(palette))] * random.uniform(1 - spread, 1 + spread)
        red, green, blue = np.clip(picked + random.normal(0, 4, 3), 0, 255).astype(int).tolist()
        return red, green, blue

    skin = colour(SKINS, 0.06)
    rosy = 0.55 * np.array(skin) + 0.45 * np.array((190, 60, 70))
    long = random.random() < 0.5
    return Identity(
        seed=seed,
        shape=tuple(np.clip(random.normal(0, 0.8, len(SHAPES)), -1.5, 1.5).tolist()),
        skin=skin,
        hair=colour(HAIRS, 0.15),
        lips=colour(rosy[None], 0.1),
        iris=colour(IRISES, 0.1),
        clothes=colour(random.uniform(30, 225, (1, 3)), 0.0),
        hair_volume=float(random.uniform(0.06, 0.2)),
        hair_length=float(random.uniform(5, 13)) if long else 0.0,
        fringe=float(random.choice((0.0, random.uniform(0.2, 0.7)))),
        stubble=0.0 if long else float(random.uniform(0, 0.4)),
    )


@functools.lru_cache(maxsize=1)
def canonical_mesh() -> Mesh:
    """MediaPipe's canonical face (468 vertices, mouth and eyes cut open), out of its model file."""
    with zipfile.ZipFile(assets.path("face_landmarker.task")) as bundle:
        metadata = bundle.read("geometry_pipeline_metadata_landmarks.binarypb")
    # GeometryPipelineMetadata.canonical_mesh = 1; Mesh3d.vertex_buffer = 3, index_buffer = 4.
    fields = list(_protobuf(next(value for key, value in _protobuf(metadata) if key == 1)))  # type: ignore[arg-type]
    buffer = np.frombuffer(b"".join(value for key, value in fields if key == 3), "<f4")  # type: ignore[misc]
    vertices = buffer.reshape(-1, 5)
    triangles = np.array([value for key, value in fields if key == 4], np.int32).reshape(-1, 3)
    holes = [LIPS_UPPER[3] + LIPS_LOWER[3], *(upper + lower for upper, lower in LIDS)]
    covered = np.any([np.isin(triangles, hole).all(axis=1) for hole in holes], axis=0)
    return Mesh(vertices[:, :3] * floats([1, -1, -1]), vertices[:, 3:].copy(), triangles[~covered])


@functools.lru_cache(maxsize=16)
def face_basis(identity: Identity) -> tuple[Floats, Floats]:
    """Neutral face of a person, 468×3, and the displacement of each action unit, 17×468×3."""
    rest = _relaxed(canonical_mesh().vertices)
    neutral = rest.copy()
    for weight, handles in zip(identity.shape, SHAPES.values(), strict=True):
        neutral += weight * _field(rest, handles)
    lids = [vertex for eye in LIDS for lid in eye for vertex in lid]
    fields = {}
    for name, handles in UNITS.items():
        fields[name] = _field(neutral, handles)
        if name in BROW_UNITS:
            fields[name][lids] = 0
    fields["AU10"][np.unique(LIPS_LOWER)] *= 0.2
    fields["AU17"][np.unique(LIPS_UPPER)] *= 0.7
    jaw = _jaw_weight(neutral)[:, None]
    fields["AU26"] = jaw * floats([0, JAW_DROP, 0.25 * JAW_DROP])
    fields["AU25"] = 0.2 * fields["AU26"]
    fields["AU25"][list(LIPS_UPPER[3][1:-1])] -= floats([0, 0.12, 0])
    fields["AU45"] = _lids(neutral, upper=0.98, lower=0.0)
    fields["AU07"] = _lids(neutral, upper=0.15, lower=0.3)
    fields["AU05"] = _lids(neutral, upper=-0.35, lower=0.0)
    return neutral, floats([fields[name] for name in motion_vector.ACTION_UNITS])


def floats(values: Any) -> Floats:
    """Numbers as a 32 bit array."""
    return np.asarray(values, dtype=np.float32)


def _field(vertices: Floats, handles: tuple[Handle, ...]) -> Floats:
    """Displacement of all vertices, V×3, by the handles and their mirror images."""
    field = np.zeros_like(vertices)
    for vertex, radius, (outwards, up, forwards) in handles:
        middle = abs(vertices[vertex, 0]) < 1e-3
        for side in (-1,) if middle else (-1, 1):
            centre = vertices[vertex] * floats([-side, 1, 1])
            near = np.exp(-((vertices - centre) ** 2).sum(axis=1) / (2 * radius**2))
            field += near[:, None] * floats([side * outwards, -up, -forwards])
    return field


def _relaxed(vertices: Floats) -> Floats:
    """The canonical face with its lips closed and its eyes a little wider open."""
    relaxed = vertices + _lids(vertices, upper=-0.3, lower=-0.12)
    gap = vertices[list(LIPS_LOWER[3])] - vertices[list(LIPS_UPPER[3])]
    for share, upper, lower in zip((0.15, 0.25, 0.38, 0.49), LIPS_UPPER, LIPS_LOWER, strict=True):
        relaxed[list(upper[1:-1])] += share * gap[1:-1]
        relaxed[list(lower[1:-1])] -= share * gap[1:-1]
    return relaxed


def _jaw_weight(vertices: Floats) -> Floats:
    """How much each vertex goes with the lower jaw, 0..1."""
    corner, x, y = vertices[61], np.abs(vertices[:, 0]), vertices[:, 1]
    below = np.clip((y - corner[1] + 0.2) / 1.4, 0, 1)
    sideways = np.clip((8.0 - x) / 4.5, 0, 1)
    weight = floats(below * below * (3 - 2 * below) * sideways)
    along = np.sin(np.linspace(0, np.pi, 11)) ** 0.7
    for row in LIPS_LOWER:
        weight[list(row)] = 0.25 + 0.75 * along
    for row in LIPS_UPPER:
        weight[list(row)] = 0.25 * (1 - along)
    return weight


def _lids(vertices: Floats, upper: float, lower: float) -> Floats:
    """Moves the upper and the lower lid by these fractions of the eye's opening towards each other."""
    field = np.zeros_like(vertices)
    for (above, below), crease in zip(LIDS, CREASES, strict=True):
        opening = vertices[list(below)] - vertices[list(above)]
        field[list(above)] = upper * opening
        field[list(below)] -= lower * opening
        field[list(crease)] = 0.4 * upper * opening[1:-1]
    return field


def _protobuf(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a protobuf message: varints, 32 bit and length-delimited ones."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        length = 4 if key & 7 == 5 else varint()
        yield key >> 3, data[position : position + length]
        position += length
