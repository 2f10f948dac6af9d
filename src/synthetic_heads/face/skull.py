"""What surrounds the face: skull, ears, neck."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.conventions import BACKGROUND, FACE
from synthetic_heads.face.canonical_face import COUNT, OVAL, canonical_mesh
from synthetic_heads.face.mesh_part import Material, Part, grid
from synthetic_heads.face.subdivision import refine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_heads.face.subdivision import Refinement

CENTER = as_float32([0, -3.0, 3.0])
"""Middle of the skull."""
RADII = as_float32([7.7, 9.7, 9.0])
"""Half axes of the skull: sideways, up, back."""
BELOW = 7.0
"""Half axis downwards."""
AXIS = as_float32([0, 0.2, 0.98])
"""From the middle to the back of the head."""
RINGS = 10
"""Rings of vertices from the face's outline to the back of the head."""


@functools.lru_cache(maxsize=1)
def fine_face() -> Refinement:
    """The face as it is drawn: the canonical mesh refined twice."""
    return refine(canonical_mesh().triangles, COUNT, 2)


@functools.lru_cache(maxsize=1)
def outline() -> NDArray[np.int32]:
    """Vertices of the fine face along its outline, in the order of :data:`OVAL`."""
    return border(OVAL[0], OVAL[1])


def border(start: int, towards: int) -> NDArray[np.int32]:
    """Vertices of the fine face around a border: the outline or an opening.

    Args:
        start: a vertex of the canonical face on it.
        towards: the next one, which tells the direction.
    """
    nearby = _border_neighbors()
    weights = fine_face().weights
    loop = [start]
    following = max(nearby[start], key=lambda vertex: weights[vertex, towards])
    while following != start:
        loop.append(following)
        following = next(vertex for vertex in nearby[following] if vertex != loop[-2])
    return np.array(loop, np.int32)


@functools.lru_cache(maxsize=1)
def _border_neighbors() -> dict[int, list[int]]:
    triangles = fine_face().triangles
    sides = np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)])
    edges, faces = np.unique(np.sort(sides, axis=1), axis=0, return_counts=True)
    nearby: dict[int, list[int]] = {}
    for a, b in edges[faces == 1].tolist():
        nearby.setdefault(a, []).append(b)
        nearby.setdefault(b, []).append(a)
    return nearby


class Skull:
    """The skull behind a face; it goes on from the face's outline without a seam.

    Args:
        face: fine vertices of the neutral face.
    """

    def __init__(self, face: Floats) -> None:
        self._outline = face[outline()]
        start = self._outline - CENTER
        radius = np.linalg.norm(start, axis=1)
        direction = start / radius[:, None]
        along = direction @ AXIS
        sideways = direction - along[:, None] * AXIS
        sideways /= np.linalg.norm(sideways, axis=1, keepdims=True)
        steps = (np.arange(1, RINGS + 1) / RINGS)[:, None]
        angle = np.arccos(along) * (1 - steps)
        directions = np.cos(angle)[..., None] * AXIS + np.sin(angle)[..., None] * sideways
        blend = np.clip(steps / 0.35, 0, 1)
        blend = blend * blend * (3 - 2 * blend)
        radii = (1 - blend) * radius + blend * ellipsoid(directions)
        self.vertices = as_float32(CENTER + radii[..., None] * directions)
        """RINGS×N×3, behind the N vertices of the outline."""
        self._fade = as_float32((1 - steps) ** 2)[..., None]

    def deform(self, face: Floats) -> Floats:
        """Rings behind a moved face (fine vertices), RINGS·N×3."""
        return as_float32((self.vertices + self._fade * (face[outline()] - self._outline)).reshape(-1, 3))


def ellipsoid(directions: Floats) -> Floats:
    """Distance of the skull from its middle in these directions, ...×3 to ...."""
    up = np.where(directions[..., 1] < 0, RADII[1], BELOW)
    axes = np.stack(np.broadcast_arrays(RADII[0], up, RADII[2]), axis=-1)
    return as_float32(1 / np.sqrt(((directions / axes) ** 2).sum(axis=-1)))


def skull_part(skull: Skull, first: int) -> Part:
    """The skull's surface; its triangles also use the face's outline.

    Args:
        skull: its shape.
        first: number of the skull's first vertex when the face's fine vertices come first.
    """
    rings, columns = skull.vertices.shape[:2]
    triangles = grid(rings + 1, columns, closed=True)
    lookup = np.concatenate((outline(), first + np.arange(rings * columns))).astype(np.int32)
    ring, column = np.mgrid[1 : rings + 1, :columns]
    # Both sides share the map, from the forehead (0) to the chin (1): so it has no seam.
    around = 1 - np.abs(1 - 2 * column / columns)
    uv = np.stack((1.02 + 0.6 * ring / rings, around), axis=-1).reshape(-1, 2)
    return Part(skull.vertices.reshape(-1, 3), lookup[triangles], as_float32(uv), Material.SKIN, FACE)


