"""Hair that leaves the head: falling from a parting, or gathered in a knot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.hair.scalp import direction
from synthetic_heads.hair.short_styles import even, shell
from synthetic_heads.hair.strand_paths import arcs, hang, parting, smooth, waved
from synthetic_heads.hair.strand_surfaces import locks, sheet

if TYPE_CHECKING:
    from synthetic_heads.face.mesh_part import Part
    from synthetic_heads.hair.hair import Hair
    from synthetic_heads.hair.scalp import Scalp

STRANDS = 15
"""On each side of a parting."""
GATHERED = 40
"""Strands around the head that a knot gathers."""


def straight(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """Long and straight."""
    low = 11 + 11 * hair.length
    return _curtains(hair, scalp, random, (low, low + 1))


def wavy(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """Long, in waves."""
    low = 11 + 10 * hair.length
    return _curtains(hair, scalp, random, (low, low + 1), wave=(0.35 + 0.6 * hair.curl, 9 - 4 * hair.curl))


def bob(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """To the jaw, with a fringe."""
    low = 5 + 4 * hair.length
    azimuth = as_float32(np.radians(np.linspace(-66, 66, STRANDS)))
    starts = direction(azimuth, as_float32(np.full(STRANDS, np.radians(78))))
    ends = direction(azimuth, as_float32(np.radians(13.5) + 0.02 * random.normal(size=STRANDS)))
    share = np.linspace(0, 1, 9)
    lift = 0.5 + (0.5 + 0.6 * hair.volume) * np.sin(np.pi * share)
    fringe = arcs(
        scalp, starts, as_float32(starts + ends), ends, as_float32(np.broadcast_to(lift, (STRANDS, 9)))
    )
    return [
        *_curtains(hair, scalp, random, (low + 0.8, low - 0.6), blunt=0.86, number=26),
        sheet(fringe, transparency=0.6 * smooth(share, 0.88, 1.05), shade=0.5, lift=-0.2, shift=0.23),
        sheet(fringe, transparency=0.8 * smooth(share, 0.85, 1.05), shade=0.75, shift=0.61),
        locks(fringe, random, 30, width=1.6, lift=(0.1, 0.35), rows=7, stray=0.3, shorter=0.06),
    ]


def bun(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """Combed back to a knot high on the head."""
    aim = _aim(100 + 25 * random.uniform())
    size = 2 + 1.6 * hair.length
    middle = scalp.at(aim[None], 0.45 * size)[0]
    rise, turn = np.meshgrid(
        np.linspace(-np.pi / 2, np.pi / 2, 9), np.linspace(0, 2 * np.pi, 25), indexing="ij"
    )
    ball = np.stack((np.cos(rise) * np.cos(turn), np.cos(rise) * np.sin(turn), 0.8 * np.sin(rise)), axis=-1)
    uneven = size * (1 + 0.04 * np.sin(3 * turn + 2 * rise) + 0.03 * np.sin(5 * turn))
    ball = uneven[..., None] * ball @ _axes(aim)
    return [
        *_swept(hair, scalp, random, aim),
        sheet(as_float32(middle + 0.92 * ball), transparency=0, shade=0.6, shift=0.4),
        sheet(as_float32(middle + ball), transparency=0.3, shade=0.95),
    ]


def ponytail(hair: Hair, scalp: Scalp, random: np.random.Generator) -> list[Part]:
    """Combed back and tied; the tail falls down the back."""
    aim = _aim(128 + 40 * random.uniform())
    tie = scalp.at(aim[None], 0.6)[0]
    angle = np.linspace(0, 2 * np.pi, 13)
    ring = np.stack((np.cos(angle), np.sin(angle), 0 * angle), axis=1) @ _axes(aim)
    towards = aim + as_float32([random.uniform(-0.5, 0.5), 0, 0])
    start = np.stack(
        [tie + radius * ring + out * towards for radius, out in ((0.5, 0), (0.8, 0.9), (1.3, 2))], axis=1
    )
    bottom = 4 + 14 * hair.length + 0.6 * random.normal(size=13)
    tail = hang(scalp, as_float32(start), as_float32(bottom), 12, 1.5, np.ones(13, np.float32))
    tail = waved(tail, random, 0.5 * hair.curl, 8)
    return [
        *_swept(hair, scalp, random, aim),
        sheet(tail, transparency=0.05 + 0.9 * smooth(np.linspace(0, 1, 12), 0.6, 1.05), shade=0.7),
        locks(tail, random, 26, width=1.6, lift=(0.05, 0.5), rows=9, stray=0.6),
    ]


def _cap(scalp: Scalp, random: np.random.Generator) -> Part:
    """Dark hair next to the skin, under longer hair."""
    return shell(scalp, random, even(0.15), transparency=0, shade=0.45, fade=0.12, columns=44, rows=7)


def _curtains(
    hair: Hair,
    scalp: Scalp,
    random: np.random.Generator,
    bottom: tuple[float, float],
    *,
    wave: tuple[float, float] = (0, 1),
    blunt: float = 0.72,
    number: int = 34,
) -> list[Part]:
    """Hair that falls from the parting on both sides.

    Args:
        hair: parting, volume.
        scalp: what it lies on.
        random: draws locks.
        bottom: heights where it ends at the front and at the back.
        wave: size and length of waves.
        blunt: share of the way from which it thins out.
        number: of locks on each side.
    """
    parts = [_cap(scalp, random)]
    high = 0.6 + 1.1 * hair.volume
    place = np.linspace(0, 1, STRANDS)
    # The foremost strands lie on the cheek before the ear.
    close = 0.25 + 0.75 * smooth(place, 0, 0.22)
    behind = np.where(place < 0.3, -1, np.where(place > 0.62, 1, 0))
    share = np.linspace(0, 1, STRANDS)
    missing = 0.9 * smooth(share, blunt, 1.05) + 0.5 * np.exp(-place / 0.05)[:, None]
    for side in (-1, 1):
        ends = (random.uniform(66, 73), 4), (182, -22)
        combed = parting(scalp, side, hair.parting, ends, high, as_float32(close * high))
        low = bottom[0] + (bottom[1] - bottom[0]) * place + 0.35 * random.normal(size=STRANDS)
        lift = close * (0.5 + 0.5 * hair.volume)
        paths = hang(scalp, combed, as_float32(low), STRANDS, as_float32(lift), as_float32(behind))
        paths = waved(paths, random, *wave)
        parts.append(sheet(paths, transparency=as_float32(missing), shade=0.4, lift=-0.35))
        parts.append(sheet(paths, transparency=as_float32(0.12 + missing), shade=0.85, shift=0.37))
        parts.append(locks(paths, random, number, width=2.2, lift=(0.1, 0.55), rows=11, stray=0.5))
    return parts


def _swept(hair: Hair, scalp: Scalp, random: np.random.Generator, aim: Floats) -> list[Part]:
    """Hair combed from the whole hairline to a knot in this direction."""
    azimuth = as_float32(np.linspace(-np.pi, np.pi, GATHERED))
    starts = direction(azimuth, as_float32(scalp.hairline(azimuth) + np.radians(1)))
    ends = as_float32(np.broadcast_to(aim, starts.shape))
    middles = starts + ends + as_float32([0, -0.2, 0])
    middles *= 0.9 / np.linalg.norm(middles, axis=1, keepdims=True)
    share = np.linspace(0, 1, 9)
    lift = 0.12 + (0.35 + 0.7 * hair.volume) * np.sin(np.pi * np.minimum(1.1 * share, 1)) ** 0.8
    paths = arcs(scalp, starts, as_float32(middles), ends, as_float32(np.broadcast_to(lift, (GATHERED, 9))))
    return [
        _cap(scalp, random),
        sheet(
            paths,
            transparency=as_float32(0.9 - 0.9 * smooth(share, 0, 0.12)),
            shade=as_float32(0.95 - 0.4 * smooth(share, 0.75, 1)),
        ),
        locks(paths, random, 60, width=1.5, lift=(0.02, 0.2), rows=8, stray=0.2, shorter=0.3),
    ]


def _aim(degrees: float) -> Floats:
    """Direction over the top of the head; 0 is the face, 90 the crown, 180 the back."""
    return as_float32([0, -np.sin(np.radians(degrees)), -np.cos(np.radians(degrees))])


def _axes(aim: Floats) -> Floats:
    """Two directions across this one, and itself, 3×3."""
    side = as_float32([1, 0, 0])
    return as_float32(np.stack((side, np.cross(aim, side), aim)))
