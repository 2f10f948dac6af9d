"""Backgrounds out of doors: city lights, leaves, sky and land."""

from __future__ import annotations

import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.backgrounds.painting import (
    WORK,
    Y,
    blend,
    fill_disc,
    fill_polygon,
    hsv,
    noise,
    smoothstep,
)


def sky(random: np.random.Generator) -> Floats:
    """Sky from deep blue to overcast or evening, with clouds; no ground."""
    kind = random.integers(3)
    if kind == 0:
        top = hsv(random.uniform(0.57, 0.61), random.uniform(0.35, 0.6), random.uniform(0.55, 0.85))
        low = hsv(0.56, random.uniform(0.05, 0.2), 0.93)
    elif kind == 1:
        top, low = hsv(0.58, 0.06, random.uniform(0.65, 0.9)), hsv(0.12, 0.04, 0.95)
    else:
        top = hsv(random.uniform(0.6, 0.7), random.uniform(0.2, 0.4), random.uniform(0.3, 0.6))
        low = hsv(random.uniform(0.03, 0.1), random.uniform(0.15, 0.35), 0.95)
    ramp = np.clip((Y + 0.05) / random.uniform(0.6, 1.1), 0, 1) ** 0.8
    image = blend(top, low, as_float32(ramp))
    cover = random.uniform(-0.8, 1.6)
    cloud = noise(random, random.uniform(2, 4), 6, 0.55, stretch=2.5) + cover * 0.6 + 0.5 * (Y - 0.5)
    lit = noise(random, 4, 4, 0.5, stretch=2)
    white = blend(low * 1.05, top * 0.55 + low * 0.3, smoothstep(lit, -0.6, 2.2))
    return blend(image, white, as_float32(0.9 * smoothstep(cloud, 0.35, 1.3)))


def hills(random: np.random.Generator) -> Floats:
    """Ridges in haze under a sky; below them fields, or water."""
    image = sky(random)
    horizon = random.uniform(0.35, 0.75)
    haze = image[int(horizon * WORK) - 1].mean(axis=0)
    green = hsv(random.uniform(0.17, 0.38), random.uniform(0.25, 0.5), random.uniform(0.25, 0.45))
    ridges = random.integers(2, 5)
    for ridge in range(ridges):
        near = (ridge + 1) / ridges
        line = noise(random, 1.5 + 3 * near, 5, 0.45 + 0.1 * near)[ridge]
        edge = horizon - 0.16 * (1 - near) + 0.04 * (1 + near) * line
        ground = haze + (green * (0.8 + 0.3 * noise(random, 14 * near, 4, 0.6))[..., None] - haze) * near**0.7
        image = blend(image, as_float32(ground), smoothstep(as_float32(Y - edge), -0.004, 0.004))
    if random.random() < 0.4:
        water = image[::-1] * 0.6 + haze * 0.25
        ripple = 1 + 0.12 * noise(random, 6, 4, 0.6, stretch=12)
        image = blend(
            image, as_float32(water * ripple[..., None]), smoothstep(Y, horizon + 0.03, horizon + 0.035)
        )
    else:
        field = blend(green, hsv(0.15, 0.4, 0.62), smoothstep(noise(random, 3, 5, 0.6, stretch=5), -1, 2))
        image = blend(image, as_float32(field), smoothstep(as_float32(Y - horizon), 0.05, 0.12))
    return image


def leaves(random: np.random.Generator) -> Floats:
    """Layers of leaves in sun and shade, with light falling through."""
    hue = random.choice((0.24, 0.28, 0.32, 0.18, 0.1), p=(0.3, 0.3, 0.2, 0.12, 0.08))
    bright = random.uniform(0.35, 0.7)
    dark = hsv(hue + 0.06, 0.5, 0.12)
    image = np.broadcast_to(dark, (WORK, WORK, 3)).astype(np.float32)
    glow = noise(random, random.uniform(1.5, 3), 3)
    gaps = smoothstep(as_float32(glow + 0.6 * noise(random, 14, 3)), random.uniform(0.9, 1.6), 2.4)
    daylight = hsv(hue - 0.08, 0.15, 1.0) * random.uniform(0.6, 1.8)
    image = blend(image, daylight, gaps)
    size = random.uniform(0.025, 0.06)
    for layer in range(3):
        for _ in range(int(0.5 / size * 12)):
            at, turn = random.uniform(-0.05, 1.05, 2), random.uniform(0, 2 * np.pi)
            here = glow[int(np.clip(at[1], 0, 0.999) * WORK), int(np.clip(at[0], 0, 0.999) * WORK)]
            if here > 1.3 and random.random() < 0.6:
                continue
            long = size * random.uniform(0.6, 1.3) * (0.7 + 0.3 * layer)
            wide = long * random.uniform(0.2, 0.5)
            along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
            outline = np.stack(
                (
                    along * long,
                    across * wide + 0.2 * along * long,
                    -along * long,
                    0.2 * along * long - across * wide,
                )
            )
            lit = (0.25 + 0.3 * layer + 0.35 * np.clip(here + 0.5, 0, 2.5)) * random.uniform(0.5, 1.3)
            color = hsv(hue + random.normal(0, 0.02), random.uniform(0.3, 0.5), bright) * lit
            fill_polygon(image, as_float32(at + outline), color)
    if random.random() < 0.4:
        lawn = hsv(hue, 0.45, bright) * (0.8 + 0.25 * noise(random, 20, 3))[..., None]
        image = blend(image, as_float32(lawn), smoothstep(Y, 0.72, 0.8))
    return image


