"""What a person wears: style, fabrics and cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from synthetic_heads.clothing.fabrics import DARK, LIGHT, LIVELY, SOBER, Color, Fabric, sample_fabric


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
    """Sample clothes.

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


class ClothingStyle(NamedTuple):
    """A kind of clothing: how common it is, what it is made of."""

    weight: float
    patterns: tuple[str, ...]
    palette: tuple[Color, ...] = ()


KNITS = ("plain", "plain", "plain", "melange", "stripes")
STYLES = {
    "t-shirt": ClothingStyle(0.24, KNITS),
    "v-neck": ClothingStyle(0.1, ("plain", "plain", "melange", "rib")),
    "shirt": ClothingStyle(
        0.2, ("plain", "plain", "checks", "pinstripes", "denim", "dots"), (*LIGHT, *SOBER)
    ),
    "turtleneck": ClothingStyle(0.1, ("rib", "plain", "melange"), (*SOBER, *LIVELY)),
    "hoodie": ClothingStyle(0.12, ("plain", "melange"), (*SOBER, *LIVELY)),
    "jacket": ClothingStyle(0.16, ("plain", "plain", "pinstripes", "melange"), DARK),
    "wide neckline": ClothingStyle(0.14, ("plain", "print", "dots")),
}
