"""What a person wears: garments around neck and shoulders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synthetic_heads.clothing import garments
from synthetic_heads.clothing.cloth import DARK, LIGHT, LIVELY, SOBER, Fabric, cloth_texture, sample_fabric
from synthetic_heads.clothing.tailoring import Tailor

if TYPE_CHECKING:
    from collections.abc import Callable

    from synthetic_heads.clothing.cloth import Color
    from synthetic_heads.clothing.garments import Pieces
    from synthetic_heads.face.surface import Part
    from synthetic_heads.face.topology import Floats


class Garment(NamedTuple):
    """A piece of clothing.

    Attributes:
        part: its surface; ``uv`` counts tiles.
        tile: 128×128×3, its cloth in linear RGB, which repeats.
    """

    part: Part
    tile: Floats


@dataclass(frozen=True)
class Clothes:
    """What a person wears.

    Attributes:
        style: a key of :data:`STYLES`.
        main: fabric of the outermost garment.
        inner: fabric of the shirt under a jacket.
        trim: fabric of buttons, cords and tie.
        opening: 0..1, how deep the neckline is or how far the collar stands open.
        seed: of folds and yarns.
    """

    style: str
    main: Fabric
    inner: Fabric
    trim: Fabric
    opening: float
    seed: int


def sample_clothes(random: np.random.Generator, masculine: float = 0.5) -> Clothes:
    """Draws clothes.

    Args:
        random: where the choice comes from.
        masculine: 0..1; dresses are for the lower half, ties for the upper one.
    """
    weights = np.array([style.weight for style in STYLES.values()])
    weights *= [not (name == "wide neckline" and masculine > 0.5) for name in STYLES]
    name = str(random.choice(list(STYLES), p=weights / weights.sum()))
    style = STYLES[name]
    palette = style.palette or (SOBER if random.random() < 0.6 else LIVELY)
    main = sample_fabric(random, palette, style.patterns)
    inner = sample_fabric(
        random, LIGHT if random.random() < 0.8 else DARK, ("plain", "plain", "plain", "pinstripes")
    )
    trim = sample_fabric(random, (*LIVELY, *DARK[1:]), ("plain", "diagonal", "dots"))
    opening = float(random.random())
    if name == "jacket" and masculine < 0.4:
        opening = max(opening, 0.5)
    return Clothes(name, main, inner, trim, opening, int(random.integers(2**31)))


def clothes_parts(clothes: Clothes, width: float, neck: float) -> list[Garment]:
    """Builds the garments, about 4000 triangles.

    Args:
        clothes: what to wear.
        width: of the shoulders, about 1.
        neck: thickness of the neck, about 1.
    """
    random = np.random.default_rng(clothes.seed)
    tiles = {fabric: cloth_texture(fabric, random) for fabric in (clothes.main, clothes.inner, clothes.trim)}
    pieces = STYLES[clothes.style].build(clothes, Tailor(width, neck), random)
    return [Garment(part, tiles[fabric]) for part, fabric in pieces]


class Style(NamedTuple):
    """A kind of clothing: how it is built, how common it is, what it is made of."""

    build: Callable[[Clothes, Tailor, np.random.Generator], Pieces]
    weight: float
    patterns: tuple[str, ...]
    palette: tuple[Color, ...] = ()


KNITS = ("plain", "plain", "plain", "melange", "stripes")
STYLES = {
    "t-shirt": Style(garments.t_shirt, 0.24, KNITS),
    "v-neck": Style(garments.v_neck, 0.1, ("plain", "plain", "melange", "rib")),
    "shirt": Style(
        garments.shirt, 0.2, ("plain", "plain", "checks", "pinstripes", "denim", "dots"), (*LIGHT, *SOBER)
    ),
    "turtleneck": Style(garments.turtleneck, 0.1, ("rib", "plain", "melange"), (*SOBER, *LIVELY)),
    "hoodie": Style(garments.hoodie, 0.12, ("plain", "melange"), (*SOBER, *LIVELY)),
    "jacket": Style(garments.jacket, 0.16, ("plain", "plain", "pinstripes", "melange"), DARK),
    "wide neckline": Style(garments.wide_neckline, 0.14, ("plain", "print", "dots")),
}
