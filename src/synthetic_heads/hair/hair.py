"""A person's hair: style, color and proportions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Hair:
    """What hair looks like.

    Attributes:
        style: one of :data:`STYLES`.
        root: color at the roots, sRGB 0..255; gray strands are already mixed in.
        tip: color at the tips.
        natural: color of brows and beard, which nobody dyes.
        gray: share of gray strands, 0..1.
        volume: 0 flat .. 1 stands off far.
        length: 0..1 within the style.
        parting: from the person's right, -1, to the left, 1.
        height: degrees that the hairline lies above the outline of the face.
        recession: of the hairline at the temples, 0..1.
        curl: 0 straight .. 1 frizzy.
    """

    style: str
    root: Color
    tip: Color
    natural: Color
    gray: float
    volume: float
    length: float
    parting: float
    height: float
    recession: float
    curl: float


STYLES = (
    *("bald", "horseshoe", "buzz", "crop", "parted", "quiff", "curly"),
    *("bob", "straight", "wavy", "bun", "ponytail"),
)
"""Names of the hairstyles."""
NATURAL: tuple[tuple[float, Color], ...] = (
    (0.24, (26, 21, 19)),
    (0.22, (48, 34, 26)),
    (0.20, (78, 54, 38)),
    (0.12, (112, 82, 56)),
    (0.09, (146, 113, 76)),
    (0.06, (190, 156, 108)),
    (0.04, (120, 62, 34)),
    (0.03, (92, 44, 28)),
)
"""How frequent, and which color: black, browns, blonds, red, auburn."""
DYED: tuple[Color, ...] = ((150, 40, 50), (60, 70, 130), (170, 90, 130), (70, 110, 100), (205, 180, 140))
GRAY: Color = (205, 203, 200)


def sample_hair(random: np.random.Generator, age: float, masculine: float, darkness: float = 0.0) -> Hair:
    """Sample somebody's hair.

    Args:
        random: what it is drawn from.
        age: 0 young .. 1 old.
        masculine: 0..1, how much shorter styles prevail.
        darkness: of the skin, 0..1; fair hair goes with fair skin.
    """
    short = {"bald": 0.4 + age, "horseshoe": 2.5 * max(age - 0.45, 0), "buzz": 1.2, "crop": 2.6,
             "parted": 2.2, "quiff": 1.8 * (1.2 - age), "curly": 1.3, "straight": 0.15, "wavy": 0.3,
             "bun": 0.25}  # fmt: skip
    long = {"crop": 0.4 + age, "parted": 0.5, "curly": 1.2, "bob": 1.8, "straight": 2.2, "wavy": 2.4,
            "bun": 1.2, "ponytail": 1.4}  # fmt: skip
    chance = np.array(
        [masculine * short.get(style, 0) + (1 - masculine) * long.get(style, 0) for style in STYLES]
    )
    style = str(random.choice(STYLES, p=chance / chance.sum()))
    colors = np.array([color for _, color in NATURAL])
    shares = np.array([share for share, _ in NATURAL]) * np.exp(-0.05 * darkness * colors.mean(axis=1))
    base = colors[random.choice(len(NATURAL), p=shares / shares.sum())]
    base = base * random.uniform(0.85, 1.15) + random.normal(size=3) * 2
    gray = float(np.clip((age - 0.45) * 1.8 + random.normal() * 0.25, 0, 1)) if age > 0.3 else 0.0
    root = (1 - gray) * base + gray * np.array(GRAY)
    natural, tip = root, root * random.uniform(1.0, 1.25)
    if random.uniform() < 0.03:
        tip = np.array(DYED[random.integers(len(DYED))]) * random.uniform(0.85, 1.1)
        root = tip if random.uniform() < 0.5 else root
    curl = {"curly": random.uniform(0.6, 1), "wavy": random.uniform(0.3, 0.9)}.get(style, random.beta(1, 4))
    recession = random.beta(1.2, 3) * masculine * (0.3 + age)
    return Hair(
        style=style,
        root=_color(root),
        tip=_color(tip),
        natural=_color(natural),
        gray=gray,
        volume=float(random.beta(2, 2)),
        length=float(random.uniform()),
        parting=float(random.choice([-1, 1]) * random.uniform(0.15, 0.9)),
        height=float(random.uniform(3, 12)),
        recession=float(min(recession, 1)),
        curl=float(curl),
    )


def _color(values: np.ndarray) -> Color:
    red, green, blue = np.clip(values, 8, 245).tolist()
    return red, green, blue