def ears(size: float, stand_off: float, lobe: float, at: Floats) -> Part:
    """Both ears.

    Args:
        size: about 1.
        stand_off: angle to the head in radians.
        lobe: length of the lobe, about 0..1.
        at: where the person's left ear starts, 3.
    """
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    # Rows from the concha outwards: share of the outline, height over the head.
    rows = (
        (0.0, 0.1),
        (0.22, 0.15),
        (0.38, 0.75),
        (0.55, 0.95),
        (0.72, 0.6),
        (0.88, 0.95),
        (0.97, 0.8),
        (1, 0.4),
    )
    down = np.clip(np.sin(angle), 0, 1)
    back = np.where(np.cos(angle) > 0, 1.9, 1.25) * (1.02 - 0.3 * down)
    tall = np.where(np.sin(angle) > 0, 1.75 + 0.5 * lobe, 3.1)
    edge = np.stack((back * np.cos(angle) - 0.35 * down, tall * np.sin(angle) * (1.2 - 0.2 * down)), axis=1)
    # Towards the face the ear lies on the head; the lobe is flat.
    lift = 0.35 + 0.65 * np.clip(0.6 + 0.8 * np.cos(angle), 0, 1)
    sheet = []
    for share, height in rows:
        flat = edge * share + (1 - share) * np.array([-0.35, 0.45])
        rise = height * lift
        rise += share * down * down * (0.5 - rise)
        sheet.append(np.stack((rise * 0.8, flat[:, 1], flat[:, 0]), axis=1))
    ear = np.array(sheet).reshape(-1, 3) * size
    lean = np.radians(12)
    y, z = ear[:, 1].copy(), ear[:, 2].copy()
    ear[:, 1], ear[:, 2] = y * np.cos(lean) - z * np.sin(lean), y * np.sin(lean) + z * np.cos(lean)
    x, z = ear[:, 0].copy(), ear[:, 2].copy()
    ear[:, 0] = x * np.cos(stand_off) + (z + 1.2) * np.sin(stand_off)
    ear[:, 2] = z * np.cos(stand_off) - x * np.sin(stand_off)
    left = ear + at
    triangles = grid(len(rows), len(angle), closed=True)
    outwards = np.repeat([row[0] for row in rows], len(angle))
    uv = np.stack((1.82 + 0.08 * outwards * np.cos(np.tile(angle, len(rows))),
                   0.25 + 0.2 * outwards * np.sin(np.tile(angle, len(rows)))), axis=1)  # fmt: skip
    shade = np.interp(outwards, (0, 0.3, 0.55, 0.72, 0.9, 1), (0.35, 0.5, 1, 0.65, 1, 0.9))
    mirrored = np.concatenate((left * as_float32([-1, 1, 1]), left))
    both = np.concatenate((triangles[:, ::-1], triangles + len(left)))
    return Part(
        as_float32(mirrored), both.astype(np.int32), as_float32(np.tile(uv, (2, 1))), Material.SKIN, FACE,
        shade=as_float32(np.tile(shade, 2)),
    )  # fmt: skip


NECK = as_float32(
    [(-2, 3.8, 3.2, 5.2), (1, 4.9, 4.5, 5.0), (4, 5.5, 5.3, 5.0), (8, 5.4, 5.4, 5.3), (11, 5.5, 5.6, 5.7),
     (13, 6.4, 6.0, 6.3), (14.2, 8.2, 6.4, 6.8), (15.4, 11.6, 7.0, 7.4), (16.6, 15.0, 7.5, 7.9),
     (18, 17.6, 8.2, 8.2), (20, 19.3, 9.0, 8.3), (23, 20.6, 10.2, 8.2), (29, 21.4, 11.3, 7.6),
     (40, 22.0, 12.3, 7.2)]
)  # fmt: skip
"""Rings of neck and shoulders: height, half width, half depth, middle."""
NECK_ROWS = 30
NECK_COLUMNS = 48


