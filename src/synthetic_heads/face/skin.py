"""A person's skin: color, shine, relief and wrinkles, painted over the canonical face's map."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from scipy import ndimage

from synthetic_heads.arrays import Bytes, Floats, as_float32
from synthetic_heads.conventions import HAIR
from synthetic_heads.face import eyes, mouth
from synthetic_heads.face.canonical_face import BROWS, LIDS, LIPS_LOWER, LIPS_UPPER
from synthetic_heads.face.skin_canvas import SIZE, SkinCanvas, noise
from synthetic_heads.rendering.shading import CHANNELS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


Color = tuple[int, int, int]
FOREHEAD, GLABELLA, NOSE, CROW, CHEEK, CHIN, CORNER = range(1, 8)
"""Regions that an action unit wrinkles; 0 is smooth."""


@dataclass(frozen=True)
class Skin:
    """What the skin of a person looks like. Colors are sRGB, 0..255; amounts 0..1.

    Attributes:
        tone: mean color.
        lips: color of the lips.
        blush: redness of cheeks, nose and ears.
        blotches: unevenness of the color.
        freckles, moles: how many.
        pores: roughness.
        shine: oiliness.
        wrinkles: depth of the lines that stay.
        circles: darkness under the eyes.
        shadow: darkness of make-up on the upper lids, with its color ``shadow_color``.
        liner: darkness of the lids' edges.
        brow: color of the brows.
        brow_width, brow_density, brow_arch: their shape.
        stubble: darkness of the beard's shadow.
        scalp: how much the hair's roots color the skull; 0 for a bald one.
        hairline: degrees that it lies behind the outline of the face.
        roots: color of the hair's roots.
    """

    tone: Color
    lips: Color
    blush: float
    blotches: float
    freckles: float
    moles: float
    pores: float
    shine: float
    wrinkles: float
    circles: float
    shadow: float
    shadow_color: Color
    liner: float
    brow: Color
    brow_width: float
    brow_density: float
    brow_arch: float
    stubble: float
    scalp: float
    hairline: float
    roots: Color


class SkinAtlas(NamedTuple):
    """An atlas SIZE×2·SIZE: the face in its left half, skull, ears and neck in the right.

    See :class:`synthetic_heads.rendering.shading.Appearance`.
    """

    atlas: Floats
    regions: Bytes
    parts: Bytes


def linear(color: ArrayLike) -> Floats:
    """SRGB 0..255 to linear light 0..1 (IEC 61966-2-1)."""
    value = np.asarray(color, np.float64) / 255
    return as_float32(np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4))


def paint_skin(skin: Skin, random: np.random.Generator) -> SkinAtlas:
    """Paint a person's atlas."""
    tone = linear(skin.tone)
    color = np.empty((SIZE, 2 * SIZE, 3), np.float32)
    blotches = 0.06 * skin.blotches * noise(random, (SIZE, 2 * SIZE), 30)
    fine = 0.05 * noise(random, (SIZE, 2 * SIZE), 7) * (0.3 + skin.blotches)
    color[:] = tone * (
        1 + fine[..., None] * as_float32([0.7, 1, 1]) + blotches[..., None] * as_float32([0.4, 1, 0.9])
    )
    shine = np.full((SIZE, 2 * SIZE), 0.2 + 0.45 * skin.shine, np.float32)
    height = 0.0014 * (0.3 + skin.pores) * noise(random, (SIZE, 2 * SIZE), 1.1)
    height += 0.0025 * skin.pores * noise(random, (SIZE, 2 * SIZE), 3)

    face = SkinCanvas(color[:, :SIZE], height[:, :SIZE], shine[:, :SIZE])
    _tint(face, skin, tone)
    _freckle(face, skin, tone, random)
    _nose(face, tone)
    _eyes(face, skin, tone)
    _lips(face, skin, random)
    _beard(face, skin, random)
    _age(face, skin)
    _brows(face, skin, random)
    parts = np.zeros((SIZE, 2 * SIZE), np.uint8)
    _scalp(color, parts, skin, random)
    _swatches(color, shine, skin, tone)
    wrinkled, dark, regions = _wrinkles()

    atlas = np.zeros((SIZE, 2 * SIZE, CHANNELS), np.float32)
    atlas[..., :3] = np.clip(color, 0.002, 0.98)
    atlas[..., 3] = shine
    atlas[..., 4], atlas[..., 5] = _slopes(height)
    atlas[:, :SIZE, 6], atlas[:, :SIZE, 7] = _slopes(wrinkled)
    atlas[:, :SIZE, 8] = dark
    whole = np.zeros((SIZE, 2 * SIZE), np.uint8)
    whole[:, :SIZE] = regions
    return SkinAtlas(atlas, whole, parts)


