"""Backgrounds close behind the person: paper, cloth, walls, panels."""

from __future__ import annotations

import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.backgrounds.painting import (
    WORK,
    X,
    Y,
    blend,
    fill_polygon,
    hsv,
    noise,
    relief_light,
    smoothstep,
    spotlight,
    window_light,
)

WALLS = ((0.1, 0.08, 0.85), (0.12, 0.18, 0.78), (0.58, 0.12, 0.7), (0.6, 0.25, 0.45), (0.3, 0.12, 0.62),
         (0.42, 0.2, 0.4), (0.07, 0.22, 0.72), (0.0, 0.0, 0.9), (0.0, 0.0, 0.55), (0.62, 0.1, 0.3),
         (0.02, 0.3, 0.5), (0.55, 0.3, 0.6))  # fmt: skip
"""Hue, saturation and value of wall paints."""
WOODS = ((0.07, 0.55, 0.45), (0.08, 0.45, 0.62), (0.06, 0.6, 0.3), (0.09, 0.3, 0.72), (0.07, 0.15, 0.6))


CURTAINS = (
    *((0.38, 0.55, 0.3), (0.97, 0.6, 0.35), (0.6, 0.35, 0.35)),
    *((0.0, 0.0, 0.85), (0.1, 0.1, 0.8), (0.0, 0.0, 0.14), (0.0, 0.0, 0.5)),
)


def sample_color(
    random: np.random.Generator, palette: tuple[tuple[float, float, float], ...] = WALLS
) -> Floats:
    """A color near one of the palette's."""
    hue, saturation, value = palette[int(random.integers(len(palette)))]
    return hsv(
        hue + random.normal(0, 0.015), saturation * random.uniform(0.6, 1.3), value * random.uniform(0.8, 1.1)
    )


def studio(random: np.random.Generator) -> Floats:
    """Paper or painted canvas in a studio, lit from behind the person or from a side."""
    kind = random.integers(5)
    if kind == 0:
        color = hsv(0, 0, random.uniform(0.82, 1.0))
    elif kind == 1:
        color = hsv(random.uniform(0.55, 0.65), random.uniform(0, 0.25), random.uniform(0.1, 0.3))
    elif kind == 2:
        color = hsv(random.random(), random.uniform(0.12, 0.35), random.uniform(0.3, 0.7))
    else:
        color = sample_color(random)
    light = (
        spotlight(random, random.uniform(0.15, 0.7)) if random.random() < 0.65 else window_light(random, 0.3)
    )
    image = np.broadcast_to(color, (WORK, WORK, 3)).astype(np.float32)
    if kind == 4:
        mottle = noise(random, random.uniform(2, 5), 5, 0.6)
        image = blend(image, 0.35 * image + 0.2 * sample_color(random), smoothstep(mottle, -2.0, 2.5))
    light = light * (1 + random.uniform(-0.5, 0.2) * (Y - 0.4))
    return as_float32(image * light[..., None])


def curtain(random: np.random.Generator) -> Floats:
    """Folds of a curtain, or of crumpled cloth."""
    color = sample_color(random, CURTAINS)
    folds = random.uniform(5, 14)
    bend = 0.02 * noise(random, 2, 2, stretch=0.3)
    wave = folds * (X + bend * (0.3 + Y)) + 0.2 * noise(random, 1.5, 2, stretch=0.05)
    height = (np.sin(2 * np.pi * wave) + 0.35 * np.sin(4.3 * np.pi * wave + 1)) * 0.1 / folds
    height = height + 0.004 * noise(random, 5, 3, stretch=0.5)
    light = relief_light(as_float32(height), random.uniform(0.35, 0.7), random.choice((0.0, np.pi)))
    deep = 0.72 + 0.28 * smoothstep(as_float32(height * folds), -0.1, 0.08)
    return as_float32(color * (light * deep * window_light(random, 0.45))[..., None])


def _place(random: np.random.Generator, tilt: float) -> tuple[Floats, Floats]:
    """Coordinates on a wall that is seen a little from a side: across and down."""
    turn, slope = random.uniform(-tilt, tilt), random.uniform(-0.03, 0.03)
    near = 1 / (1 + turn * (X - 0.5))
    return as_float32((X - 0.5) * near), as_float32((Y - 0.4) * near + slope * (X - 0.5))


