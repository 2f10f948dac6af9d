"""Identity: everything of a person that does not move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.clothing.clothes import Clothes, sample_clothes
from synthetic_heads.clothing.glasses import Glasses, sample_glasses
from synthetic_heads.face.shape import DIRECTIONS
from synthetic_heads.face.skin import Skin
from synthetic_heads.hair.beard import Beard, sample_beard
from synthetic_heads.hair.hair import Hair, sample_hair

if TYPE_CHECKING:
    from synthetic_heads.face.skin import Color

TONES = ((240, 208, 188), (240, 200, 174), (222, 172, 138), (190, 136, 98), (138, 92, 64), (92, 60, 44))
"""Skin from light to dark, sRGB."""
IRISES = ((72, 46, 28), (96, 66, 38), (112, 100, 52), (84, 112, 72), (88, 124, 156), (126, 140, 150))
"""Irises from dark to light."""
MASCULINE = {
    "jaw width": 0.9, "jaw angle": 0.4, "chin width": 0.8, "chin projection": 0.4, "brow ridge": 0.8,
    "brow height": -0.6, "upper lip": -0.5, "lower lip": -0.4, "eye size": -0.4, "nose width": 0.6,
    "nose bridge": 0.3, "face length": 0.3, "cheek fullness": -0.2, "brow slant": -0.2,
}  # fmt: skip
"""How the shape of men differs from the mean; women differ the other way."""


@dataclass(frozen=True)
class Identity:
    """A person.

    Attributes:
        seed: what all is drawn from, the fine texture too.
        age: 0 a young adult, 1 very old.
        masculine: 0..1.
        shape: a weight for each of :data:`synthetic_heads.face.shape.DIRECTIONS`.
        skin: colors and texture.
        hair, beard, glasses, clothes: what the person has; no beard and no glasses are None.
        iris: sRGB, 0..255.
        lashes: length in centimeters against 0.32.
        ear_size, ear_angle, ear_lobe: see :func:`synthetic_heads.face.skull.ears`.
        shoulders: their width, about 1.
        neck: thickness of the neck, about 1.
    """

    seed: int
    age: float
    masculine: float
    shape: tuple[float, ...]
    skin: Skin
    hair: Hair
    beard: Beard | None
    glasses: Glasses | None
    clothes: Clothes
    iris: Color
    lashes: float
    ear_size: float
    ear_angle: float
    ear_lobe: float
    shoulders: float
    neck: float


def sample_identity(seed: int) -> Identity:
    """Sample a person. The same seed gives the same person."""
    random = np.random.default_rng(seed)

    def some(chance: float, low: float, high: float) -> float:
        return float(random.uniform(low, high)) if random.random() < chance else 0.0

    age = float(random.beta(1.2, 2.2))
    masculine = float(np.clip(random.normal(0.5 + 0.38 * random.choice((-1, 1)), 0.12), 0, 1))
    shape = np.clip(random.normal(0, 0.66, len(DIRECTIONS)), -1.6, 1.6)
    for name, weight in MASCULINE.items():
        shape[DIRECTIONS.index(name)] += 1.6 * (masculine - 0.5) * weight
    shape[DIRECTIONS.index("cheek fullness")] -= 0.6 * age

    melanin = float(random.beta(1.0, 1.25)) * (len(TONES) - 1)
    tone = _between(TONES, melanin) * random.uniform(0.94, 1.06) * (1 + random.normal(0, (0.02, 0.012, 0.03)))
    light = float(np.clip(1 - melanin / 3, 0, 1))
    iris = _between(IRISES, (len(IRISES) - 1) * light * float(random.beta(1, 1.1)))
    rosy = tone * (0.86, 0.62, 0.6) + (8, 0, 2)
    lips = rosy * random.uniform(0.85, 1.08)
    if masculine < 0.5 and random.random() < 0.4:
        lips = (
            0.35 * lips
            + 0.65
            * np.array(((176, 40, 52), (150, 52, 70), (196, 92, 92), (120, 30, 48)))[random.integers(4)]
        )
    made_up = masculine < 0.5 and random.random() < 0.6
    hair = sample_hair(random, age, masculine, melanin / (len(TONES) - 1))
    beard = sample_beard(random, masculine, age, hair.natural)
    bald = {"bald": 0.15, "horseshoe": 0.0}.get(hair.style, 1.0)
    skin = Skin(
        tone=_color(tone),
        lips=_color(lips),
        blush=float(random.uniform(0.1, 0.9)) * (0.4 + 0.6 * light),
        blotches=float(random.uniform(0.1, 0.8)),
        freckles=some(0.3, 0.2, 1) * light,
        moles=some(0.5, 0.1, 0.6),
        pores=float(random.uniform(0.1, 0.5) + 0.4 * age),
        shine=float(random.uniform(0.1, 0.8)),
        wrinkles=float(np.clip(1.15 * age - 0.2 + random.normal(0, 0.08), 0, 1)),
        circles=float(random.uniform(0, 0.6)),
        shadow=float(random.uniform(0.2, 0.8)) if made_up else 0.0,
        shadow_color=_color(
            np.array(((70, 50, 48), (96, 60, 60), (60, 62, 84), (110, 80, 56)))[random.integers(4)]
        ),
        liner=float(random.uniform(0.4, 1)) if made_up else float(random.uniform(0, 0.3)),
        brow=_color(np.array(hair.natural) * 0.7),
        brow_width=float(np.clip(0.45 + 0.5 * masculine + random.normal(0, 0.15), 0.25, 1.3)),
        brow_density=float(random.uniform(0.25, 1)),
        brow_arch=float(np.clip(0.6 - 0.5 * masculine + random.normal(0, 0.2), 0, 1)),
        stubble=0.0 if beard is None else beard.density if beard.style == "stubble" else 0.5,
        scalp=bald,
        hairline=hair.height,
        roots=_color(np.array(hair.root) * 0.8),
    )
    return Identity(
        seed=seed,
        age=age,
        masculine=masculine,
        shape=tuple(shape.tolist()),
        skin=skin,
        hair=hair,
        beard=beard,
        glasses=sample_glasses(random),
        clothes=sample_clothes(random, masculine),
        iris=_color(iris * random.uniform(0.85, 1.15)),
        lashes=float(random.uniform(0.5, 0.9) + (0.6 if made_up else 0.0)),
        ear_size=float(random.uniform(0.85, 1.12) + 0.08 * age),
        ear_angle=float(random.uniform(0.15, 0.6)),
        ear_lobe=float(random.uniform(0, 1)),
        shoulders=float(random.uniform(0.86, 0.96) + 0.12 * masculine),
        neck=float(random.uniform(0.86, 0.94) + 0.16 * masculine),
    )


def _between(palette: tuple[Color, ...], place: float) -> np.ndarray:
    steps = np.arange(len(palette))
    return np.array([np.interp(place, steps, channel) for channel in zip(*palette, strict=True)])


def _color(value: np.ndarray) -> Color:
    red, green, blue = np.clip(np.rint(value), 2, 252).astype(int).tolist()
    return red, green, blue