def downsample_atlas(painted: SkinAtlas) -> SkinAtlas:
    """The atlas at half its resolution."""
    atlas = painted.atlas
    half = (atlas[::2, ::2] + atlas[1::2, ::2] + atlas[::2, 1::2] + atlas[1::2, 1::2]) / 4
    return SkinAtlas(as_float32(half), painted.regions[::2, ::2].copy(), painted.parts[::2, ::2].copy())


def _slopes(height: Floats) -> tuple[Floats, Floats]:
    """Rise per centimeter to the right and down; the map is about 16 cm wide."""
    texel = 16 / SIZE
    return as_float32(np.gradient(height, axis=1) / texel), as_float32(np.gradient(height, axis=0) / texel)


def _tint(face: SkinCanvas, skin: Skin, tone: Floats) -> None:
    red = tone * as_float32([1.0, 0.66, 0.62])
    face.blend(face.near((50, 280), 1.9), red, 0.55 * skin.blush)
    face.blend(face.near((4, 45, 275), 1.1), red, 0.6 * skin.blush)
    face.blend(face.near((152, 175), 1.1), red, 0.25 * skin.blush)
    face.blend(face.near((151,), 2.5), tone * as_float32([1.05, 1.02, 0.92]), 0.4)
    face.shine *= 1 + 0.5 * face.near((151, 9), 2.0) + 0.6 * face.near((4, 197), 0.9)


def _freckle(face: SkinCanvas, skin: Skin, tone: Floats, random: np.random.Generator) -> None:
    spots = np.zeros((SIZE, SIZE), np.float32)
    where = face.near((50, 280, 197), 2.6)
    for _ in range(int(900 * skin.freckles)):
        x, y = random.integers(30, SIZE - 30, 2)
        if random.random() < where[y, x]:
            cv2.circle(spots, (int(x), int(y)), int(random.integers(1, 3)), float(random.uniform(0.3, 1)), -1)
    face.blend(as_float32(cv2.GaussianBlur(spots, (0, 0), 0.9)), tone * as_float32([0.62, 0.45, 0.33]), 0.8)
    moles = np.zeros((SIZE, SIZE), np.float32)
    for _ in range(int(9 * skin.moles)):
        x, y = random.integers(90, SIZE - 90, 2)
        cv2.circle(moles, (int(x), int(y)), int(random.integers(2, 4)), 1.0, -1)
    moles = as_float32(cv2.GaussianBlur(moles, (0, 0), 1.0))
    face.blend(moles, tone * 0.25 + 0.005, 0.85)
    face.height += 0.03 * moles


def _nose(face: SkinCanvas, tone: Floats) -> None:
    for nostril in ((20, 60, 79, 166), (250, 290, 309, 392)):
        face.blend(face.polygon((*nostril,), 2.5), tone * as_float32([0.16, 0.1, 0.08]), 0.95)
        face.blend(face.near(nostril[:1], 0.3), tone * as_float32([0.2, 0.12, 0.1]), 0.7)
    for wing in ((64, 102, 49, 131), (294, 331, 279, 360), (98, 64, 48), (327, 294, 278)):
        face.blend(face.line(wing, 5, 4), tone * as_float32([0.6, 0.45, 0.4]), 0.45)
    face.height -= 0.03 * (face.line((98, 64, 102), 3, 3) + face.line((327, 294, 331), 3, 3))
    face.height -= 0.05 * face.line((164, 0), 7, 5)