def night_lights(random: np.random.Generator) -> Floats:
    """A street at night: windows, lamps and cars, each to become a disc."""
    dusk = hsv(random.uniform(0.56, 0.66), random.uniform(0.3, 0.6), random.uniform(0.15, 0.38))
    warm = hsv(random.uniform(0.05, 0.1), 0.45, random.uniform(0.2, 0.45))
    low = random.uniform(0.35, 0.8)
    image = blend(dusk, warm, smoothstep(as_float32(np.abs(Y - low)), 0.35, 0.0))
    blocks = noise(random, 6, 2, stretch=0.3)
    image = as_float32(image * np.clip(0.65 + 0.2 * blocks, 0.2, 1.2)[..., None])
    power = random.uniform(15, 60)
    for _ in range(random.integers(35, 130)):
        x, y = random.uniform(-0.05, 1.05), low + random.normal(0, 0.22)
        warmth = random.random()
        if warmth < 0.62:
            color = hsv(random.uniform(0.06, 0.12), random.uniform(0.25, 0.65), 1)
        elif warmth < 0.82:
            color = hsv(random.uniform(0.52, 0.62), random.uniform(0, 0.3), 1)
        elif warmth < 0.92:
            color = hsv(random.uniform(0.98, 1.02), 0.6, 0.9)
        else:
            color = hsv(random.uniform(0.38, 0.5), 0.3, 0.8)
        fill_disc(image, x, y, random.uniform(0.002, 0.005), color * power * random.lognormal(-0.3, 0.9))
    return image


def day_lights(random: np.random.Generator) -> Floats:
    """Sunlight through trees or on a street far behind, in pale discs."""
    base = noise(random, 3, 4, 0.55)
    one = hsv(random.choice((0.22, 0.28, 0.1, 0.58)), random.uniform(0.15, 0.45), random.uniform(0.3, 0.65))
    two = hsv(random.uniform(0.08, 0.3), random.uniform(0.1, 0.4), random.uniform(0.1, 0.4))
    image = blend(two, one, smoothstep(base, -1, 1.2))
    image = blend(
        image, hsv(0.13, 0.08, 0.98), 0.75 * smoothstep(as_float32(base + 1.4 * (0.5 - Y)), 0.6, 3.2)
    )
    for _ in range(random.integers(30, 160)):
        x, y = random.uniform(-0.05, 1.05), random.beta(1.4, 2.2)
        color = hsv(random.uniform(0.1, 0.2), random.uniform(0.05, 0.3), 1) * random.lognormal(1.2, 0.8)
        fill_disc(image, x, y, random.uniform(0.003, 0.006), color)
    return image


def skyline(random: np.random.Generator) -> Floats:
    """Houses of a city, by day or in the evening."""
    image = sky(random)
    evening = random.random() < 0.4
    if evening:
        image *= hsv(0.62, 0.3, 0.5)
    haze = image[WORK // 2].mean(axis=0)
    for layer in range(3):
        near = (layer + 1) / 3
        x = random.uniform(-0.2, 0)
        while x < 1.05:
            wide = random.uniform(0.06, 0.17) * (0.5 + near)
            top = random.uniform(0.2, 0.6) - 0.12 * near + (0.1 if layer == 0 else 0)
            wall = hsv(
                random.choice((0.08, 0.1, 0.58, 0.02)), random.uniform(0.05, 0.25), random.uniform(0.25, 0.7)
            )
            wall = haze + (wall * (0.35 if evening else 0.9) - haze) * (0.35 + 0.6 * near)
            _rectangle(image, x, top, x + wide, 1.1, wall)
            side = wide * random.uniform(0.15, 0.4)
            _rectangle(image, x, top, x + side, 1.1, wall * 0.75)
            pitch, storey = (
                random.uniform(0.014, 0.03) * (0.6 + near),
                random.uniform(0.02, 0.035) * (0.6 + near),
            )
            glass = haze * random.uniform(0.25, 0.7)
            for across in np.arange(x + 0.4 * pitch, x + wide - pitch, pitch):
                for down in np.arange(top + 0.5 * storey, 1.0, storey):
                    lit = evening and random.random() < 0.3
                    color = (
                        hsv(0.1, 0.45, 1) * random.lognormal(-0.2, 0.8)
                        if lit
                        else glass * random.uniform(0.7, 1.3)
                    )
                    _rectangle(image, across, down, across + 0.6 * pitch, down + 0.6 * storey, color)
            x += wide * random.uniform(0.9, 1.25)
    tree = hsv(0.28, 0.4, 0.12 if evening else 0.3)
    crown = 0.86 - 0.05 * noise(random, 6, 5, 0.6)
    return blend(
        image,
        as_float32(tree * (0.8 + 0.3 * noise(random, 25, 3))[..., None]),
        smoothstep(as_float32(Y - crown), 0, 0.02),
    )


def _rectangle(image: Floats, left: float, top: float, right: float, bottom: float, color: Floats) -> None:
    fill_polygon(image, as_float32([(left, top), (right, top), (right, bottom), (left, bottom)]), color)
