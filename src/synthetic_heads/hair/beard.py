"""Beards: shells over the lower face that go with its expression."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.arrays import Floats, Triangles, as_float32
from synthetic_heads.conventions import FACE
from synthetic_heads.face.canonical_face import COUNT, LIPS_LOWER, LIPS_UPPER, canonical_mesh
from synthetic_heads.face.mesh_part import Material, Part
from synthetic_heads.face.shape import relaxed_face
from synthetic_heads.face.skull import CENTER, fine_face
from synthetic_heads.face.subdivision import refine
from synthetic_heads.hair.strand_paths import smooth
from synthetic_heads.hair.strand_surfaces import TILE

if TYPE_CHECKING:
    from synthetic_heads.hair.hair import Color

LAYERS = 4
EDGE = ((0, 2.5), (1.2, 2.5), (2.0, 2.75), (2.8, 3.4), (3.7, 4.0), (5, 3.3), (6, 2.2), (7, 0.2), (7.7, -1.6))
"""Upper edge of a full beard: distance from the middle, height."""
STYLES = ("stubble", "mustache", "goatee", "short", "long")
GRAIN = 1.9
"""How much finer the strands are than on the head."""


@dataclass(frozen=True)
class Beard:
    """What a beard looks like.

    Attributes:
        style: one of :data:`STYLES`; stubble is only painted on the skin.
        length: centimeters that it stands off.
        density: 0..1.
        color: sRGB 0..255.
    """

    style: str
    length: float
    density: float
    color: Color


def sample_beard(
    random: np.random.Generator, masculine: float, age: float, hair_color: Color
) -> Beard | None:
    """Sample somebody's beard, or none.

    Args:
        random: what it is drawn from.
        masculine: 0..1; below a half nobody has one.
        age: 0 young .. 1 old.
        hair_color: sRGB 0..255; beards are a little redder and grayer.
    """
    if random.uniform() > 1.3 * (masculine - 0.45):
        return None
    style = str(random.choice(STYLES, p=(0.42, 0.1, 0.14, 0.24, 0.1)))
    length = {"stubble": (0.02, 0.1), "mustache": (0.25, 0.6), "goatee": (0.25, 0.7), "short": (0.25, 0.7),
              "long": (0.8, 1.5)}[style]  # fmt: skip
    gray = np.clip(random.normal((age - 0.4) * 1.3, 0.15), 0, 1)
    color = (1 - gray) * np.array(hair_color) * (1.08, 0.97, 0.92) + gray * np.array((190, 188, 186))
    red, green, blue = np.clip(color, 8, 240).tolist()
    return Beard(style, float(random.uniform(*length)), float(random.uniform(0.45, 1)), (red, green, blue))


@functools.lru_cache(maxsize=len(STYLES))
def beard_region(style: str) -> Floats:
    """How much of a beard of this style grows at each fine vertex, F in 0..1; ``stubble`` is a full beard."""
    face = fine_face().apply(relaxed_face())
    x, y = np.abs(face[:, 0]), face[:, 1]
    grown = smooth(y - np.interp(x, *np.transpose(EDGE)), -0.3, 0.3)
    inside = sorted({vertex for row in (*LIPS_UPPER, *LIPS_LOWER) for vertex in row})
    lips = fine_face().weights[:, inside].sum(axis=1)
    grown *= 1 - smooth(lips, 0.5, 1.0)
    if style in ("goatee", "mustache"):
        grown *= 1 - smooth(x, 2.7, 3.5)
    if style == "mustache":
        grown *= 1 - smooth(y, 4.3, 5.0)
    return as_float32(grown)


@functools.lru_cache(maxsize=1)
def _coarse() -> Triangles:
    """The face refined once; its vertices are the first of the fine face."""
    return refine(canonical_mesh().triangles, COUNT, 1).triangles


class BeardShells:
    """The surfaces of a beard that is long enough to have some.

    Args:
        beard: any but stubble.
        face: fine vertices of the neutral face, F×3.
    """

    def __init__(self, beard: Beard, face: Floats) -> None:
        triangles = _coarse()
        region = beard_region(beard.style)
        triangles = triangles[(region[triangles] > 0.04).any(axis=1)]
        self._chosen, local = np.unique(triangles, return_inverse=True)
        local = local.reshape(-1, 3)
        grown = region[self._chosen]
        at = face[self._chosen]
        layer = as_float32(np.linspace(0.15, 1, LAYERS))[:, None]
        self._lift = as_float32(0.04 + layer * beard.length * grown)[..., None]
        chin = smooth(at[:, 1], 5.6, at[:, 1].max()) * (1 - smooth(np.abs(at[:, 0]), 2.5, 6.5))
        drop = 4.5 * beard.length * chin if beard.style == "long" else 0.5 * beard.length * grown
        down = (0.35 + 0.65 * layer) * drop
        self._hang = as_float32(np.stack((0 * down, down, 0.1 * down), axis=-1))

        count = len(self._chosen)
        around = np.arctan2(at[:, 0], CENTER[2] - at[:, 2])
        u = np.broadcast_to(8 * around, (LAYERS, count)) / TILE[0] + 0.29 * np.arange(LAYERS)[:, None]
        v = (at[:, 1] - at[:, 1].min() + down) / TILE[1]
        transparency = 0.1 + 0.55 * layer + (1 - grown) + 0.4 * (1 - beard.density)
        if beard.style == "long":
            transparency = transparency - 0.3 * chin + 0.5 * chin**3
        self.part = Part(
            self._at(at, np.zeros_like(at)),
            np.concatenate([local + count * i for i in range(LAYERS)]).astype(np.int32),
            as_float32(np.stack((GRAIN * u, GRAIN**2 * np.broadcast_to(v, u.shape)), axis=-1).reshape(-1, 2)),
            Material.HAIR, FACE,
            transparency=as_float32(np.clip(transparency, 0, 1)).ravel(),
            shade=as_float32(np.broadcast_to(0.6 + 0.4 * layer, (LAYERS, count))).ravel(),
        )  # fmt: skip
        """Its vertices are those of a face without normals; :meth:`deform` gives the real ones."""

    def deform(self, face: Floats, normals: Floats) -> Floats:
        """Vertices of the part over a moved face.

        Args:
            face: fine vertices, F×3.
            normals: outward normals there, F×3.
        """
        return self._at(face[self._chosen], normals[self._chosen])

    def _at(self, points: Floats, normals: Floats) -> Floats:
        return as_float32(points + self._lift * normals + self._hang).reshape(-1, 3)