def _eyes(face: SkinCanvas, skin: Skin, tone: Floats) -> None:
    for eye, (upper, lower) in enumerate(LIDS):
        crease = ((247, 30, 29, 27, 28, 56, 190), (467, 260, 259, 257, 258, 286, 414))[eye]
        bag = ((31, 228, 229, 230, 231, 232), (261, 448, 449, 450, 451, 452))[eye]
        face.blend(face.near((upper[4], lower[4]), 1.1), tone * as_float32([0.8, 0.66, 0.64]), 0.35)
        face.blend(face.near((upper[8],), 0.6), tone * as_float32([0.62, 0.42, 0.4]), 0.5)
        face.blend(face.line(crease, 4, 3.5), tone * as_float32([0.5, 0.36, 0.32]), 0.5)
        face.height -= 0.05 * face.line(crease, 3, 2.5)
        face.blend(face.line(bag, 14, 9), tone * as_float32([0.55, 0.42, 0.5]), 0.1 + 0.6 * skin.circles)
        face.height -= 0.05 * (0.2 + skin.circles + skin.wrinkles) * face.line(bag, 4, 3.5)
        face.blend(face.polygon((*upper, *crease[::-1]), 5), linear(skin.shadow_color), 0.75 * skin.shadow)
        edge = as_float32([0.012, 0.008, 0.007])
        face.blend(face.line(upper, 4, 1.2), edge, 0.6 + 0.4 * skin.liner)
        face.blend(face.line(lower, 2, 1.0), edge + tone * 0.2, 0.35 + 0.5 * skin.liner)


def _lips(face: SkinCanvas, skin: Skin, random: np.random.Generator) -> None:
    color = linear(skin.lips)
    lines = ndimage.gaussian_filter(random.standard_normal((SIZE, SIZE)), (9, 1.2)).astype(np.float32)
    lines /= lines.std()
    for rows, tone in ((LIPS_UPPER, 0.8), (LIPS_LOWER, 1.0)):
        lip = face.polygon((*rows[0], *rows[3][::-1]), 2.2)
        face.color += (0.88 * lip)[..., None] * (color * tone * (1 + 0.07 * lines[..., None]) - face.color)
        face.height += lip * 0.004 * lines
        face.shine += 0.45 * lip
        face.blend(face.line(rows[3], 5, 3), color * as_float32([0.35, 0.25, 0.25]), 0.75)
        face.height += 0.03 * face.line(rows[0], 3, 2.5)
    face.blend(face.line((83, 18, 313), 8, 7), face.color.mean(axis=(0, 1)) * 0.5, 0.3)
    for corner in (61, 291):
        face.blend(face.near((corner,), 0.3), color * 0.35, 0.4)


def _beard(face: SkinCanvas, skin: Skin, random: np.random.Generator) -> None:
    if not skin.stubble:
        return
    region = np.clip(face.near((152, 149, 378, 200, 17), 2.6) * 1.4 + face.near((165, 391, 164), 0.9), 0, 1)
    region = np.maximum(region, face.near((172, 397, 136, 365, 150, 379), 1.8))
    lips = face.polygon((*LIPS_UPPER[0], *LIPS_LOWER[0][::-1]), 2)
    region *= 1 - lips
    dots = np.clip(0.55 + 0.5 * noise(random, (SIZE, SIZE), 1.0), 0, 1)
    face.blend(
        region * dots, linear(skin.roots) * 0.7 + face.color.mean(axis=(0, 1)) * 0.08, 0.85 * skin.stubble
    )


def _age(face: SkinCanvas, skin: Skin) -> None:
    tone = face.color.mean(axis=(0, 1))
    lines: list[tuple[tuple[int, ...], float, float]] = [
        ((129, 203, 206, 216, 212), 0.05, 5), ((358, 423, 426, 436, 432), 0.05, 5),
        ((57, 43, 202, 210), 0.035, 4), ((287, 273, 422, 430), 0.035, 4),
        ((104, 69, 108, 151, 337, 299, 333), 0.025, 4), ((107, 9, 336), 0.02, 3),
        ((33, 130, 226, 35), 0.03, 2.5), ((130, 247, 113), 0.025, 2.5), ((130, 25, 31), 0.025, 2.5),
        ((263, 359, 446, 265), 0.03, 2.5), ((359, 467, 342), 0.025, 2.5), ((359, 255, 261), 0.025, 2.5),
    ]  # fmt: skip
    for vertices, deep, width in lines:
        mark = face.line(vertices, 3, width)
        face.height -= deep * (0.12 + 1.2 * skin.wrinkles) * mark
        face.blend(mark, tone * as_float32([0.6, 0.45, 0.4]), 0.12 + 0.5 * skin.wrinkles)


