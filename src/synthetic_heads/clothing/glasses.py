"""Glasses: rims before the eyes, a bridge, and temples to the ears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.arrays import Floats, Triangles, as_float32
from synthetic_heads.conventions import FACE
from synthetic_heads.face.canonical_face import LIDS
from synthetic_heads.face.mesh_part import Material, Part

if TYPE_CHECKING:
    from synthetic_heads.hair.hair import Color

SHAPES = {
    "round": (0.92, 2.0, 0.1),
    "rectangular": (0.66, 4.0, 0.05),
    "aviator": (0.95, 2.4, 0.35),
    "half-rim": (0.66, 3.0, 0.05),
}
"""Height against width, squareness (2 is an ellipse), and how far the middle hangs below the eye."""
COLORS: tuple[Color, ...] = (
    *((22, 22, 24), (60, 38, 24), (96, 60, 34), (120, 118, 116), (176, 142, 84), (36, 44, 78), (110, 26, 32)),
)
CLEARANCE = 0.15
"""Centimeters between frame and skin."""
SPACING = 0.3
"""Centimeters between vertices of the fine face."""
EAR = as_float32([7.95, -3.3, 3.4])
"""Where a temple rests above the person's left ear."""


@dataclass(frozen=True)
class Glasses:
    """What glasses look like.

    Attributes:
        shape: one of :data:`SHAPES`.
        color: of the frame, sRGB 0..255.
        thickness: radius of the rims in centimeters.
        size: half width of a rim in centimeters.
    """

    shape: str
    color: Color
    thickness: float
    size: float


def sample_glasses(random: np.random.Generator) -> Glasses | None:
    """Sample glasses for one person in five."""
    if random.uniform() > 0.2:
        return None
    shape = str(random.choice(list(SHAPES)))
    thin = shape == "aviator" or random.uniform() < 0.4
    return Glasses(
        shape,
        COLORS[random.integers(len(COLORS))],
        float(random.uniform(0.09, 0.11) if thin else random.uniform(0.12, 0.19)),
        float(random.uniform(2.1, 2.5)),
    )


def glasses_parts(glasses: Glasses, face: Floats) -> list[Part]:
    """The frame, standing before this face.

    Args:
        glasses: their shape.
        face: fine vertices of the neutral face, F×3.
    """
    rim = _rim(glasses, face)
    rim = as_float32(np.column_stack((rim, _stand(rim, face, glasses.thickness))))
    temple = _temple(rim[rim[:, 0].argmin()] + as_float32([0, -0.3, 0]), face)
    bridge = _bridge(rim[rim[:, 0].argmax()], face, glasses.thickness)
    closed = glasses.shape != "half-rim"
    if not closed:
        rim = rim[rim[:, 1] <= rim[:, 1].mean() + 0.15]
        rim = rim[rim[:, 0].argsort()]
    mirror = as_float32([-1, 1, 1])
    parts = [_tube(bridge, 0.9 * glasses.thickness)]
    for side in (as_float32([1, 1, 1]), mirror):
        parts += [
            _tube(rim * side, glasses.thickness, closed=closed),
            _tube(temple * side, 0.9 * glasses.thickness),
        ]
    return parts


def _bridge(inner: Floats, face: Floats, thickness: float) -> Floats:
    """An arch over the nose from the inner end of one rim to the other, 9×3."""
    across = np.linspace(1, -1, 9)
    path = np.stack((inner[0] * across, inner[1] - 0.5 * (1 - across**2), np.full(9, inner[2])), axis=1)
    ridge = face[np.abs(face[:, 0]) < 0.3]
    ridge = ridge[ridge[:, 1].argsort()]
    before = np.interp(path[4, 1], ridge[:, 1], ridge[:, 2]) - CLEARANCE - thickness
    path[:, 2] += min(before - inner[2], 0) * (1 - across**2)
    return as_float32(path)


