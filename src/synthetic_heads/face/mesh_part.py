"""Meshes of the head's parts and how they are put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from synthetic_heads.arrays import Floats, Triangles, as_float32


class Material(IntEnum):
    """How a surface answers light."""

    SKIN = 0
    HAIR = 1
    EYE = 2
    WET = 3
    CLOTH = 4
    HARD = 5
    LASH = 6


@dataclass
class Part:
    """A piece of the head: what does not change from frame to frame.

    Attributes:
        vertices: V×3 at rest, in the head's centimeters.
        triangles: T×3.
        uv: V×2, texture coordinates: 0..1 is the face, 1..2 the rest of the atlas.
        material: of the surface.
        label: of the segmentation.
        transparency: V, how much of the surface is missing (strands only), 0..1.
        shade: V, share of the light that gets here, 0..1.
        head_weight: V, how much a vertex goes with the head when it turns, 0..1; the body's stay.
        variant: which of the person's fabrics (cloth) or colors (hair) it has.
    """

    vertices: Floats
    triangles: Triangles
    uv: Floats
    material: Material
    label: int
    transparency: Floats = field(default_factory=lambda: as_float32(0))
    shade: Floats = field(default_factory=lambda: as_float32(1))
    head_weight: Floats = field(default_factory=lambda: as_float32(1))
    variant: int = 0

    def __post_init__(self) -> None:
        count = len(self.vertices)
        for name in ("transparency", "shade", "head_weight"):
            setattr(self, name, as_float32(np.broadcast_to(getattr(self, name), (count,))))


def grid(rows: int, columns: int, *, closed: bool = False) -> Triangles:
    """Triangles of a sheet of rows×columns vertices; ``closed`` joins the last column to the first."""
    across = columns if closed else columns - 1
    row, column = (index.ravel() for index in np.mgrid[: rows - 1, :across])
    after = (column + 1) % columns
    a, b = row * columns + column, row * columns + after
    c, d = a + columns, b + columns
    return np.concatenate((np.stack((a, b, c), axis=1), np.stack((b, d, c), axis=1))).astype(np.int32)
