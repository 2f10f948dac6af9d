"""Furniture, built of boxes and flat faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.backgrounds.backdrops import WALLS, WOODS, sample_color
from synthetic_heads.backgrounds.painting import hsv

if TYPE_CHECKING:
    from synthetic_heads.backgrounds.room_renderer import Room

    Lights = list[tuple[tuple[float, float, float], Floats]]

FLOOR, CEILING = 1.15, -1.45
"""Heights under and over the camera, which is at the eyes of somebody who sits."""
WHITE = hsv(0.1, 0.03, 0.93)
CLOTHS = (
    *((0.6, 0.2, 0.4), (0.1, 0.15, 0.7), (0.02, 0.5, 0.45)),
    *((0.35, 0.25, 0.4), (0.0, 0.0, 0.35), (0.08, 0.5, 0.5)),
)


class Wall(NamedTuple):
    """Where furniture stands: the wall behind the person.

    Attributes:
        random: where its shape and color come from.
        room: it is added to.
        lights: lamps and windows add theirs.
        z: distance of the wall.
        left, right: what of it is seen.
    """

    random: np.random.Generator
    room: Room
    lights: Lights
    z: float
    left: float
    right: float

    def sample_x(self) -> float:
        """A place along the wall."""
        return float(self.random.uniform(self.left, self.right))


def shelf(wall: Wall) -> None:
    """A bookcase of any height."""
    random = wall.random
    wood = sample_color(random, WOODS) if random.random() < 0.5 else WHITE
    bookcase(wall, wall.sample_x() - 0.4, 0.8, float(random.uniform(-1.2, -0.2)), wood)


def bookcase(wall: Wall, x: float, wide: float, top: float, wood: Floats) -> None:
    """A bookcase from the floor to ``top``."""
    random, room, z = wall.random, wall.room, wall.z
    front, end = z - 0.3, x + wide
    room.panel(x, top, end, FLOOR, z - 0.02, wood * 0.5)
    for at in (x, end - 0.025):
        room.box((at, top, front), (at + 0.025, FLOOR, z), wood)
    room.box((x, top, front), (end, top + 0.025, z), wood)
    for board in np.arange(top + 0.36, FLOOR, 0.34):
        room.box((x, board, front), (end, board + 0.025, z), wood)
        at = x + 0.03
        while at < end - 0.06:
            stop = min(at + random.uniform(0.015, 0.05), end - 0.03)
            tall, deep = random.uniform(0.17, 0.29), front + random.uniform(0.02, 0.08)
            color = sample_color(random, (*CLOTHS, *WALLS, *WOODS)) * random.uniform(0.4, 1)
            room.panel(at, board - tall, stop, board, deep, color)
            if random.random() < 0.15:
                room.panel(at, board - 0.8 * tall, stop, board - 0.65 * tall, deep - 0.002, WHITE * 0.7)
            at = stop + (random.uniform(0.05, 0.2) if random.random() < 0.06 else 0.002)


def framed_pictures(wall: Wall) -> None:
    """Framed images."""
    random, room = wall.random, wall.room
    frame = sample_color(random, (*WOODS, (0, 0, 0.08), (0, 0, 0.92)))
    x, y, z = wall.sample_x() - 0.3, random.uniform(-0.9, -0.5), wall.z - 0.02
    for _ in range(random.integers(1, 4)):
        wide, tall = random.uniform(0.25, 0.7), random.uniform(0.3, 0.7)
        room.box((x, y, z - 0.02), (x + wide, y + tall, z), frame)
        room.panel(x + 0.02, y + 0.02, x + wide - 0.02, y + tall - 0.02, z - 0.022, WHITE)
        edge = random.choice((0.03, 0.08))
        left, right, top, bottom = x + edge, x + wide - edge, y + edge, y + tall - edge
        room.panel(left, top, right, bottom, z - 0.024, sample_color(random))
        for _ in range(3):
            points = random.uniform((left, top), (right, bottom), (4, 2))
            center = points.mean(axis=0)
            turn = np.argsort(np.arctan2(points[:, 1] - center[1], points[:, 0] - center[0]))
            corners = np.column_stack((points[turn], np.full(4, z - 0.026)))
            room.face(as_float32(corners), sample_color(random, (*WALLS, *CLOTHS)))
        x += wide + random.uniform(0.06, 0.2)


def cabinet(wall: Wall) -> None:
    """A sideboard with things on it."""
    random, room, z = wall.random, wall.room, wall.z
    wood, x = sample_color(random, (*WOODS, (0, 0, 0.92))), wall.sample_x() - 0.6
    top, wide = random.uniform(0.1, 0.45), random.uniform(0.9, 1.6)
    room.box((x, top, z - 0.42), (x + wide, FLOOR - 0.1, z), wood)
    for part in np.arange(x, x + wide - 0.3, 0.45):
        room.panel(part + 0.02, top + 0.05, part + 0.43, FLOOR - 0.14, z - 0.425, wood * 0.85)
    for _ in range(random.integers(1, 5)):
        at, tall = x + random.uniform(0, wide - 0.15), random.uniform(0.08, 0.35)
        thick = random.uniform(0.05, 0.15)
        color = sample_color(random, (*WALLS, *CLOTHS, *WOODS))
        room.box((at, top - tall, z - 0.3), (at + thick, top, z - 0.3 + thick), color)
    at = x + random.uniform(0.1, wide - 0.1)
    if random.random() < 0.5:
        _lamp(wall, at, top, z - 0.25)
    else:
        _leaves(wall, at, top, z - 0.22, 0.35)


def sofa(wall: Wall) -> None:
    """A sofa with cushions."""
    random, room = wall.random, wall.room
    cloth, x, z = sample_color(random, CLOTHS), wall.sample_x() - 0.9, wall.z - 0.05
    room.box((x, 0.3, z - 0.3), (x + 1.9, FLOOR, z), cloth)
    room.box((x, 0.65, z - 0.9), (x + 1.9, FLOOR, z), cloth)
    for at in (x - 0.2, x + 1.9):
        room.box((at, 0.5, z - 0.9), (at + 0.2, FLOOR, z), cloth)
    for _ in range(random.integers(1, 4)):
        at = x + random.uniform(0.1, 1.4)
        room.box((at, 0.25, z - 0.45), (at + 0.42, 0.65, z - 0.32), sample_color(random, (*CLOTHS, *WALLS)))


def door(wall: Wall) -> None:
    """A door with two panels."""
    random, room, z = wall.random, wall.room, wall.z
    color = WHITE if random.random() < 0.6 else sample_color(random, WOODS)
    x = wall.sample_x() - 0.4
    room.box((x - 0.08, -0.98, z - 0.03), (x + 0.93, FLOOR, z), color)
    room.box((x, -0.9, z - 0.035), (x + 0.85, FLOOR, z), color * 0.92)
    for top, bottom in ((-0.78, 0.05), (0.2, 1.0)):
        room.panel(x + 0.13, top, x + 0.72, bottom, z - 0.04, color * 0.8)
    room.box((x + 0.75, 0.08, z - 0.09), (x + 0.83, 0.11, z - 0.04), hsv(0.1, 0.2, 0.6))


def floor_lamp(wall: Wall) -> None:
    """A lamp on a tall foot."""
    x, z = wall.sample_x(), wall.z - 0.4
    wall.room.box((x - 0.01, -0.2, z - 0.01), (x + 0.01, FLOOR, z + 0.01), hsv(0, 0, 0.2))
    _lamp(wall, x, float(wall.random.uniform(-0.2, 0.2)), z)


def plant(wall: Wall) -> None:
    """A large plant on the floor."""
    tall = float(wall.random.uniform(0.7, 1.3)) * min(1, wall.z / 3)
    _leaves(wall, wall.sample_x(), FLOOR, wall.z - 0.5, tall)


def window(wall: Wall) -> None:
    """A window with curtains and daylight."""
    random, room = wall.random, wall.room
    x, z, wide = wall.sample_x() - 0.5, wall.z - 0.03, random.uniform(0.7, 1.6)
    top, sill = -1.1, random.uniform(0.2, 0.7)
    sky, light = hsv(0.57, random.uniform(0, 0.15), 1), random.uniform(1.0, 5.0)
    room.panel(x, top, x + wide, sill, z, sky * light, glow=1)
    trees = sill - random.uniform(0.2, 0.8)
    room.panel(x, trees, x + wide, sill, z - 0.003, hsv(0.28, 0.25, 0.6) * light, glow=1)
    for at in (x - 0.05, x + wide / 2 - 0.025, x + wide):
        room.box((at, top - 0.05, z - 0.05), (at + 0.05, sill + 0.05, z), WHITE)
    for at in (top - 0.05, (top * 2 + sill) / 3, sill):
        room.box((x - 0.05, at, z - 0.04), (x + wide + 0.05, at + 0.04, z), WHITE)
    if random.random() < 0.6:
        cloth = sample_color(random, (*WALLS, *CLOTHS))
        for start in (x - 0.35, x + wide - 0.05):
            for fold in range(6):
                at, (near, far) = (
                    start + 0.07 * fold,
                    (z - 0.13, z - 0.1) if fold % 2 else (z - 0.1, z - 0.13),
                )
                strip = [
                    (at, -1.25, near),
                    (at + 0.07, -1.25, far),
                    (at + 0.07, FLOOR, far),
                    (at, FLOOR, near),
                ]
                room.face(strip, cloth * random.uniform(0.6, 1.05))
    wall.lights.append(((x + wide / 2, -0.4, z - 0.4), sky * 0.25 * light))


def _lamp(wall: Wall, x: float, foot: float, z: float) -> None:
    """A lamp with a cloth shade that stands at this height."""
    random, room = wall.random, wall.room
    tall, wide = random.uniform(0.35, 0.5), random.uniform(0.12, 0.2)
    room.box((x - 0.015, foot - tall, z - 0.015), (x + 0.015, foot, z + 0.015), hsv(0.1, 0.3, 0.3))
    glow = hsv(random.uniform(0.08, 0.11), 0.35, 1) * random.uniform(1.2, 3.5)
    turn = np.linspace(0, 2 * np.pi, 13)
    ring = np.stack((np.cos(turn), np.zeros(13), np.sin(turn)), axis=1) * wide
    upper, lower = np.add(0.75 * ring, (x, foot - tall - 0.22, z)), np.add(ring, (x, foot - tall, z))
    for a in range(12):
        room.face(as_float32([upper[a], upper[a + 1], lower[a + 1], lower[a]]), glow, 1)
    wall.lights.append(((x, foot - tall - 0.1, z - 0.1), glow * 0.12))


def _leaves(wall: Wall, x: float, foot: float, z: float, tall: float) -> None:
    """A pot with a plant."""
    random, room = wall.random, wall.room
    pot = sample_color(random, ((0.04, 0.5, 0.55), (0, 0, 0.9), (0, 0, 0.25)))
    thick, base = 0.25 * tall, np.array([x, foot - 0.45 * tall, z])
    room.box((x - thick, base[1], z - thick), (x + thick, foot, z + thick), pot)
    hue, slim = random.uniform(0.22, 0.36), random.uniform(0.02, 0.05)
    for _ in range(random.integers(35, 80)):
        way, out, rise = random.uniform(0, 2 * np.pi), random.uniform(0.08, 0.45), random.uniform(0.3, 1.2)
        outwards = out * np.array([np.cos(way), 0, np.sin(way)])
        middle = base + tall * (0.6 * outwards - (0, rise, 0))
        tip = base + tall * (1.3 * outwards - (0, rise * random.uniform(0.6, 1.1), 0))
        side = tall * (slim * np.array([-np.sin(way), random.normal(0, 0.4), np.cos(way)]) + (0.03, 0, 0))
        color = hsv(hue + random.normal(0, 0.02), random.uniform(0.3, 0.55), random.uniform(0.2, 0.55))
        room.face(as_float32([base, middle + side, middle - side]), color)
        room.face(as_float32([middle + side, tip, middle - side]), color * 1.15)
