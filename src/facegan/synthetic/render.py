"""Drawing the built-in head: posed, projected, rasterised with texture and light, on a still background."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from facegan import landmarks, motion
from facegan.errors import InputError
from facegan.perception.parsing import BACKGROUND, FACE, HAIR
from facegan.synthetic import texture
from facegan.synthetic.head import LIDS, LIPS_LOWER, LIPS_UPPER, OVAL, canonical_mesh, face_basis, floats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from facegan.synthetic.head import Floats, Identity

CAMERA = 75.0
"""Distance of the camera from the head's centre in centimetres."""
PICTURE = 37.0
"""Height of what the camera sees at that distance; a face is 17.5 high."""
PIVOT = floats([0, 9, 6])
"""The neck's joint: turning about it also moves the head in the picture."""
HEAD_Y = -1.5
LIGHT = floats([-0.42, -0.5, -0.76])
SKULL_CENTRE, SKULL_BACK, SKULL_NECK = floats([[0, -1.5, 3.5], [0, -1.5, 10.5], [0, 8, 5]])
RINGS = 7
"""Rings of skull vertices between the face's outline and the back of the head."""
SAMPLES = 2
"""Samples a pixel and axis."""
_SUBPIXEL = 4


@dataclass(frozen=True)
class Frame:
    """A drawn head. Positions are in pixels, (0, 0) is the centre of the top left pixel."""

    image: NDArray[np.uint8]
    """H×W×3, RGB."""
    segmentation: NDArray[np.uint8]
    """H×W, 0 background (neck and clothes included), 1 face, 2 hair."""
    mesh: NDArray[np.float32]
    """468×3: x right, y down, z away from the camera in pixels."""

    @property
    def landmarks(self) -> NDArray[np.float32]:
        """68×2."""
        return landmarks.from_mesh(self.mesh)


