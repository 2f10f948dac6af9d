"""Drawing a person: posed, filmed, lit, before a still background."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.conventions import LANDMARK_INDICES, NUM_MOTION_PARAMS, POSE_SCALE
from synthetic_heads.face.topology import floats
from synthetic_heads.person import person
from synthetic_heads.rendering.grain import camera_noise, to_srgb
from synthetic_heads.rendering.raster import cast, rasterize, vertex_normals
from synthetic_heads.rendering.shading import TAPS, Lamp, Surface, shade, triangle_tangents
from synthetic_heads.scene import Camera, Scene, sample_scene
from synthetic_heads.scenery.background import Background, paint_background

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from synthetic_heads.face.topology import Floats, Triangles
    from synthetic_heads.identity import Identity

PIVOT = floats([0, 9, 6])
"""The neck's joint: turning about it also moves the head in the picture."""
SAMPLES = 2
"""Samples a pixel and axis."""
SHADOW_CELLS = 128
"""Side of the shadow map."""
SHADOW_WIDTH = 44.0
"""Centimetres that it covers."""


@dataclass(frozen=True)
class Frame:
    """A drawn head. Positions are in pixels, (0, 0) is the center of the top left pixel."""

    image: NDArray[np.uint8]
    """H×W×3, RGB."""
    segmentation: NDArray[np.uint8]
    """H×W, 0 background (neck and clothes included), 1 face, 2 hair."""
    mesh: NDArray[np.float32]
    """478×3, MediaPipe's points: x right, y down, z away from the camera in pixels."""
    camera: Camera

    @property
    def landmarks(self) -> NDArray[np.float32]:
        """68×2."""
        return self.mesh[LANDMARK_INDICES, :2]


def render(
    identity: Identity,
    motion: ArrayLike,
    size: int = 256,
    *,
    gaze: ArrayLike = (0, 0),
    scene: Scene | None = None,
    noise_seed: int | None = None,
) -> Frame:
    """Draws a person with an expression, a pose and a gaze.

    Args:
        identity: who; see :func:`sample_identity`.
        motion: 20 numbers, the motion parameters of :mod:`synthetic_heads.conventions`.
        size: side of the picture in pixels.
        gaze: where the eyes turn in the head, radians to the right of the picture and down.
        scene: camera, light and background; by default those of the identity's own seed.
        noise_seed: seed of the camera's noise; None for a clean picture.

    Raises:
        ValueError: if ``motion`` is not 20 or ``gaze`` not 2 finite numbers, or ``size`` is below 32.
    """
    vector, eyes = _checked(motion, gaze, size)
    scene = scene or sample_scene(identity.seed)
    who = person(identity)
    look = who.look(size)
    behind = _background(scene.seed, size)
    moved = who.move(vector, eyes)
    turn = rotation(vector)
    turned = _turn(moved.vertices, turn)
    vertices = floats(moved.vertices + who.follow[:, None] * (turned - moved.vertices))
    points = _turn(moved.points, turn)

    normals, tangents = np.empty_like(vertices), np.empty((len(who.triangles), 6), np.float32)
    vertex_normals(vertices, who.triangles, normals)
    triangle_tangents(vertices, moved.uv, who.triangles, tangents)
    surface = Surface(
        vertices,
        normals,
        moved.uv,
        moved.shade,
        who.triangles,
        who.materials,
        tangents,
        who.labels,
        who.variants,
    )
    samples = SAMPLES * size
    seen = np.empty((samples, samples), np.int32)
    weights, nearness = np.empty((samples, samples, 2), np.float32), np.empty((samples, samples), np.float32)
    flat = np.column_stack(
        (SAMPLES * (scene.camera.project(vertices, size) + 0.5), vertices[:, 2] + scene.camera.distance)
    )
    rasterize(
        floats(flat), who.triangles, who.closed, moved.uv, who.thin, look.strands, seen, weights, nearness
    )

    lamp = _lamp(scene, vertices, who.triangles, who.thin, behind)
    drawn = shade(seen, weights, surface, look, who.wrinkles(vector), lamp, size)
    picture = drawn.color + (1 - drawn.cover[..., None]) * behind.picture
    if noise_seed is not None:
        picture = camera_noise(picture, noise_seed, scene.noise)
    image = to_srgb(picture)

    mesh = np.column_stack((scene.camera.project(points, size), _depth(scene.camera, points, size)))
    return Frame(image=image, segmentation=drawn.segmentation, mesh=floats(mesh), camera=scene.camera)


