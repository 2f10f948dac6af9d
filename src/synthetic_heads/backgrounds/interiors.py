"""Rooms and what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.backgrounds import furniture
from synthetic_heads.backgrounds.backdrops import WALLS, WOODS, sample_color
from synthetic_heads.backgrounds.furniture import CEILING, CLOTHS, FLOOR, WHITE, Wall
from synthetic_heads.backgrounds.painting import hsv
from synthetic_heads.backgrounds.room_renderer import Room

if TYPE_CHECKING:
    from synthetic_heads.arrays import Floats

PIECES = (
    *((furniture.framed_pictures, 3), (furniture.shelf, 3), (furniture.cabinet, 3), (furniture.sofa, 2)),
    *((furniture.door, 2), (furniture.floor_lamp, 2), (furniture.plant, 3), (furniture.window, 3)),
)
"""What stands in a living room, and how common it is."""


def living_room(random: np.random.Generator) -> Floats:
    """A room at home."""
    wall = _empty_room(random, float(random.uniform(1.6, 4.5)))
    weights = np.array([weight for _, weight in PIECES], float)
    chosen = random.choice(len(PIECES), random.integers(2, 5), replace=False, p=weights / weights.sum())
    for index in chosen:
        PIECES[index][0](wall)
    return _lit(wall)


def library(random: np.random.Generator) -> Floats:
    """A wall of books."""
    wall = _empty_room(random, float(random.uniform(1.3, 3.0)))
    wood = sample_color(random, WOODS) if random.random() < 0.6 else WHITE * random.uniform(0.5, 0.9)
    x = wall.left - 0.6
    while x < wall.right + 0.4:
        wide = float(random.uniform(0.7, 1.1))
        furniture.bookcase(wall, x, wide, CEILING + 0.1, wood)
        x += wide
    if random.random() < 0.4:
        furniture.floor_lamp(wall)
    return _lit(wall)


def kitchen(random: np.random.Generator) -> Floats:
    """Cupboards, a worktop, tiles, hanging lamps."""
    wall = _empty_room(random, float(random.uniform(2.0, 4.0)))
    room, z, x = wall.room, wall.z, wall.left - 0.5
    front = sample_color(random, (*WALLS, *WOODS, (0, 0, 0.95), (0, 0, 0.95)))
    top = sample_color(random, (*WOODS, (0, 0, 0.2), (0, 0, 0.8)))
    room.panel(-9, -0.35, 9, 0.3, z - 0.01, sample_color(random))
    hood = wall.sample_x()
    while x < wall.right + 0.5:
        wide = float(random.choice((0.4, 0.6, 0.8)))
        middle = x + wide / 2
        room.box((x, 0.36, z - 0.6), (x + wide - 0.015, 1.1, z), front)
        if abs(middle - hood) > 0.6:
            room.box((x, -1.1, z - 0.35), (x + wide - 0.015, -0.4, z), front)
        room.box((middle - 0.08, 0.42, z - 0.63), (middle + 0.08, 0.435, z - 0.6), hsv(0, 0, 0.6))
        x += wide
    room.box((-9, 0.3, z - 0.63), (9, 0.35, z), top)
    for _ in range(random.integers(3, 9)):
        at, tall, thick = wall.sample_x(), random.uniform(0.1, 0.3), random.uniform(0.03, 0.09)
        color = sample_color(random, (*CLOTHS, *WALLS))
        room.box((at, 0.3 - tall, z - 0.4), (at + thick, 0.3, z - 0.4 + thick), color)
    if random.random() < 0.6:
        for at in wall.left + (wall.right - wall.left) * np.array([0.2, 0.6, 1.0]):
            room.box((at - 0.003, CEILING, z - 1.2), (at + 0.003, -0.7, z - 1.19), hsv(0, 0, 0.1))
            room.box((at - 0.09, -0.7, z - 1.25), (at + 0.09, -0.55, z - 1.1), hsv(0.1, 0.2, 1) * 3, 1)
            wall.lights.append(((float(at), -0.45, z - 1.2), hsv(0.09, 0.3, 1) * 0.25))
    return _lit(wall)


def office(random: np.random.Generator) -> Floats:
    """A long room with desks, pillars, a glass front and lamps in the ceiling."""
    wall = _empty_room(random, float(random.uniform(6, 12)))
    room, depth, lights = wall.room, wall.z, wall.lights
    glow, y = random.uniform(1.5, 5), CEILING + 0.02
    for z in np.arange(1.0, depth, 1.5):
        for x in np.arange(-3.2, 3.3, 1.6):
            lamp = [(x, y, z), (x + 0.9, y, z), (x + 0.9, y, z + 0.3), (x, y, z + 0.3)]
            room.face(lamp, WHITE * glow, 1)
    lights += [((0, -1.0, depth * share), WHITE * 1.2) for share in (0.4, 0.8)]
    side = random.choice((-1.0, 1.0))
    daylight = hsv(0.57, 0.1, 1) * random.uniform(1, 4)
    for z in np.arange(0.8, depth, 1.3):
        for top, shift, color in ((-1.3, 2.9, daylight), (0.1, 2.89, hsv(0.3, 0.2, 0.5))):
            x = side * shift
            room.face([(x, top, z), (x, top, z + 1.2), (x, 0.5, z + 1.2), (x, 0.5, z)], color, 1)
    lights.append(((side * 2.4, -0.5, 3.0), daylight))
    desk, dark = sample_color(random, (*WOODS, (0, 0, 0.9))), hsv(0.6, 0.1, 0.15)
    for z in np.arange(2.2, depth - 0.5, random.uniform(1.3, 2.2)):
        for x in random.uniform(-2.2, 1.6, random.integers(1, 4)):
            room.box((x, 0.42, z), (x + 1.3, 0.46, z + 0.7), desk)
            room.box((x + 0.3, 0.0, z + 0.3), (x + 0.9, 0.36, z + 0.34), dark)
            room.box((x + 0.4, 0.2, z - 0.5), (x + 0.85, 0.75, z - 0.42), sample_color(random, CLOTHS))
    for z in np.arange(3.0, depth, 3.0):
        if random.random() < 0.5:
            room.box((-side * 1.6, CEILING, z), (-side * 1.6 + 0.35, FLOOR, z + 0.35), WHITE * 0.8)
    if random.random() < 0.6:
        furniture.plant(wall._replace(z=float(random.uniform(3, 6)), left=-1.5, right=1.5))
    return _lit(wall)


def _empty_room(random: np.random.Generator, depth: float) -> Wall:
    """Walls, floor and ceiling."""
    turn, focal = float(random.normal(0, 0.28)), float(random.uniform(1.1, 2.0))
    room = Room(turn, focal)
    middle, reach = depth * float(np.tan(np.clip(turn, -0.7, 0.7))), 0.55 * depth / focal
    left, right = (-3.0, 3.0) if depth > 5 else (-random.uniform(1.5, 3.0), random.uniform(1.5, 3.0))
    color = sample_color(random)
    accent = sample_color(random) if random.random() < 0.25 else color
    front, y, z = -0.5, CEILING, FLOOR
    room.panel(left, y, right, z, depth, accent)
    for x in (left, right):
        room.face([(x, y, front), (x, y, depth), (x, z, depth), (x, z, front)], color)
    room.face([(left, y, front), (right, y, front), (right, y, depth), (left, y, depth)], WHITE)
    floor = sample_color(random, (*WOODS, (0.1, 0.1, 0.5)))
    for x in np.arange(left, right, 0.2):
        board = [(x, z, front), (x + 0.2, z, front), (x + 0.2, z, depth), (x, z, depth)]
        room.face(board, floor * random.uniform(0.85, 1.15))
    room.box((left, z - 0.09, depth - 0.015), (right, z, depth), WHITE * 0.9)
    # Most of the light comes from a window that is not in the image.
    side = float(random.choice((left + 0.3, right - 0.3)))
    daylight = hsv(random.choice((0.57, 0.1)), random.uniform(0.03, 0.2), 1) * random.uniform(1.0, 3.0)
    lights = [((side, -0.4, float(depth * random.uniform(0.2, 0.7))), daylight)]
    return Wall(random, room, lights, depth, middle - reach, middle + reach)


def _lit(wall: Wall) -> Floats:
    """The room's image, with some light from all sides."""
    ambient = hsv(wall.random.uniform(0.05, 0.12), 0.1, 1) * wall.random.uniform(0.15, 0.5)
    return wall.room.render(wall.lights, ambient)
