"""Garments, one function each: pieces of cloth and what they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import PchipInterpolator

from synthetic_heads.clothing.draping import HEM, ClothDraper, Folds, angle_from_front, around, disc, tube

if TYPE_CHECKING:
    from synthetic_heads.arrays import Doubles
    from synthetic_heads.clothing.clothes import Clothes
    from synthetic_heads.clothing.fabrics import Fabric
    from synthetic_heads.face.mesh_part import Part

    Pieces = list[tuple[Part, Fabric]]

CREW = ((0, 15.9), (0.5, 15.2), (1.0, 13.7), (1.571, 12.5), (3.142, 11.8))
"""Height of a crew neck at angles from the front to the back."""
SCOOP = ((0, 18.6), (0.3, 18.2), (0.7, 16.4), (1.2, 14.8), (1.571, 14.4), (3.142, 14.6))
TURTLE = ((0, 11.4), (1.0, 10.4), (1.571, 9.4), (3.142, 8.0))
COLLAR = ((0, 15.6), (0.6, 14.9), (1.2, 13.4), (1.8, 12.4), (3.142, 11.7))


def neckline(angle: Doubles, nodes: tuple[tuple[float, float], ...]) -> Doubles:
    """Heights of a neckline given at angles from 0 to π; round in front and behind."""
    at, heights = np.transpose(nodes)
    mirrored = np.concatenate((-at[:0:-1], at)), np.concatenate((heights[:0:-1], heights))
    line: Doubles = PchipInterpolator(*mirrored)(np.minimum(angle_from_front(angle), at[-1]))
    return line


def shell(
    draper: ClothDraper,
    top: Doubles,
    angle: Doubles,
    rim: tuple[tuple[float, float], ...],
    loose: float,
    folds: Folds,
) -> Part:
    """A garment from its upper edge down.

    Args:
        draper: of the body.
        top: N, height of the edge.
        angle: N.
        rim: the edge's profile: distance below the edge, centimeters outside the skin.
        loose: centimeters outside the skin, below the rim.
        folds: of the cloth.
    """
    distance, inflate = np.transpose(rim)
    edge = draper.below(angle, top, distance[:, None])
    share = np.linspace(0, 1, 14)[1:, None] ** 1.5
    heights = np.concatenate((edge, edge[-1] + (HEM - edge[-1]) * share))
    wave = folds.height(draper.at(angle, heights, 0)[..., 0], heights)
    wave *= np.clip((heights - edge[-1]) / 2.5, 0, 1)
    outside = np.concatenate(
        (np.broadcast_to(inflate[:, None], edge.shape), np.full((13, len(angle)), loose))
    )
    shade = np.ones_like(heights)
    shade[:2] = 0.45
    shade[2 : len(edge) - 2] = 0.92
    shade[len(edge) - 2] = 0.65
    return draper.sheet(np.broadcast_to(angle, heights.shape), heights, outside + wave, shade, hang=0.75)


def rolled(thick: float, band: float, loose: float) -> tuple[tuple[float, float], ...]:
    """Profile of a rim: from inside over the edge to the seam below the band."""
    return (
        *((0.7, -0.15), (0.15, 0.05), (-0.05, 0.5 * thick), (0.1, thick), (0.5 * band, thick + 0.05)),
        *((band, thick), (band + 0.15, min(loose, thick) - 0.08), (band + 0.5, loose)),
    )


def t_shirt(clothes: Clothes, draper: ClothDraper, random: np.random.Generator) -> Pieces:
    """Crew neck."""
    angle = around(65)
    top = neckline(angle, CREW) + (clothes.opening - 0.4) * (1.1 + 0.9 * np.cos(angle))
    return [
        (shell(draper, top, angle, rolled(0.3, 1.5, 0.35), 0.35, Folds.sample(random, 0.8)), clothes.main)
    ]


def v_neck(clothes: Clothes, draper: ClothDraper, random: np.random.Generator) -> Pieces:
    """V neck, bare skin below."""
    angle = around(65)
    depth, side = 17.0 + 2.2 * clothes.opening, angle_from_front(angle)
    # Straight from the tip to the side of the neck.
    line = depth - (depth - 12.9) * np.clip(np.sin(np.minimum(side, 1.2)) / np.sin(1.2), 0, 1) ** 0.62
    top = np.where(side < 1.2, line, np.interp(side, (1.2, np.pi), (12.9, 12.0)))
    return [(shell(draper, top, angle, rolled(0.35, 1.4, 0.4), 0.4, Folds.sample(random, 0.7)), clothes.main)]


def wide_neckline(clothes: Clothes, draper: ClothDraper, random: np.random.Generator) -> Pieces:
    """A dress or top that leaves the collar bones bare."""
    angle = around(65)
    top = neckline(angle, SCOOP) - 1.2 * (1 - clothes.opening) * np.cos(angle_from_front(angle) / 2)
    return [
        (shell(draper, top, angle, rolled(0.25, 0.5, 0.35), 0.35, Folds.sample(random, 0.7)), clothes.main)
    ]


def turtleneck(clothes: Clothes, draper: ClothDraper, random: np.random.Generator) -> Pieces:
    """A knitted collar, folded down."""
    angle = around(65)
    tall = 2.6 + 1.4 * clothes.opening
    top = neckline(angle, TURTLE) + 0.8 * (1 - clothes.opening)
    rim = (
        *((1, -0.1), (0.2, 0.15), (0, 0.45), (0.15, 0.8), (0.5 * tall, 1.0), (0.9 * tall, 0.95)),
        *((tall, 0.75), (tall - 0.1, 0.5), (tall + 0.4, 0.4), (tall + 1, 0.5)),
    )
    return [(shell(draper, top, angle, rim, 0.5, Folds.sample(random, 0.7)), clothes.main)]


def collar(
    draper: ClothDraper, gap: float, fold: Doubles, base: Doubles, angle: Doubles, wide: float
) -> Part:
    """A shirt's collar: a stand around the neck and leaves folded over it.

    Args:
        draper: of the body.
        gap: angle of its ends to the front.
        fold: N, height of its upper edge.
        base: N, height of its seam.
        angle: N.
        wide: how far the points lie from the front's middle line, as an angle.
    """
    near = np.exp(-(((angle_from_front(angle) - gap) / 0.4) ** 2))
    stand = (
        (base + 0.3, 0.1),
        (0.5 * (base + fold), 0.25),
        (fold, 0.4),
        (fold - 0.2, 0.6),
        (fold - 0.05, 0.85),
    )
    heights, inflate = [row for row, _ in stand], [np.full_like(angle, rise) for _, rise in stand]
    angles = [angle] * len(stand)
    # The points hang lower than the rest, all the more the higher the fold lies.
    long = 4.0 + near * (19.3 - fold - 3.4) * 0.95
    outwards = np.where(angle < np.pi, 1, -1) * near * (wide - gap)
    for share in (0.25, 0.5, 0.75, 0.97, 1.0, 0.97):
        turned = angle + outwards * share
        heights.append(draper.below(turned, fold, share * long))
        angles.append(turned)
        inflate.append(np.full_like(angle, 0.95 + 0.2 * np.sin(np.pi * share)))
    inflate[-2] -= 0.12
    inflate[-1] -= 0.45
    shade = np.ones((len(heights), 1))
    shade[:3], shade[-1] = 0.6, 0.5
    return draper.sheet(np.array(angles), np.array(heights), np.array(inflate), shade)


def shirt(clothes: Clothes, draper: ClothDraper, random: np.random.Generator) -> Pieces:
    """A shirt, buttoned or with its collar open."""
    return _shirt(draper, around(65), clothes.main, clothes.trim, clothes.opening, random)


def _shirt(
    draper: ClothDraper,
    angle: Doubles,
    fabric: Fabric,
    trim: Fabric,
    opening: float,
    random: np.random.Generator,
) -> Pieces:
    """Body, collar and placket; the body's cloth covers these angles."""
    undone = opening > 0.4
    gap = 0.13 if undone else 0.05
    ring = around(39, gap)
    base, fold = (
        neckline(ring, COLLAR),
        neckline(ring, COLLAR) - np.interp(angle_from_front(ring), (0.3, np.pi), (2.2, 2.7)),
    )
    top = neckline(angle, COLLAR) - 0.1
    if undone:
        falling = np.clip((1.7 - angle_from_front(ring)) / (1.7 - gap), 0, 1) ** 1.5
        fold += (3.2 + opening) * falling
        base = np.maximum(base, fold + 0.5)
        seam = np.interp(angle_from_front(angle), angle_from_front(ring)[:20], base[:20])
        top = np.where(
            angle_from_front(angle) < gap,
            np.interp(angle_from_front(angle), (0, gap), (19.3 + opening, seam.max())),
            seam,
        )
    folds = Folds.sample(random, 0.8)
    rim = ((0.6, -0.1), (0.0, 0.1), (0.0, 0.3), (0.3, 0.4))
    first = float(top[len(top) // 2])
    rows = np.linspace(first - 0.1, HEM, 16)[:, None]
    across = np.array([-1.75, -1.7, -1.5, 0, 1.5, 1.7, 1.75])
    slack = np.clip((rows - first - 0.3) / 2.5, 0, 1)
    wave = folds.height(np.broadcast_to(across, (16, 7)), np.broadcast_to(rows, (16, 7))) * slack
    rise = np.array([0.3, 0.55, 0.6, 0.62, 0.6, 0.55, 0.3]) + wave
    pieces = [
        (shell(draper, top, angle, rim, 0.4, folds), fabric),
        (collar(draper, gap, fold, base, ring, 0.27), fabric),
        (draper.sheet(draper.sideways(across, rows), rows, rise, hang=0.75), fabric),
    ]
    return [*pieces, (disc(draper, 0, first + 0.9, 0.64 + 0.2 * 0.4, 0.55), trim)]


def hoodie(clothes: Clothes, draper: ClothDraper, random: np.random.Generator) -> Pieces:
    """A sweater with its hood lying behind the neck."""
    angle = around(65)
    top = neckline(angle, CREW) + 0.8 + 0.6 * clothes.opening
    folds = Folds.sample(random, 0.7)
    pieces = [(shell(draper, top, angle, rolled(0.4, 1.0, 0.5), 0.5, folds), clothes.main)]
    # The hood is a thick fold of cloth: thin at the throat, a roll behind.
    ring = around(49, 0.16)
    side = angle_from_front(ring)
    edge = neckline(ring, CREW) + 0.6
    big = np.interp(side, (0.16, 0.6, 1.4, np.pi), (0.7, 1.0, 1.9, 2.9))
    turn = np.linspace(-0.35 * np.pi, 1.15 * np.pi, 13)[:, None]
    crease = 1 + 0.06 * np.cos(3 * turn + 2 * side) + 0.03 * np.sin(9 * ring + 2 * turn)
    out = np.maximum(big * (1.0 - np.cos(turn) * crease) + 0.1, 0.3)
    down = big * (0.5 - 1.35 * np.sin(turn) * crease)
    heights = draper.below(np.broadcast_to(ring, out.shape), np.broadcast_to(edge, out.shape), down)
    shade = np.interp(turn, (-1.1, 0.3, 1.2), (0.4, 0.8, 1))
    pieces.append((draper.sheet(np.broadcast_to(ring, out.shape), heights, out, shade), clothes.main))
    for way in (-1, 1):
        y = np.linspace(17.4, 28, 14)
        offset = way * (2.6 + 0.12 * (y - 17)) + 0.25 * np.sin(0.7 * y + random.uniform(0, 6))
        path = draper.at(draper.sideways(offset, y), y, 1.15)
        pieces.append((tube(path, 0.26, y), clothes.trim))
    return pieces


def jacket(clothes: Clothes, draper: ClothDraper, random: np.random.Generator) -> Pieces:
    """A jacket over a shirt, with a tie when the collar is buttoned."""
    # The jacket hides the shirt's back.
    pieces = _shirt(draper, np.linspace(-1.4, 1.4, 33), clothes.inner, clothes.inner, clothes.opening, random)
    if clothes.opening <= 0.4:
        pieces += _tie(draper, clothes.trim)
    rows = np.linspace(0, 1, 15)[:, None] ** 1.3
    turn = np.linspace(0, 1, 49)
    edge = neckline(around(49, 0.75), COLLAR) + 0.9
    heights = edge + (HEM - edge) * rows
    # The opening runs from the side of the neck to a button below the image.
    start = draper.sideways(_lapel_edge(heights), heights)
    angle = start + (2 * np.pi - 2 * start) * (0.6 * turn + 0.4 * (0.5 - 0.5 * np.cos(np.pi * turn)))
    folds = Folds.sample(random, 0.5)
    wave = folds.height(draper.at(angle, heights, 0)[..., 0], heights) * np.clip(
        (heights - edge - 3) / 4, 0, 1
    )
    pieces.append((draper.sheet(angle, heights, 1.5 + wave, hang=0.75), clothes.main))
    pieces += [(part, clothes.main) for part in _lapels(draper, edge)]
    return pieces


def _lapel_edge(heights: Doubles) -> Doubles:
    """How far from the middle a jacket's edge lies in front at these heights."""
    return np.interp(heights, (12, 15.5, 36), (6.6, 6.2, 0.8))


def _lapels(draper: ClothDraper, edge: Doubles) -> list[Part]:
    """Collar and lapels: a band along the jacket's edge, with a notch."""
    behind = draper.sideways(_lapel_edge(edge[:1]), edge[:1])[0]
    angle = around(33, float(behind))
    y = np.interp(np.linspace(0, 1, 33), np.linspace(0, 1, len(edge)), edge)
    share = np.array([0.0, 0.0, 0.15, 0.4, 0.7, 0.95, 1.0, 0.98])[:, None]
    rise = np.array([0.6, 1.7, 2.1, 2.1, 2.0, 2.0, 1.9, 1.4])[:, None]
    shade = np.array([0.5, 0.8, 1, 1, 1, 1, 0.9, 0.5])[:, None]
    heights = draper.below(np.broadcast_to(angle, (8, 33)), np.broadcast_to(y - 0.9, (8, 33)), share * 4.2)
    band = draper.sheet(np.broadcast_to(angle, (8, 33)), heights, np.broadcast_to(rise, (8, 33)), shade)
    parts = [band]
    for way in (-1, 1):
        down = np.concatenate((np.linspace(14.4, 18.2, 7), [18.35, 18.6, 18.75], np.linspace(19.2, HEM, 6)))
        wide = np.interp(
            down, (14.4, 17, 18.2, 18.35, 18.6, 18.75, 20, HEM), (2.8, 4.4, 5.0, 3.2, 3.2, 6.6, 6.4, 2.5)
        )
        # Outwards the collar's seam and the lapel's point rise.
        tilt = np.interp(down, (14.4, 18.6, 20), (0.0, 0.12, 0.12))
        outwards = share.T * wide[:, None]
        height = down[:, None] - tilt[:, None] * outwards
        offset = way * (_lapel_edge(down)[:, None] - 0.1 + outwards)
        angle = draper.sideways(offset, height)
        order = slice(None) if way > 0 else slice(None, None, -1)
        lifted = np.broadcast_to(rise.T - 0.05, height.shape)
        parts.append(
            draper.sheet(
                angle[:, order],
                height[:, order],
                lifted[:, order],
                np.broadcast_to(shade.T, height.shape)[:, order],
            )
        )
    return parts


def _tie(draper: ClothDraper, fabric: Fabric) -> Pieces:
    """A tie: its knot and its blade."""
    across = np.linspace(-1, 1, 9)
    pieces = []
    for y, wide, rise in (
        (np.linspace(13.4, 17.2, 8), (1.3, 1.75, 1.75, 1.6, 1.45, 1.3, 1.15, 0.95), 1.35),
        (np.linspace(16.8, HEM, 10), (0.95, 1.5, 1.9, 2.1, 2.3, 2.5, 2.7, 2.9, 3.1, 3.3), 0.95),
    ):
        offset = np.array(wide)[:, None] * across
        heights = np.broadcast_to(y[:, None], offset.shape)
        bulge = rise + 0.45 * np.sqrt(1 - 0.98 * across**2) * (1 if rise > 1 else 0.5)
        bulge = bulge - 0.5 * (np.abs(across) == 1)
        part = draper.sheet(draper.sideways(offset, heights), heights, np.broadcast_to(bulge, offset.shape))
        pieces.append((part, fabric))
    return pieces