def rotation(vector: Floats) -> Floats:
    """Rotation of the head, 3×3: about x by the pitch after about y by the yaw after about z by the roll."""
    pitch, yaw, roll = vector[17:].astype(float) * POSE_SCALE
    about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    return floats(np.array(about_x) @ about_y @ about_z)


def _turn(points: Floats, turn: Floats) -> Floats:
    """Points N×3 about the neck's joint."""
    return _along(points - PIVOT, turn) + PIVOT


def _along(points: Floats, axes: Floats) -> Floats:
    """Points N×3 along axes, the rows of a 3×3 matrix.

    Not a matrix product, whose last bits may depend on the number of threads.
    """
    x, y, z = points.T
    return np.stack([a * x + b * y + c * z for a, b, c in axes], axis=1)


def _checked(vector: ArrayLike, gaze: ArrayLike, size: int) -> tuple[Floats, Floats]:
    numbers, eyes = np.asarray(vector, dtype=np.float32), np.asarray(gaze, dtype=np.float32)
    for name, values, count in (("motion", numbers, NUM_MOTION_PARAMS), ("gaze", eyes, 2)):
        if values.shape != (count,) or not np.isfinite(values).all():
            msg = f"{name} must be {count} finite numbers, got an array of shape {values.shape}"
            raise ValueError(msg)
    if size < 32:
        msg = f"a picture of {size} pixels is too small to draw a head: use 32 or more"
        raise ValueError(msg)
    return numbers, eyes


def _depth(camera: Camera, points: Floats, size: int) -> Floats:
    """Distance behind the origin in pixels, as wide as there."""
    return floats(points[:, 2] * size * camera.focal / camera.distance)


@functools.lru_cache(maxsize=8)
def _background(seed: int, size: int) -> Background:
    return paint_background(np.random.default_rng([seed, 5]), size)


def _tinted(color: Floats) -> Floats:
    """A little of a color at brightness 1: what is around lights the face, but lamps do so too."""
    return floats(0.78 + 0.22 * color / max(float(color.mean()), 1e-3))


@functools.lru_cache(maxsize=1)
def _taps() -> Floats:
    """A spiral, turned differently for neighboring pixels."""
    tap, turn = np.arange(TAPS) + 0.5, np.arange(4)[:, None]
    angle, radius = 2.39996 * tap + 0.6 * turn, 2.5 * np.sqrt((tap + 0.1 * turn) / TAPS)
    return floats(np.stack((radius * np.sin(angle), radius * np.cos(angle)), axis=-1))


def _lamp(scene: Scene, vertices: Floats, triangles: Triangles, thin: Floats, behind: Background) -> Lamp:
    """The scene's light with the shadows that the head throws."""
    towards = floats(scene.light)
    distance = -towards
    column = np.cross(floats([0, 1, 0]), distance)
    column /= np.linalg.norm(column)
    axes = floats([column, np.cross(distance, column), distance])
    middle = floats([0, 2, 3])
    corner = middle - SHADOW_WIDTH / 2 * (axes[0] + axes[1])
    cell = SHADOW_WIDTH / SHADOW_CELLS
    depth = np.empty((SHADOW_CELLS, SHADOW_CELLS), np.float32)
    cast(_along(vertices - corner, axes) / floats([cell, cell, 1]), triangles, thin, depth)
    return Lamp(
        rays=floats(
            [
                towards,
                scene.key,
                scene.ambient * _tinted(behind.above),
                0.65 * scene.ambient * _tinted(behind.below),
                corner,
            ]
        ),
        axes=axes,
        cell=cell,
        depth=depth,
        taps=_taps(),
    )