def render(identity: Identity, motion: ArrayLike, size: int = 256) -> Frame:
    """Draws a person with an expression and a pose.

    Args:
        identity: who; see :func:`sample_identity`.
        motion: 20 numbers, the motion vector of :mod:`facegan.motion`.
        size: side of the picture in pixels.

    Raises:
        InputError: if ``motion`` is not 20 finite numbers or ``size`` is below 32.
    """
    vector = _checked(motion)
    if size < 32:
        msg = f"a picture of {size} pixels is too small to draw a head: use 32 or more"
        raise InputError(msg)
    large = size * SAMPLES
    pose = _Pose(vector, large)
    neutral, units = face_basis(identity)
    deformed = neutral + np.tensordot(np.clip(vector[:17], 0, 1), units, axes=1)
    model = _model(bool(identity.hair_length))
    vertices = np.concatenate((deformed, _skull(deformed, identity), model.ears))

    image = _background(identity, large).copy()
    labels = np.full((large, large), BACKGROUND, np.uint8)
    _draw_behind(image, labels, identity, pose)
    _draw_eyes_and_mouth(image, labels, identity, pose, neutral, deformed)
    _draw_surface(image, labels, identity, model, pose.turn(vertices), pose)

    smooth = _bytes(cv2.medianBlur(labels, 3))  # without single samples between two triangles

    mesh = np.column_stack((pose.project(deformed), pose.turn(deformed)[:, 2] * pose.scale))
    mesh[:, :2] = (mesh[:, :2] + 0.5) / SAMPLES - 0.5
    mesh[:, 2] /= SAMPLES
    return Frame(
        image=_bytes(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)),
        segmentation=np.ascontiguousarray(smooth[SAMPLES // 2 :: SAMPLES, SAMPLES // 2 :: SAMPLES]),
        mesh=mesh.astype(np.float32),
    )


def _checked(vector: ArrayLike) -> Floats:
    numbers = np.asarray(vector, dtype=np.float32)
    if numbers.shape != (motion.SIZE,) or not np.isfinite(numbers).all():
        msg = f"motion must be {motion.SIZE} finite numbers, got an array of shape {numbers.shape}"
        raise InputError(msg)
    return numbers


class _Pose:
    """Turns the head about its neck and projects it."""

    def __init__(self, vector: Floats, size: int) -> None:
        pitch, yaw, roll = vector[17:].astype(float) * motion.ANGLE_SCALE
        about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
        about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
        about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
        self._rotation = (np.array(about_x) @ about_y @ about_z).astype(np.float32)
        self.scale = size / PICTURE
        self._centre = (size - 1) / 2

    def turn(self, points: Floats) -> Floats:
        """Points of the head, N×3, in the camera's axes."""
        return floats((points - PIVOT) @ self._rotation.T + PIVOT + floats([0, HEAD_Y, 0]))

    def flat(self, points: Floats) -> Floats:
        """Projects points in the camera's axes to pixels, N×2."""
        return floats(self._centre + points[:, :2] * (self.scale * CAMERA / (CAMERA + points[:, 2:])))

    def project(self, points: Floats) -> Floats:
        """Turns and projects points of the head, N×2."""
        return self.flat(self.turn(points))


class _Model(NamedTuple):
    triangles: NDArray[np.int32]
    """T×3, into face, skull and ears; clockwise in the picture where they face the camera."""
    uv: Floats
    """T×3×2, texture pixels of each triangle's corners."""
    ears: Floats


@functools.lru_cache(maxsize=2)
def _model(covered_ears: bool) -> _Model:
    """Joins face, skull and ears."""
    face = canonical_mesh()
    count, columns = len(face.vertices), len(OVAL)
    grid = np.concatenate(
        ([OVAL], count + np.arange(columns * RINGS).reshape(RINGS, columns)), dtype=np.int32
    )
    rings, column = (index.ravel() for index in np.mgrid[:RINGS, :columns])
    corner = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])  # ring, column
    corners = np.stack((rings, column), axis=1)[:, None] + corner
    quads = grid[corners[..., 0], corners[..., 1] % columns]
    place = np.stack((1 + corners[..., 0] / RINGS, corners[..., 1] / columns), axis=-1)
    split = [[0, 2, 1], [0, 3, 2]]
    triangles = [face.triangles, quads[:, split].reshape(-1, 3)]
    uv = [face.uv[face.triangles], place[:, split].reshape(-1, 3, 2)]

    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = np.stack((7.7 + 0.9 * (1 + np.cos(angle)), 2.9 * np.sin(angle), 4.0 + 1.5 * np.cos(angle)), axis=1)
    right = np.concatenate((ring, [[8.4, 0, 3.8]])).astype(np.float32) * floats([-1, 1, 1])
    ears = np.concatenate((right, right * floats([-1, 1, 1])))
    if not covered_ears:
        first = count + columns * RINGS
        steps = np.arange(12)
        fan = np.stack((steps, (steps + 1) % 12, np.full(12, 12)), axis=1) + first
        triangles += [fan, fan[:, ::-1] + len(right)]
        uv += [np.broadcast_to(floats([1.5, 0.5]), (24, 3, 2))]
    return _Model(
        np.concatenate(triangles).astype(np.int32), np.concatenate(uv).astype(np.float32) * texture.SIZE, ears
    )


def _skull(face: Floats, identity: Identity) -> Floats:
    """Rings from the face's outline over the skull to its back (hair) or down to the neck (skin)."""
    outline = face[list(OVAL)]
    scalp = np.isin(np.arange(len(OVAL)), texture.SCALP)[:, None]
    start = outline - SKULL_CENTRE
    end = np.where(scalp, SKULL_BACK, SKULL_NECK) - SKULL_CENTRE
    along = (np.arange(1, RINGS + 1, dtype=np.float32) / RINGS)[:, None, None]
    direction = (1 - along) * start / np.linalg.norm(start, axis=1, keepdims=True) + along * end / 10
    radius = (1 - along) * np.linalg.norm(start, axis=1, keepdims=True) + along * np.linalg.norm(
        end, axis=1, keepdims=True
    )
    volume = 1 + scalp * identity.hair_volume * np.sin(np.pi * np.minimum(along + 0.15, 0.99)) ** 0.7
    rings = SKULL_CENTRE + direction / np.linalg.norm(direction, axis=2, keepdims=True) * radius * volume
    return floats(rings.reshape(-1, 3))


