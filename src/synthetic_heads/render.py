"""Render a person: pose, camera, light and a static background."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.arrays import Floats, Triangles, as_float32
from synthetic_heads.backgrounds.background import Background, paint_background
from synthetic_heads.conventions import LANDMARK_INDICES, NUM_MOTION_PARAMS, POSE_SCALE
from synthetic_heads.head_model import head_model
from synthetic_heads.rendering.rasterizer import (
    rasterize,
    render_shadow_map,
    triangle_tangents,
    vertex_normals,
)
from synthetic_heads.rendering.sensor_noise import camera_noise, to_srgb
from synthetic_heads.rendering.shading import TAPS, Lighting, Surface, shade
from synthetic_heads.scene import Camera, Scene, sample_scene

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from synthetic_heads.identity import Identity

PIVOT = as_float32([0, 9, 6])
"""The neck's joint: turning about it also moves the head in the image."""
SAMPLES = 2
"""Samples a pixel and axis."""
SHADOW_CELLS = 128
"""Side of the shadow map."""
SHADOW_WIDTH = 44.0
"""Centimeters that it covers."""


@dataclass(frozen=True)
class Frame:
    """A rendered head. Positions are in pixels, (0, 0) is the center of the top left pixel."""

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
    """Render a person with an expression, a pose and a gaze.

    Args:
        identity: who; see :func:`sample_identity`.
        motion: 20 numbers, the motion parameters of :mod:`synthetic_heads.conventions`.
        size: side of the image in pixels.
        gaze: where the eyes turn in the head, radians to the right of the image and down.
        scene: camera, light and background; by default those of the identity's own seed.
        noise_seed: seed of the camera's noise; None for a clean image.

    Raises:
        ValueError: if ``motion`` is not 20 or ``gaze`` not 2 finite numbers, or ``size`` is below 32.
    """
    vector, eyes = _checked(motion, gaze, size)
    scene = scene or sample_scene(identity.seed)
    model = head_model(identity)
    appearance = model.appearance(size)
    behind = _background(scene.seed, size)
    deformed = model.deform(vector, eyes)
    turn = rotation(vector)
    turned = _turn(deformed.vertices, turn)
    vertices = as_float32(deformed.vertices + model.head_weight[:, None] * (turned - deformed.vertices))
    points = _turn(deformed.points, turn)

    normals, tangents = np.empty_like(vertices), np.empty((len(model.triangles), 6), np.float32)
    vertex_normals(vertices, model.triangles, normals)
    triangle_tangents(vertices, deformed.uv, model.triangles, tangents)
    surface = Surface(
        vertices,
        normals,
        deformed.uv,
        deformed.shade,
        model.triangles,
        model.materials,
        tangents,
        model.labels,
        model.variants,
    )
    samples = SAMPLES * size
    triangle_ids = np.empty((samples, samples), np.int32)
    weights, inverse_depth = (
        np.empty((samples, samples, 2), np.float32),
        np.empty((samples, samples), np.float32),
    )
    flat = np.column_stack(
        (SAMPLES * (scene.camera.project(vertices, size) + 0.5), vertices[:, 2] + scene.camera.distance)
    )
    rasterize(
        as_float32(flat),
        model.triangles,
        model.closed,
        deformed.uv,
        model.transparency,
        appearance.strands,
        triangle_ids,
        weights,
        inverse_depth,
    )

    lighting = _lighting(scene, vertices, model.triangles, model.transparency, behind)
    drawn = shade(triangle_ids, weights, surface, appearance, model.wrinkles(vector), lighting, size)
    image = drawn.color + (1 - drawn.cover[..., None]) * behind.image
    if noise_seed is not None:
        image = camera_noise(image, noise_seed, scene.noise)
    image = to_srgb(image)

    mesh = np.column_stack((scene.camera.project(points, size), _depth(scene.camera, points, size)))
    return Frame(image=image, segmentation=drawn.segmentation, mesh=as_float32(mesh), camera=scene.camera)


def rotation(vector: Floats) -> Floats:
    """Rotation of the head, 3×3: about x by the pitch after about y by the yaw after about z by the roll."""
    pitch, yaw, roll = vector[17:].astype(float) * POSE_SCALE
    about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    return as_float32(np.array(about_x) @ about_y @ about_z)


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
        msg = f"a image of {size} pixels is too small to draw a head: use 32 or more"
        raise ValueError(msg)
    return numbers, eyes


def _depth(camera: Camera, points: Floats, size: int) -> Floats:
    """Distance behind the origin in pixels, as wide as there."""
    return as_float32(points[:, 2] * size * camera.focal / camera.distance)


@functools.lru_cache(maxsize=8)
def _background(seed: int, size: int) -> Background:
    return paint_background(np.random.default_rng([seed, 5]), size)


def _tinted(color: Floats) -> Floats:
    """A little of a color at brightness 1: what is around lights the face, but lamps do so too."""
    return as_float32(0.78 + 0.22 * color / max(float(color.mean()), 1e-3))


@functools.lru_cache(maxsize=1)
def _taps() -> Floats:
    """A spiral, turned differently for neighboring pixels."""
    tap, turn = np.arange(TAPS) + 0.5, np.arange(4)[:, None]
    angle, radius = 2.39996 * tap + 0.6 * turn, 2.5 * np.sqrt((tap + 0.1 * turn) / TAPS)
    return as_float32(np.stack((radius * np.sin(angle), radius * np.cos(angle)), axis=-1))


def _lighting(
    scene: Scene, vertices: Floats, triangles: Triangles, transparency: Floats, behind: Background
) -> Lighting:
    """The scene's light with the shadows that the head throws."""
    towards = as_float32(scene.light)
    distance = -towards
    column = np.cross(as_float32([0, 1, 0]), distance)
    column /= np.linalg.norm(column)
    axes = as_float32([column, np.cross(distance, column), distance])
    middle = as_float32([0, 2, 3])
    corner = middle - SHADOW_WIDTH / 2 * (axes[0] + axes[1])
    cell = SHADOW_WIDTH / SHADOW_CELLS
    depth = np.empty((SHADOW_CELLS, SHADOW_CELLS), np.float32)
    render_shadow_map(
        _along(vertices - corner, axes) / as_float32([cell, cell, 1]), triangles, transparency, depth
    )
    return Lighting(
        rays=as_float32(
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
