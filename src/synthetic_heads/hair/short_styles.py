"""Hair that stays on the head: shells over the scalp, short locks, and what is combed over the top."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.hair.scalp import direction
from synthetic_heads.hair.strand_paths import arcs, parting, smooth
from synthetic_heads.hair.strand_surfaces import locks, ribbons, sheet

if TYPE_CHECKING:
    from synthetic_heads.face.mesh_part import Part
    from synthetic_heads.hair.hair import Hair
    from synthetic_heads.hair.scalp import Scalp

Height = Callable[["Floats", "Floats"], "Floats"]
"""Centimeters over the skin, of the azimuth and the share of the way from the crown to the hairline."""


def even(height: float) -> Height:
    """The same height everywhere."""
    return lambda azimuth, share: as_float32(height + 0 * azimuth)


def scaled(height: Height, factor: float) -> Height:
    """A share of a height."""
    return lambda azimuth, share: as_float32(factor * height(azimuth, share))


def shell(
    scalp: Scalp,
    random: np.random.Generator,
    height: Height,
    *,
    transparency: float,
    shade: float,
    fade: float = 0.25,
    columns: int = 56,
    rows: int = 9,
    bald: float = 0,
    fineness: float = 1,
) -> Part:
    """All of the scalp at some height; strands run from the crown to the hairline.

    Args:
        scalp: what it covers.
        random: makes the hairline uneven.
        height: over the skin.
        transparency: how much is missing.
        shade: light that gets here.
        fade: share of the way over which it dissolves into the hairline.
        columns: around the head; they are closer at the ears.
        rows: from the crown to the hairline.
        bald: share of the way from the crown where there is no hair; more at the front.
        fineness: how much finer the strands are than usual.
    """
    around = np.linspace(-np.pi, np.pi, 721)
    spread = np.cumsum(1 + 2.2 * np.exp(-(((np.abs(around) - 1.5) / 0.45) ** 2)))
    azimuth = as_float32(np.interp(np.linspace(spread[0], spread[-1], columns + 1), spread, around))
    edge = scalp.hairline(azimuth) + np.radians(random.normal(0, 1.6, columns + 1))
    edge[-1] = edge[0]
    share = as_float32(np.linspace(0, 1, rows))
    elevation = as_float32(np.pi / 2 + (edge[:, None] - np.pi / 2) * share)
    azimuths, shares = np.broadcast_arrays(azimuth[:, None], share)
    lift = height(azimuths, shares) * (1 - smooth(share, 1 - fade, 1)) + 0.06
    paths = scalp.at(direction(azimuths, elevation), as_float32(lift))
    paths[:, 0] = paths[:, 0].mean(axis=0)
    missing = transparency + (1 - transparency) * smooth(share, 1 - fade, 1)
    if bald:
        start = bald + (1.1 - bald) * smooth(-np.abs(azimuth), -1.5, -1.0)[:, None]
        missing = np.maximum(missing, 1 - smooth(share - start, -0.1, 0.12))
    return sheet(
        paths, transparency=as_float32(missing), shade=shade, shift=random.uniform(), fineness=fineness
    )


def short_locks(
    scalp: Scalp,
    random: np.random.Generator,
    count: int,
    height: Height,
    *,
    length: float,
    rise: float,
    width: float,
    fray: float,
) -> Part:
    """Short locks all over the scalp that lie towards the hairline.

    Args:
        scalp: what they grow on.
        random: draws their places.
        count: of locks.
        height: of their roots.
        length: in centimeters.
        rise: centimeters that a tip is higher than its root.
        width: in centimeters.
        fray: how much their directions differ, in radians.
    """
    azimuth = as_float32(random.uniform(-np.pi, np.pi, count))
    share = as_float32(np.sqrt(random.uniform(0.01, 0.92, count)))
    edge = scalp.hairline(azimuth)
    elevation = np.pi / 2 + (edge - np.pi / 2) * share
    along = np.linspace(0, 1, 5)
    reach = length / 9 * random.uniform(0.7, 1.2, count)[:, None] * along
    turn = 0.5 + fray * random.normal(size=(count, 1))
    down = np.maximum(elevation[:, None] - reach * np.cos(turn), edge[:, None] - np.radians(4))
    around = azimuth[:, None] + reach * np.sin(turn) / np.maximum(np.cos(elevation), 0.3)[:, None]
    lift = (height(azimuth, share) * (1 - 0.85 * smooth(share, 0.75, 1)))[:, None]
    lift = lift + rise * random.uniform(0.2, 1, count)[:, None] * along
    directions = direction(as_float32(around), as_float32(down))
    return ribbons(
        scalp.at(directions, as_float32(lift)), directions, random, width=width, transparency=0.3, stray=0.3
    )


def buzz(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """Millimeters all over."""
    high = 0.15 + 0.3 * hair.length
    layers = ((0.35, 0.0, 0.75), (0.7, 0.4, 0.85), (1.0, 0.68, 1.0))
    return [
        shell(
            scalp, random, even(high * part), transparency=transparency, shade=shade, fade=0.3, fineness=2.5
        )
        for part, transparency, shade in layers
    ]


def horseshoe(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """Bald on the top, short hair around."""
    high = 0.35 + 0.6 * hair.length
    layers = ((0.1, 0.05, 0.65), (0.55, 0.35, 0.8), (1.0, 0.6, 1.0))
    return [
        shell(
            scalp, random, even(high * part), transparency=transparency, shade=shade, bald=0.55, fineness=1.3
        )
        for part, transparency, shade in layers
    ]


def crop(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """Short on all sides, combed from the crown."""
    height = _bumpy(_short(hair), random, 0.12)
    return [
        shell(scalp, random, scaled(height, 0.3), transparency=0, shade=0.6),
        shell(scalp, random, scaled(height, 0.75), transparency=0.3, shade=0.8),
        short_locks(scalp, random, 150, scaled(height, 0.75), length=3.2, rise=0.45, width=1.3, fray=0.5),
    ]


def curly(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """Curls that stand off all around, to an afro."""
    high = 1.2 + 4 * hair.volume

    def ball(azimuth: Floats, share: Floats) -> Floats:
        front = 0.5 + 0.5 * np.cos(azimuth)
        return as_float32(high * (1 - 0.3 * front * smooth(share, 0.5, 1)))

    height = _bumpy(ball, random, 0.16)
    return [
        shell(scalp, random, scaled(height, 0.6), transparency=0, shade=0.5, fade=0.16),
        shell(scalp, random, scaled(height, 0.85), transparency=0.3, shade=0.75, fade=0.16),
        shell(scalp, random, height, transparency=0.62, shade=0.95, fade=0.18),
        short_locks(scalp, random, 130, scaled(height, 0.85), length=2.2, rise=0.8, width=2, fray=2),
    ]


def parted(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """Short with a side parting."""
    parts = _sides(hair, scalp, random)
    missing = np.broadcast_to(0.1 + 0.9 * smooth(np.linspace(0, 1, 8), 0.6, 1), (15, 8))
    for side in (-1, 1):
        # The side that the parting lies on has little hair on the top.
        high = (0.8 + 1.5 * hair.volume) * (1 - 0.65 * max(side * hair.parting, 0))
        paths = parting(scalp, side, hair.parting, ((60, 20), (165, 8)), high, as_float32(np.full(15, 0.45)))
        parts.append(sheet(paths, transparency=as_float32(missing), shade=0.8, shift=0.3))
        parts.append(locks(paths, random, 34, width=1.6, lift=(0.05, 0.4), rows=7, stray=0.4, shorter=0.4))
    return parts


def quiff(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """Short sides, the top combed up and back."""
    azimuth = as_float32(np.radians(np.linspace(-62, 62, 17)))
    starts = direction(azimuth, as_float32(scalp.hairline(azimuth) + np.radians(1.5)))
    middles = direction(as_float32(0.9 * azimuth), as_float32(np.radians(88 - 14 * np.abs(azimuth))))
    ends = direction(as_float32(np.pi - 0.75 * azimuth), as_float32(np.full(17, np.radians(38))))
    share = np.linspace(0, 1, 11)
    crest = (0.6 + 2.4 * hair.volume) * np.exp(-((azimuth / 0.95) ** 4))[:, None]
    lift = (
        0.15 + crest * (smooth(share, 0, 0.22) - 0.75 * smooth(share, 0.25, 1)) + 0.4 * smooth(share, 0, 0.3)
    )
    paths = arcs(scalp, starts, middles, ends, as_float32(lift))
    missing = 0.1 + 0.9 * smooth(share, 0.75, 1) + 0.6 * (1 - smooth(share, 0, 0.12))
    missing = missing + 0.6 * (np.abs(np.linspace(-1, 1, 17)) ** 6)[:, None]
    return [
        *_sides(hair, scalp, random),
        sheet(paths, transparency=as_float32(missing), shade=0.8),
        locks(paths, random, 70, width=1.7, lift=(0.05, 0.5), rows=8, stray=0.5, shorter=0.5),
    ]


def _sides(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """What lies close to the head under a longer top."""
    height = _short(hair)

    def close(azimuth: Floats, share: Floats) -> Floats:
        return as_float32(np.minimum(height(azimuth, share), 0.6))

    return [
        shell(scalp, random, scaled(height, 0.32), transparency=0, shade=0.55),
        shell(scalp, random, scaled(close, 0.7), transparency=0.33, shade=0.75),
    ]


def _short(hair: Hair) -> Height:
    """Short hair: more on the top, close at the sides."""
    top = 0.7 + hair.volume

    def height(azimuth: Floats, share: Floats) -> Floats:
        front = 0.5 + 0.5 * np.cos(azimuth)
        return as_float32(0.35 + (top - 0.35) * (1 - smooth(share, 0.35 + 0.3 * front, 0.8 + 0.25 * front)))

    return height


def _bumpy(height: Height, random: np.random.Generator, size: float) -> Height:
    """A height made uneven by this share."""
    turns = np.round(random.uniform(2, 11, 14))
    rise = random.uniform(3, 16, 14)
    phase = random.uniform(0, 2 * np.pi, 14)

    def bumpy(azimuth: Floats, share: Floats) -> Floats:
        waves = np.sin(azimuth[..., None] * turns + share[..., None] * rise + phase).sum(axis=-1)
        return as_float32(height(azimuth, share) * (1 + size * np.minimum(share / 0.3, 1) * waves / 2.6))

    return bumpy