def _draw_surface(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    identity: Identity,
    model: _Model,
    vertices: Floats,
    pose: _Pose,
) -> None:
    """Rasterises the surface: which triangle each pixel sees, then texture and light in it."""
    flat = pose.flat(vertices)
    corners = flat[model.triangles].astype(np.float64)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    seen = np.flatnonzero(area < -0.05)
    depth = vertices[model.triangles[seen], 2].mean(axis=1)
    polygons = np.rint(corners * 2**_SUBPIXEL).astype(np.int32)
    drawn = np.full(labels.shape, -1, np.int32)
    for triangle in seen[np.argsort(-depth)].tolist():
        cv2.fillConvexPoly(drawn, polygons[triangle], triangle, cv2.LINE_8, _SUBPIXEL)

    rows, columns = np.nonzero(drawn >= 0)
    hit = drawn[rows, columns]
    # Barycentric weights, clipped: a pixel on an edge belongs to a triangle it is just outside of.
    pixel = np.stack((columns, rows), axis=1) - a[hit]
    ab, ac = (b - a)[hit], (c - a)[hit]
    weights = np.empty((len(hit), 3), np.float32)
    weights[:, 1] = (pixel[:, 0] * ac[:, 1] - pixel[:, 1] * ac[:, 0]) / area[hit]
    weights[:, 2] = (ab[:, 0] * pixel[:, 1] - ab[:, 1] * pixel[:, 0]) / area[hit]
    weights[:, 0] = 1 - weights[:, 1] - weights[:, 2]
    np.clip(weights, 0, 1, out=weights)
    weights /= weights.sum(axis=1, keepdims=True)

    attributes = np.concatenate((model.uv, _light(vertices, model.triangles)[..., None]), axis=2)
    u, v, light = np.einsum("pk,pka->ap", weights, attributes[hit])
    colours, parts = texture.paint(identity)
    rows_of_map = (u[:, None] - 0.5, v[:, None] - 0.5)
    colour = _sample(colours, *rows_of_map, cv2.INTER_LINEAR) * light[:, None]
    image[rows, columns] = np.clip(colour, 0, 255).astype(np.uint8)
    labels[rows, columns] = _sample(parts, *rows_of_map, cv2.INTER_NEAREST)


def _sample(picture: NDArray[np.uint8], u: Floats, v: Floats, how: int) -> NDArray[np.uint8]:
    """Reads the texture at N places; remap takes no more than 32767 rows at once."""
    parts = [
        cv2.remap(picture, u[i : i + 32000], v[i : i + 32000], how, borderMode=cv2.BORDER_REPLICATE)[:, 0]
        for i in range(0, len(u), 32000)
    ]
    return np.concatenate(parts)