def _cells(random: np.random.Generator, across: Floats, down: Floats, count: int = 4096) -> Floats:
    """A random number 0..1 for every whole pair of coordinates."""
    table = random.random(count, dtype=np.float32)
    index = np.floor(across).astype(np.int64) * 131 + np.floor(down).astype(np.int64) * 7919
    return as_float32(table[index % count])


def bricks(random: np.random.Generator) -> Floats:
    """A brick wall, bare or painted white."""
    x, y = _place(random, 0.6)
    rows = random.uniform(11, 24)
    course = y * rows
    along = x * rows / 3 + 0.5 * (np.floor(course) % 2)
    each = _cells(random, along, course)
    gap_x, gap_y = np.minimum(along % 1, 1 - along % 1) * 3, np.minimum(course % 1, 1 - course % 1)
    face = smoothstep(as_float32(np.minimum(gap_x, gap_y) + 0.02 * noise(random, 50, 2)), 0.03, 0.14)
    mortar = hsv(0.09, random.uniform(0.05, 0.15), random.uniform(0.45, 0.75))
    if random.random() < 0.35:
        one = two = hsv(0.1, 0.05, random.uniform(0.75, 0.95))
        mortar = one * 0.75
    else:
        one = hsv(random.uniform(0.01, 0.05), random.uniform(0.4, 0.6), random.uniform(0.35, 0.55))
        two = hsv(random.uniform(0.02, 0.07), random.uniform(0.25, 0.5), random.uniform(0.25, 0.6))
    stone = blend(one, two, each) * (1 + 0.07 * noise(random, 40, 3))[..., None]
    height = face * 0.006 + 0.0005 * noise(random, 60, 2)
    light = relief_light(as_float32(height), 0.7, random.uniform(0.2, 2.9)) * window_light(random, 0.35)
    return as_float32(blend(mortar, stone, face) * light[..., None])


def planks(random: np.random.Generator) -> Floats:
    """Wooden boards, upright or lying."""
    x, y = _place(random, 0.7)
    lying = random.random() < 0.5
    fine = noise(random, 30, 3, stretch=30 if lying else 1 / 30)
    if lying:
        x, y = y, x
    boards = random.uniform(4, 13)
    board = x * boards
    each = _cells(random, board, as_float32(np.zeros_like(y)))
    length = as_float32(y * 1.3 + each * 5)
    piece = _cells(random, board, length)
    wood = sample_color(random, WOODS)
    grain = 0.12 * fine + 0.1 * np.sin(40 * (x + 0.03 * noise(random, 3, 3)) + 20 * piece)
    seam = smoothstep(as_float32(np.minimum(board % 1, 1 - board % 1)), 0.0, 0.05)
    value = (0.7 + 0.55 * piece) * (1 + grain) * (0.25 + 0.75 * seam)
    return as_float32(wood * (value * window_light(random, 0.35))[..., None])


def tiles(random: np.random.Generator) -> Floats:
    """Glazed tiles, or panels with joints."""
    x, y = _place(random, 0.7)
    size = random.uniform(3, 12)
    wide = random.choice((1.0, 1.0, 2.0))
    across, down = x * size / wide, y * size
    if wide > 1:
        across = as_float32(across + 0.5 * (np.floor(down) % 2))
    each = _cells(random, across, down)
    joint = np.minimum(np.minimum(across % 1, 1 - across % 1) * wide, np.minimum(down % 1, 1 - down % 1))
    face = smoothstep(as_float32(joint), 0.015, 0.05)
    color = sample_color(random)
    glaze = 1 + 0.25 * smoothstep(noise(random, 2, 2), 0.5, 2.0) + 0.05 * (each - 0.5)
    light = relief_light(
        as_float32(smoothstep(as_float32(joint), 0, 0.1) * 0.003), 0.8, random.uniform(0.3, 2.8)
    )
    return (
        blend(color * random.uniform(0.5, 0.8), color * glaze[..., None], face)
        * ((light * window_light(random, 0.4))[..., None])
    )


