"""The surfaces that a person's clothes are rendered with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synthetic_heads.clothing import garments
from synthetic_heads.clothing.draping import ClothDraper
from synthetic_heads.clothing.fabrics import cloth_texture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from synthetic_heads.arrays import Floats
    from synthetic_heads.clothing.clothes import Clothes
    from synthetic_heads.clothing.garments import Pieces
    from synthetic_heads.face.mesh_part import Part

BUILDERS: Mapping[str, Callable[[Clothes, ClothDraper, np.random.Generator], Pieces]] = {
    "t-shirt": garments.t_shirt,
    "v-neck": garments.v_neck,
    "shirt": garments.shirt,
    "turtleneck": garments.turtleneck,
    "hoodie": garments.hoodie,
    "jacket": garments.jacket,
    "wide neckline": garments.wide_neckline,
}
"""How each of :data:`synthetic_heads.clothing.clothes.STYLES` is built."""


class Garment(NamedTuple):
    """A piece of clothing.

    Attributes:
        part: its surface; ``uv`` counts tiles.
        tile: 128×128×3, its cloth in linear RGB, which repeats.
    """

    part: Part
    tile: Floats


def clothes_parts(clothes: Clothes, width: float, neck: float) -> list[Garment]:
    """Build the garments, about 4000 triangles.

    Args:
        clothes: what to wear.
        width: of the shoulders, about 1.
        neck: thickness of the neck, about 1.
    """
    random = np.random.default_rng(clothes.seed)
    tiles = {fabric: cloth_texture(fabric, random) for fabric in (clothes.main, clothes.inner, clothes.trim)}
    pieces = BUILDERS[clothes.style](clothes, ClothDraper(width, neck), random)
    return [Garment(part, tiles[fabric]) for part, fabric in pieces]
