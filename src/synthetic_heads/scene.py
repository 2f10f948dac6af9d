"""The scene of a head: camera, light, background.

Lengths are centimeters, axes the camera's (x right, y down, z away from the camera); the origin is the
middle of the neutral head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks along z.

    Attributes:
        distance: from the camera to the origin.
        focal: focal length as a multiple of the image's side.
        center: where the origin is seen, as fractions of the image's side from its top left corner.
    """

    distance: float
    focal: float
    center: tuple[float, float]

    def project(self, points: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        """Points N×3 to pixels N×2 of a image of this side; (0, 0) is the middle of the top left pixel."""
        scale = size * self.focal / (self.distance + points[:, 2:])
        flat: NDArray[np.float32] = points[:, :2] * scale + size * np.array(self.center, np.float32) - 0.5
        return flat


@dataclass(frozen=True)
class Scene:
    """Camera, light and background of a clip; they stay as they are while the head moves.

    Attributes:
        seed: what the background is drawn from.
        camera: where the camera stands.
        light: unit vector from the head to the lamp.
        key: color of the lamp, linear.
        ambient: brightness of the light from everywhere; the background colors it.
        noise: deviation of the camera's noise at middle gray, in levels of 8 bit.
    """

    seed: int
    camera: Camera
    light: tuple[float, float, float]
    key: tuple[float, float, float]
    ambient: float
    noise: float


def sample_scene(seed: int) -> Scene:
    """Sample a scene; the same seed gives the same scene."""
    random = np.random.default_rng([seed, 3])
    distance = float(random.uniform(60, 120))
    seen = float(random.uniform(29, 37))
    shift = random.uniform(-0.04, 0.04, 2)
    camera = Camera(distance, distance / seen, (0.5 + float(shift[0]), 0.53 + float(shift[1])))
    azimuth, elevation = np.radians(random.uniform(-60, 60)), np.radians(random.uniform(10, 50))
    light = (
        float(np.sin(azimuth) * np.cos(elevation)),
        float(-np.sin(elevation)),
        float(-np.cos(azimuth) * np.cos(elevation)),
    )
    warm = float(random.uniform(-1, 1))
    bright = float(random.uniform(0.68, 0.92))
    key = (bright * (1 + 0.08 * warm), bright, bright * (1 - 0.1 * warm))
    ambient, noise = random.uniform(0.18, 0.34), random.uniform(0.4, 1.7)
    return Scene(seed, camera, light, key, float(ambient), float(noise))