def _brows(face: SkinCanvas, skin: Skin, random: np.random.Generator) -> None:
    color = linear(skin.brow)
    for outline in BROWS:
        top = face.points(outline[:5])[::-1]  # from the nose outwards
        bottom = face.points(outline[5:])
        along = np.linspace(0, 1, 5)
        strokes = np.zeros((SIZE, SIZE), np.uint8)
        for _ in range(int(170 + 260 * skin.brow_density)):
            s = float(random.uniform(0, 1))
            taper = (1 - 0.75 * max(0.0, s - 0.55) / 0.45) * min(1.0, 0.6 + 2 * s)
            across = 0.35 + (float(random.uniform(-0.5, 0.5))) * skin.brow_width * taper
            # A stroke ends further out than it starts.
            upper = np.array([np.interp(0.9 * s - 0.06, along, top[:, i]) for i in (0, 1)])
            lower = np.array([np.interp(0.9 * s - 0.06, along, bottom[:, i]) for i in (0, 1)])
            start = lower + across * (upper - lower)
            start[1] -= skin.brow_arch * 4 * np.sin(np.pi * min(s * 0.9, 1.0))
            outwards = np.sign(top[-1, 0] - top[0, 0])
            lean = np.radians(np.interp(s, (0, 0.3, 1), (75, 35, -20)) + random.normal(0, 9))
            length = random.uniform(9, 15) * (0.7 + 0.3 * taper)
            end = start + length * np.array([outwards * np.cos(lean), -np.sin(lean)])
            ends = np.rint(np.array([start, end]) * 16).astype(np.int32)
            cv2.line(strokes, tuple(ends[0].tolist()), tuple(ends[1].tolist()), 255, 1, cv2.LINE_AA, 4)
        mask = cv2.GaussianBlur(strokes.astype(np.float32) / 255, (0, 0), 0.7)
        under = cv2.GaussianBlur(mask, (0, 0), 5)
        face.blend(np.clip(under, 0, 1), color, 0.55 * skin.brow_density)
        face.blend(np.clip(1.5 * mask, 0, 1), color * 0.8, 0.5 + 0.45 * skin.brow_density)
        face.shine *= 1 - 0.9 * np.clip(under, 0, 1)


def _scalp(color: Floats, parts: Bytes, skin: Skin, random: np.random.Generator) -> None:
    """The skull above the hairline, colored by the roots of the hair."""
    if not skin.scalp:
        return
    row, column = np.mgrid[:SIZE, :SIZE] / SIZE
    ragged = 0.015 * noise(random, (SIZE, SIZE), 2.0) + 0.02 * noise(random, (SIZE, SIZE), 8)
    # Rows of the skull's half are the outline's points: 0 is the forehead, 0.5 below the ear, 1 the chin.
    start = (
        np.interp(row, (0, 0.24, 0.38, 0.47, 0.52), (0.03, 0.03, 0.08, 0.2, 0.9))
        + 0.02
        + 0.004 * skin.hairline
    )
    grown = np.clip((column * 1.0 - start + ragged) / 0.05, 0, 1).astype(np.float32)
    grown[:, int(0.64 * SIZE) :] = 0
    grown[row > 0.52] = 0
    roots = linear(skin.roots) * (1 + 0.12 * noise(random, (SIZE, SIZE), 2.0)[..., None])
    half = color[:, SIZE:]
    half += (skin.scalp * grown)[..., None] * (roots - half)
    parts[:, SIZE:][grown * skin.scalp > 0.5] = HAIR


