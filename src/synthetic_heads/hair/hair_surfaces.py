"""The surfaces that a person's hair is rendered with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthetic_heads.hair import long_styles, short_styles
from synthetic_heads.hair.scalp import Scalp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from synthetic_heads.arrays import Floats
    from synthetic_heads.face.mesh_part import Part
    from synthetic_heads.face.skull import Skull
    from synthetic_heads.hair.hair import Hair

BUILDERS: Mapping[str, Callable[[Hair, Scalp, np.random.Generator], list[Part]]] = {
    "bald": lambda hair, scalp, random: [],
    "horseshoe": short_styles.horseshoe,
    "buzz": short_styles.buzz,
    "crop": short_styles.crop,
    "parted": short_styles.parted,
    "quiff": short_styles.quiff,
    "curly": short_styles.curly,
    "bob": long_styles.bob,
    "straight": long_styles.straight,
    "wavy": long_styles.wavy,
    "bun": long_styles.bun,
    "ponytail": long_styles.ponytail,
}
"""How each of :data:`synthetic_heads.hair.hair.STYLES` is built."""


def hair_parts(hair: Hair, skull: Skull, face: Floats, random: np.random.Generator) -> list[Part]:
    """The surfaces of somebody's hair.

    Args:
        hair: style and measures.
        skull: of the person.
        face: fine vertices of the neutral face.
        random: draws the locks.
    """
    scalp = Scalp(skull, face, hair.height, hair.recession)
    return BUILDERS[hair.style](hair, scalp, random)