def plaster(random: np.random.Generator) -> Floats:
    """Concrete or plaster with stains, panel joints, or the shadow of a window."""
    color = sample_color(random) if random.random() < 0.6 else hsv(0.1, 0.05, random.uniform(0.4, 0.75))
    stain = 0.07 * noise(random, 3, 6, 0.6)
    height = 0.0015 * noise(random, 10, 5, 0.65)
    light = relief_light(height, 0.6, random.uniform(0.2, 2.9)) * window_light(random, 0.4)
    if random.random() < 0.45:
        # Sun through a window with bars.
        x, y = X + 0.45 * Y - random.uniform(0.1, 0.9), Y - 0.15 * X - random.uniform(-0.1, 0.4)
        beam = smoothstep(as_float32(np.abs(x)), 0.27, 0.25) * smoothstep(
            as_float32(np.abs(y - 0.1)), 0.36, 0.33
        )
        bars = smoothstep(as_float32(np.abs(x % 0.18 - 0.09)), 0.08, 0.07) * smoothstep(
            as_float32(np.abs(y % 0.24 - 0.12)), 0.11, 0.1
        )
        light = light * (1 + random.uniform(0.8, 2.2) * beam * bars)
        color = color * 0.6
    return as_float32(color * ((1 + stain) * light)[..., None])


def panels(random: np.random.Generator) -> Floats:
    """A television studio or stage: dark, with bright screens and strips of light."""
    base = hsv(
        random.choice((0.6, 0.63, 0.7, 0.05, 0.55)), random.uniform(0.2, 0.5), random.uniform(0.15, 0.4)
    )
    accent = hsv(random.choice((0.57, 0.6, 0.08, 0.1, 0.97)), random.uniform(0.15, 0.5), 1.0)
    image = as_float32(base * spotlight(random, 0.15)[..., None])
    slant = random.uniform(-0.1, 0.1)
    for _ in range(random.integers(2, 7)):
        x, wide = random.uniform(-0.2, 1.1), random.uniform(0.03, 0.3)
        top, bottom = random.uniform(-0.3, 0.3), random.uniform(0.6, 1.3)
        corners = as_float32([(x, top), (x + wide, top), (x + wide + slant, bottom), (x + slant, bottom)])
        fill_polygon(image, corners, base * random.uniform(0.4, 2.2) + accent * random.uniform(0, 0.12))
    for _ in range(random.integers(1, 6)):
        x, y, long = random.uniform(-0.1, 1.1), random.uniform(-0.1, 0.8), random.uniform(0.3, 1.4)
        thick = random.uniform(0.008, 0.03)
        end = (x + slant * long, y + long) if random.random() < 0.6 else (x + long, y + 0.2 * slant)
        across = as_float32([end[1] - y, x - end[0]]) / long * thick
        corners = as_float32([(x, y), end, end + across, np.add(across, (x, y))])
        fill_polygon(image, corners, accent * random.uniform(0.8, 2.5))
    return image


def blinds(random: np.random.Generator) -> Floats:
    """A window with blinds, daylight behind them."""
    slats = random.uniform(14, 40)
    upright = random.random() < 0.3
    along, across = (Y, X) if upright else (X, Y)
    lean = random.uniform(-0.05, 0.05)
    place = (across + lean * (along - 0.5)) * slats * (0.5 if upright else 1)
    part = place % 1
    outside = hsv(0.57, random.uniform(0.02, 0.2), 1.0) * random.uniform(0.9, 2.0)
    view = blend(outside, hsv(0.3, 0.25, 0.55), smoothstep(Y + 0.12 * noise(random, 4, 4), 0.35, 0.75))
    slat = sample_color(random, ((0.1, 0.06, 0.85), (0.08, 0.5, 0.5), (0.0, 0.0, 0.7)))
    shaded = slat * (0.35 + 0.6 * part)[..., None] * (0.7 + 0.6 * window_light(random, 0.2))[..., None]
    opening = random.uniform(0.15, 0.5)
    image = blend(shaded, view, smoothstep(as_float32(part), 1 - opening - 0.03, 1 - opening + 0.03))
    frame = random.uniform(0.15, 0.9)
    mullion = smoothstep(as_float32(np.abs(X - frame)), 0.03, 0.025)
    return blend(image, slat * 0.25, mullion)