def _swatches(color: Floats, shine: Floats, skin: Skin, tone: Floats) -> None:
    """Small fields of one color for what is not on the face: ears, neck, mouth, teeth."""

    def field(u: float, v: float, value: Floats, gloss: float) -> None:
        x, y = round(u * SIZE), round(v * SIZE)
        color[y - 12 : y + 12, x - 12 : x + 12] = value
        shine[y - 12 : y + 12, x - 12 : x + 12] = gloss

    ear = color[:, int(1.72 * SIZE) : int(1.92 * SIZE)][: SIZE // 2]
    ear *= 1 - 0.35 * skin.blush * as_float32([0.05, 0.6, 0.6])
    lips = linear(skin.lips)
    pink = 0.5 * tone + 0.5 * linear((205, 120, 112))
    field(*eyes.RIM_UV, pink, 1.0)
    field(*mouth.LIP_UV, lips * as_float32([0.8, 0.55, 0.55]), 1.5)
    field(*mouth.FLESH_UV, linear((120, 42, 44)), 1.0)
    field(*mouth.TONGUE_UV, linear((190, 95, 95)), 1.0)
    left, right, gum, edge = mouth.TEETH_UV
    columns = np.arange(round(left * SIZE) - 2, round(right * SIZE) + 2)
    place = (columns / SIZE - left) / (right - left) * mouth.TEETH
    gap = np.clip(np.abs(place - np.rint(place)) / 0.12, 0, 1)
    ivory = linear((236, 226, 205))
    teeth = ivory * (0.45 + 0.55 * gap)[:, None]
    rows = np.arange(round(gum * SIZE) - 3, round(edge * SIZE) + 4)
    down = np.clip((rows / SIZE - gum) / (edge - gum), 0, 1)[:, None, None]
    gums = linear((196, 108, 108))
    tooth = np.clip((down - 0.28) / 0.1, 0, 1)
    patch = gums * (1 - tooth) + teeth * tooth * (1 - 0.12 * (1 - down))
    color[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = patch
    shine[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 0.9


@functools.lru_cache(maxsize=1)
def _wrinkles() -> tuple[Floats, Floats, Bytes]:
    """What an expression folds: height (centimeters), darkness and region of each place of the face."""
    blank = np.zeros((SIZE, SIZE), np.float32)
    face = SkinCanvas(np.zeros((SIZE, SIZE, 3), np.float32), blank.copy(), blank.copy())
    folds: dict[int, list[tuple[tuple[int, ...], float]]] = {
        FOREHEAD: [
            ((104, 69, 108, 151, 337, 299, 333), 0.9), ((105, 66, 9, 296, 334), 0.35),
        ],
        GLABELLA: [((55, 107), 0.8), ((285, 336), 0.8), ((193, 168, 417), 0.4)],
        NOSE: [((188, 122, 6, 351, 412), 0.5), ((174, 196, 197, 419, 399), 0.5), ((245, 114, 217), 0.45),
               ((465, 343, 437), 0.45)],
        CROW: [((33, 130, 226, 35), 0.8), ((130, 247, 113), 0.8), ((130, 25, 31, 111), 0.8),
               ((263, 359, 446, 265), 0.8), ((359, 467, 342), 0.8), ((359, 255, 261, 340), 0.8)],
        CHEEK: [((129, 203, 206, 216, 212), 1.6), ((358, 423, 426, 436, 432), 1.6)],
        CHIN: [((176, 171, 175, 396, 400), 0.6), ((194, 201, 200, 421, 418), 0.8), ((204, 194, 182), 0.4)],
        CORNER: [((57, 43, 106, 204), 0.9), ((287, 273, 335, 424), 0.9), ((186, 57, 43), 0.9),
                 ((410, 287, 273), 0.9)],
    }  # fmt: skip
    distance = np.full((SIZE, SIZE), 1e9)
    regions = np.zeros((SIZE, SIZE), np.uint8)
    depth = np.zeros((SIZE, SIZE), np.float32)
    for region, lines in folds.items():
        marks = sum(strength * face.line(vertices, 4, 6) for vertices, strength in lines)
        depth += marks
        drawn = np.zeros((SIZE, SIZE), np.uint8)
        for vertices, _ in lines:
            drawn = np.maximum(drawn, (face.line(vertices, 2, 0.8) > 0.2).astype(np.uint8))
        away = ndimage.distance_transform_edt(drawn == 0)
        closer = away < distance
        regions[closer] = region
        distance = np.minimum(distance, away)
    regions[distance > 16] = 0
    return as_float32(-0.085 * depth), as_float32(np.clip(0.16 * depth, 0, 0.25)), regions