def _light(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """Brightness at the corners of each triangle, T×3: a soft lamp from above, left of the camera."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    across = np.cross(b - a, c - a)
    corners = triangles.ravel()
    sums = [np.bincount(corners, np.repeat(across[:, axis], 3), len(vertices)) for axis in range(3)]
    normals = floats(sums).T
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    brightness = 0.4 + 0.64 * np.clip(0.35 + 0.65 * (normals @ LIGHT), 0, 1)
    return floats(brightness[triangles])


def _draw_eyes_and_mouth(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    identity: Identity,
    pose: _Pose,
    neutral: Floats,
    face: Floats,
) -> None:
    """Draws what is seen through the openings of the face, which is drawn over it."""
    mouth = LIPS_UPPER[3] + LIPS_LOWER[3][::-1]
    _fill(image, labels, pose.project(face[list(mouth)]), (58, 20, 22), FACE)
    upper = neutral[list(LIPS_UPPER[3][1:-1])] + floats([0, -0.3, 0.5])
    teeth = np.concatenate((upper, upper[::-1] + floats([0, 1.0, 0])))
    _fill(image, labels, pose.project(teeth), (232, 226, 214), FACE)
    for above, below in LIDS:
        opening = face[list(above + below[::-1])]
        _fill(image, labels, pose.project(opening), (232, 226, 222), FACE)
        corners = neutral[[above[0], above[-1]]].mean(axis=0)
        middle = pose.project((corners + floats([0, -0.08, -0.3]))[None])[0]
        for radius, colour in (
            (0.70, tuple(int(x * 0.45) for x in identity.iris)),
            (0.62, identity.iris),
            (0.29, (12, 10, 10)),
        ):
            _disc(image, middle, radius * pose.scale, colour)
        _disc(image, middle + floats([-0.2, -0.22]) * pose.scale, 0.12 * pose.scale, (250, 250, 250))


def _draw_behind(
    image: NDArray[np.uint8], labels: NDArray[np.uint8], identity: Identity, pose: _Pose
) -> None:
    """Draws long hair, neck and shoulders; the body stays where it is."""
    if identity.hair_length:
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        wide = 8.4 * (1 + identity.hair_volume)
        ring = np.stack((wide * np.cos(angle), np.full(24, 2.0), 5 + 6 * np.sin(angle)), axis=1)
        crown = ring * floats([0.85, 0, 1]) - floats([0, 6.5, 0])
        tips = ring * floats([0.92, 1, 1]) + floats([0, identity.hair_length, 0])
        hull = cv2.convexHull(pose.project(np.concatenate((crown, ring, tips)).astype(np.float32)))
        colour = tuple(int(x * 0.6) for x in identity.hair)
        _fill(image, labels, floats(hull)[:, 0], colour, HAIR)
    skin = floats(identity.skin)
    top = pose.turn(floats([[-5.2, 3, 6], [5.2, 3, 6], [4.5, 8, 3], [-4.5, 8, 3]]))
    base = floats([[6.2, 14, 5], [-6.2, 14, 5]])
    neck = pose.flat(np.concatenate((top[:2], base)))
    _fill(image, labels, neck, tuple((skin * 0.62).astype(int).tolist()), BACKGROUND)
    right = floats([[-5.2, 11.5, 5], [-9, 13.6, 5], [-16, 15.5, 5], [-19, 18.5, 5], [-21, 30, 5]])
    left = right[::-1] * floats([-1, 1, 1])
    collar = floats([[4, 14.8, 2], [0, 16.2, 1], [-4, 14.8, 2]])
    chest = floats([[-6, 11.5, 5], [6, 11.5, 5], [6, 18, 5], [-6, 18, 5]])
    _fill(image, labels, pose.flat(chest), tuple((skin * 0.72).astype(int).tolist()), BACKGROUND)
    _fill(image, labels, pose.flat(np.concatenate((right, left, collar))), identity.clothes, BACKGROUND)


def _fill(
    image: NDArray[np.uint8], labels: NDArray[np.uint8], polygon: Floats, colour: tuple[int, ...], label: int
) -> None:
    points = [np.rint(polygon * 2**_SUBPIXEL).astype(np.int32)]
    cv2.fillPoly(image, points, colour, cv2.LINE_8, _SUBPIXEL)
    cv2.fillPoly(labels, points, label, cv2.LINE_8, _SUBPIXEL)


def _bytes(values: Any) -> NDArray[np.uint8]:
    return np.asarray(values, dtype=np.uint8)


def _disc(image: NDArray[np.uint8], centre: Floats, radius: float, colour: tuple[int, ...]) -> None:
    x, y = np.rint(centre * 2**_SUBPIXEL).astype(int).tolist()
    cv2.circle(image, (x, y), round(radius * 2**_SUBPIXEL), colour, -1, cv2.LINE_8, _SUBPIXEL)


@functools.lru_cache(maxsize=8)
def _background(identity: Identity, size: int) -> NDArray[np.uint8]:
    """A gradient with blurred spots, size×size×3: a room out of focus."""
    random = np.random.default_rng([identity.seed, 1])
    small = 128
    top, bottom = random.uniform(60, 200, (2, 3))
    fade = np.linspace(0, 1, small)[:, None, None]
    picture = np.broadcast_to(top * (1 - fade) + bottom * fade, (small, small, 3)).astype(np.float32)
    for _ in range(7):
        x, y, radius = (int(number) for number in random.uniform((0, 0, 8), (small, small, 26)))
        spot = cv2.circle(picture.copy(), (x, y), radius, random.uniform(40, 220, 3).tolist(), -1)
        picture = floats(0.4 * picture + 0.6 * spot)
    blurred = cv2.GaussianBlur(picture, (0, 0), 5)
    return _bytes(cv2.resize(blurred, (size, size), interpolation=cv2.INTER_LINEAR))