def body_points(
    angle: Floats, heights: Floats, width: float, neck: float, inflate: Floats | float = 0
) -> Floats:
    """Points around neck and shoulders.

    Args:
        angle: around the body, 0 in front and growing to the image's right; broadcasts with ``heights``.
        heights: y on the skin.
        width: of the shoulders, about 1.
        neck: thickness of the neck, about 1.
        inflate: centimeters outside the skin, along its normal; broadcasts too.

    Returns:
        ...×3.
    """
    angle, heights, inflate = np.broadcast_arrays(angle, heights, inflate)
    scale = np.interp(heights, (12, 17), (neck, width))
    growing = np.where((heights > 12) & (heights < 17), (width - neck) / 5, 0)
    (half_width, half_depth, middle), (wider, deeper, back) = (
        np.moveaxis(rings(heights), -1, 0) for rings in _rings()
    )
    wider, half_width = wider * scale + half_width * growing, half_width * scale
    deeper, half_depth = deeper * np.sqrt(scale), half_depth * np.sqrt(scale)
    sine, cosine = np.sin(angle), np.cos(angle)
    skin = np.stack((half_width * sine, heights, middle - half_depth * cosine), axis=-1)
    around = np.stack((half_width * cosine, np.zeros_like(sine), half_depth * sine), axis=-1)
    down = np.stack((wider * sine, np.ones_like(sine), back - deeper * cosine), axis=-1)
    normal = np.cross(down, around)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return as_float32(skin + inflate[..., None] * normal)


@functools.lru_cache(maxsize=1)
def _rings() -> tuple[PchipInterpolator, PchipInterpolator]:
    """Half width, half depth and middle over the height, and their slopes."""
    rings = PchipInterpolator(NECK[:, 0], NECK[:, 1:])
    return rings, rings.derivative()


def body_rings(heights: Floats, width: float, neck: float, inflate: float = 0) -> Floats:
    """Points around neck and shoulders as :func:`body_points`, for heights rows×48: rows×48×3."""
    angle = np.linspace(0, 2 * np.pi, NECK_COLUMNS, endpoint=False)
    return body_points(as_float32(angle), heights, width, neck, inflate)


def body_head_weight(heights: Floats) -> Floats:
    """How much skin or cloth at this height goes with the head when it turns, 0..1."""
    head_weight = np.clip((13.5 - heights) / 10, 0, 1)
    return as_float32(head_weight * head_weight * (3 - 2 * head_weight))


def neck(width: float, thickness: float, masculine: float = 0.5) -> Part:
    """Neck, shoulders and chest, bare.

    Args:
        width: of the shoulders, about 1.
        thickness: of the neck, about 1.
        masculine: 0..1, how much muscles and the Adam's apple show.
    """
    # Columns and rows lie closest where throat and collar bones are seen.
    turn = np.linspace(-np.pi, np.pi, NECK_COLUMNS, endpoint=False)
    angle = turn - 0.4 * np.sin(turn)
    rows = np.linspace(0, 1, NECK_ROWS)
    heights = np.interp(rows, (0, 0.35, 0.85, 1), (-2, 12.5, 21, 38))
    y, across = np.meshgrid(heights, angle, indexing="ij")
    points = body_points(
        as_float32(across), as_float32(y), width, thickness, body_relief(across, y, masculine)
    )
    row, column = np.mgrid[:NECK_ROWS, :NECK_COLUMNS]
    uv = np.stack((1.7 + 0.25 * row / NECK_ROWS, 0.52 + 0.46 * column / NECK_COLUMNS), axis=-1).reshape(-1, 2)
    triangles = grid(NECK_ROWS, NECK_COLUMNS, closed=True)[:, ::-1]
    weight = body_head_weight(as_float32(y.ravel()))
    return Part(
        points.reshape(-1, 3), triangles, as_float32(uv), Material.SKIN, BACKGROUND, head_weight=weight
    )


def body_relief(
    angle: NDArray[np.floating[Any]], heights: NDArray[np.floating[Any]], masculine: float
) -> Floats:
    """Height of muscles and bones over the smooth neck, at most 0.4 cm."""
    side = np.abs(angle)

    def bump(towards: NDArray[np.floating[Any]] | float, wide: float, at: float, tall: float) -> Floats:
        return as_float32(np.exp(-(((side - towards) / wide) ** 2) - ((heights - at) / tall) ** 2))

    # The sternocleidomastoid runs from behind the ear to the notch between the collar bones.
    strand = np.interp(heights, (3, 10, 17), (1.7, 1.0, 0.16))
    relief = (0.2 + 0.14 * masculine) * bump(strand, 0.17, 11.5, 5.5)
    relief -= 0.35 * bump(0, 0.12, 17.0, 1.3)
    # Collar bones rise a little towards the shoulder.
    bone = 17.9 - 0.9 * np.clip(side / 1.2, 0, 1)
    along = np.clip((side - 0.05) / 0.12, 0, 1) * (side < 1.3)
    relief += 0.3 * along * np.exp(-(((heights - bone) / 0.65) ** 2))
    relief += 0.38 * masculine * bump(0, 0.22, 11.6, 1.5)
    return as_float32(relief)
