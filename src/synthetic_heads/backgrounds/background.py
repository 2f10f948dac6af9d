"""What is behind the person: a image out of focus, and the light it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.backgrounds import backdrops, interiors, outdoors
from synthetic_heads.backgrounds.painting import WORK, X, Y, defocus

if TYPE_CHECKING:
    from collections.abc import Callable


class Background(NamedTuple):
    """A painted background.

    Attributes:
        image: size×size×3, linear light in 0..1.
        above: 3, mean color of its upper half.
        below: 3, mean color of its lower half.
    """

    image: Floats
    above: Floats
    below: Floats


class Kind(NamedTuple):
    """A kind of background: how it is painted, how common it is, how far out of focus (share of the side)."""

    paint: Callable[[np.random.Generator], Floats]
    weight: float
    blur: tuple[float, float]


KINDS = {
    "studio": Kind(backdrops.studio, 0.16, (0.004, 0.03)),
    "curtain": Kind(backdrops.curtain, 0.05, (0.005, 0.02)),
    "bricks": Kind(backdrops.bricks, 0.05, (0.005, 0.02)),
    "planks": Kind(backdrops.planks, 0.03, (0.005, 0.018)),
    "tiles": Kind(backdrops.tiles, 0.03, (0.005, 0.018)),
    "plaster": Kind(backdrops.plaster, 0.08, (0.004, 0.018)),
    "panels": Kind(backdrops.panels, 0.05, (0.015, 0.045)),
    "blinds": Kind(backdrops.blinds, 0.04, (0.005, 0.02)),
    "living room": Kind(interiors.living_room, 0.18, (0.008, 0.028)),
    "library": Kind(interiors.library, 0.06, (0.006, 0.025)),
    "kitchen": Kind(interiors.kitchen, 0.04, (0.006, 0.025)),
    "office": Kind(interiors.office, 0.07, (0.008, 0.03)),
    "leaves": Kind(outdoors.leaves, 0.07, (0.018, 0.055)),
    "hills": Kind(outdoors.hills, 0.04, (0.008, 0.03)),
    "skyline": Kind(outdoors.skyline, 0.04, (0.012, 0.04)),
    "night lights": Kind(outdoors.night_lights, 0.05, (0.028, 0.07)),
    "day lights": Kind(outdoors.day_lights, 0.04, (0.022, 0.055)),
}


def paint_background(random: np.random.Generator, size: int) -> Background:
    """Paint a background; its content does not depend on the size.

    Args:
        random: where kind, colors and focus come from.
        size: side of the image in pixels.
    """
    weights = np.array([kind.weight for kind in KINDS.values()])
    kind = list(KINDS.values())[random.choice(len(KINDS), p=weights / weights.sum())]
    sharp = kind.paint(random)
    # Mostly clearly out of focus.
    radius = kind.blur[0] + (kind.blur[1] - kind.blur[0]) * random.beta(1.3, 1.6)
    image = defocus(sharp, float(radius))
    corner = (X - 0.5) ** 2 + (Y - 0.5) ** 2
    image = image * (1 - random.uniform(0, 0.5) * corner)[..., None]
    image = _compress_highlights(image * _white_balance(random) * _exposure(image, random))
    shrink = cv2.INTER_AREA if size < WORK else cv2.INTER_CUBIC
    sampled = np.clip(cv2.resize(image, (size, size), interpolation=shrink), 0, 1)
    half = WORK // 2
    return Background(as_float32(sampled), image[:half].mean(axis=(0, 1)), image[half:].mean(axis=(0, 1)))


def _white_balance(random: np.random.Generator) -> Floats:
    """A camera's white balance is never quite right."""
    warm, green = random.normal(0, 0.05), random.normal(0, 0.015)
    return as_float32([1 + warm, 1 + green, 1 - warm])


def _exposure(image: Floats, random: np.random.Generator) -> float:
    """The image is exposed for the face; what is behind it may be brighter or darker, but not by much."""
    mean = float(image.mean())
    wanted = np.clip(mean, 0.035, 0.55)
    return float(wanted / mean * random.lognormal(0, 0.2))


def _compress_highlights(image: Floats) -> Floats:
    """Bend light over 0.75 so that it ends below 1."""
    over = np.maximum(image - 0.75, 0)
    return as_float32(np.minimum(image, 0.75) + 0.25 * over / (over + 0.35))