def _rim(glasses: Glasses, face: Floats) -> Floats:
    """Outline of the rim before the person's right eye, seen from the front, 40×2."""
    eye = face[[vertex for lid in LIDS[0] for vertex in lid], :2].mean(axis=0)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    tall, power, drop = SHAPES[glasses.shape]
    cos, sin = np.cos(angle), np.sin(angle)
    radius = (np.abs(cos) ** power + np.abs(sin) ** power) ** (-1 / power)
    x, y = glasses.size * radius * cos, glasses.size * tall * radius * sin
    if glasses.shape == "aviator":
        x = x * (1 - 0.16 * y / glasses.size) - 0.12 * np.maximum(y, 0)
    # The inner edge keeps clear of the ridge of the nose.
    shift = min(0.0, -0.95 - (eye[0] + x.max()))
    return as_float32(np.stack((eye[0] + x + shift, eye[1] + y + drop * glasses.size), axis=1))


def _stand(rim: Floats, face: Floats, thickness: float) -> Floats:
    """Depth of each point of a rim: a plane that leans and bends with the face and touches it nowhere."""
    reach = thickness + CLEARANCE
    apart = np.linalg.norm(rim[:, None] - face[None, :, :2], axis=2)
    skin = np.where(apart < reach + SPACING, face[:, 2], np.inf).min(axis=1)
    x, y = rim[:, 0] - rim[:, 0].max(), rim[:, 1] - rim[:, 1].mean()
    plane = -0.22 * x + 0.12 * y
    return as_float32(plane + (skin - reach - plane).min())


def _temple(hinge: Floats, face: Floats) -> Floats:
    """From the hinge along the person's right side of the head over the ear, points ×3."""
    share = np.linspace(0, 1, 9)[:, None]
    over = EAR * as_float32([-1, 1, 1])
    path = hinge + share * (over - hinge)
    side = face[face[:, 0] < 0]
    apart = np.linalg.norm(path[:, None, 1:] - side[None, :, 1:], axis=2)
    skin = np.where(apart < CLEARANCE + SPACING, side[:, 0], 0).min(axis=1)
    path[:, 0] = np.minimum(path[:, 0], skin - CLEARANCE)
    behind = path[-1] + as_float32([[0, 0.5, 0.9], [0.1, 1.6, 1.5]])
    return as_float32(np.concatenate(([hinge + as_float32([0.3, 0, 0])], path, behind)))


def _tube(path: Floats, radius: float, *, closed: bool = False, sides: int = 6) -> Part:
    """A tube along points N×3; ``closed`` joins its ends."""
    along = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0) if closed else np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    help_axis = as_float32([0, 0, 1]) if np.abs(along[:, 2]).mean() < 0.6 else as_float32([0, 1, 0])
    one = np.cross(along, help_axis)
    one /= np.linalg.norm(one, axis=1, keepdims=True) + 1e-9
    two = np.cross(along, one)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)[None, :, None]
    ring = path[:, None] + radius * (np.cos(angle) * one[:, None] + np.sin(angle) * two[:, None])
    count = len(path)
    triangles = _wrap(count, sides, closed)
    corners = ring.reshape(-1, 3)[triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outwards = corners.mean(axis=1) - path[triangles[:, 0] // sides]
    if (facing * outwards).sum() < 0:
        triangles = triangles[:, ::-1]
    uv = np.zeros((count * sides, 2), np.float32)
    return Part(as_float32(ring.reshape(-1, 3)), triangles, uv, Material.HARD, FACE)


def _wrap(count: int, sides: int, closed: bool) -> Triangles:
    """Triangles of a tube; ``closed`` joins its ends."""
    ring = np.arange(count if closed else count - 1)[:, None]
    side = np.arange(sides)[None, :]
    after, beside = (ring + 1) % count, (side + 1) % sides
    a, b = (ring * sides + side).ravel(), (ring * sides + beside).ravel()
    c, d = (after * sides + side).ravel(), (after * sides + beside).ravel()
    return np.concatenate((np.stack((a, b, c), axis=1), np.stack((b, d, c), axis=1))).astype(np.int32)
