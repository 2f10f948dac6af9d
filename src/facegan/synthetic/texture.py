"""Painting a person's texture: the face in MediaPipe's UV layout, beside it skull and hair."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import cv2
import numpy as np

from facegan.perception.parsing import FACE, HAIR
from facegan.synthetic.head import LIDS, LIPS_LOWER, LIPS_UPPER, OVAL, canonical_mesh, floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facegan.synthetic.head import Floats, Identity

SIZE = 512
SCALP = tuple(i for i, vertex in enumerate(OVAL) if i <= 7 or i >= 29)
"""Positions in ``OVAL`` from which hair grows: from ear to ear over the forehead."""
_BROWS = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
_NOSTRILS = (20, 60, 79, 166), (250, 290, 309, 392)
_CHEEKS = (50,), (280,)


@functools.lru_cache(maxsize=16)
def paint(identity: Identity) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Paints a person's skin and hair.

    Returns:
        Colours SIZE×2·SIZE×3 and labels SIZE×2·SIZE (``FACE`` or ``HAIR``). The left half is the face; in
        the right half a row is a line over the skull, from the point of ``OVAL`` it starts at (v) to
        the back of the head (u).
    """
    random = np.random.default_rng(identity.seed)
    strands = _strands(identity, random)
    labels = np.full((SIZE, 2 * SIZE), FACE, np.uint8)
    colours = np.empty((SIZE, 2 * SIZE, 3), np.float32)
    colours[:] = floats(identity.skin) * (1 + 0.05 * _noise(random, 2 * SIZE, 24))[:SIZE, :, None]
    _paint_features(colours[:, :SIZE], identity)
    colours *= 1 + 0.025 * random.standard_normal((SIZE, 2 * SIZE, 1), np.float32)

    labels[_scalp_rows(), SIZE:] = HAIR
    # A ragged hairline: the fringe reaches lower at some strands than at others.
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE
    ragged = 0.02 * cv2.GaussianBlur(random.standard_normal((1, SIZE)).astype(np.float32), (0, 0), 3)
    line = 0.1 + 0.13 * identity.fringe + 1.2 * (columns - 0.5) ** 2 * (1 - 0.3 * identity.fringe)
    labels[:, :SIZE][rows < line + ragged] = HAIR
    mask = cv2.GaussianBlur((labels == HAIR).astype(np.float32), (0, 0), 2)[..., None]
    # Strands run down the face (columns) and back over the skull (rows).
    hair = np.concatenate((strands.transpose(1, 0, 2), strands), axis=1)
    colours = colours * (1 - mask) + hair * mask
    return np.clip(colours, 0, 255).astype(np.uint8), labels


def _scalp_rows() -> NDArray[np.intp]:
    """Rows of the right half where hair grows."""
    nearest = np.rint(np.arange(SIZE) / SIZE * len(OVAL)).astype(int) % len(OVAL)
    return np.flatnonzero(np.isin(nearest, SCALP))


def _paint_features(face: Floats, identity: Identity) -> None:
    skin, hair = floats(identity.skin), floats(identity.hair)
    for cheek in _CHEEKS:
        _blend(face, _spot(cheek, 45, 35), 25, skin * floats([1.0, 0.78, 0.76]), 0.45)
    beard = cv2.fillPoly(_blank(), [_points((*LIPS_LOWER[0], 434, 364, 152, 135, 214))], 1.0)
    beard = np.maximum(beard, cv2.fillPoly(_blank(), [_points((129, 358, 287, 57))], 1.0))
    _blend(face, floats(beard), 14, hair * 0.6 + skin * 0.1, identity.stubble)
    for fold in ((129, 203, 206, 216, 212), (358, 423, 426, 436, 432)):
        _blend(face, _line(fold, 4), 4, skin * 0.72, 0.45)
    _blend(face, _line((83, 18, 313), 6), 5, skin * 0.75, 0.5)
    for nostril in _NOSTRILS:
        _blend(face, _spot(nostril, 9, 6), 2, skin * 0.3, 0.9)
    for wing in ((64, 102, 49, 131), (294, 331, 279, 360)):
        _blend(face, _line(wing, 4), 4, skin * 0.65, 0.5)
    for brow in _BROWS:
        shape = cv2.fillPoly(_blank(), [_points(brow)], 1.0)
        _blend(face, floats(cv2.erode(shape, np.ones((5, 3)))), 2, hair * 0.6, 0.9)
    for upper, lower in LIDS:
        _blend(face, _line(upper, 16), 7, skin * 0.62, 0.5)
        _blend(face, _line(lower, 8), 4, skin * floats([0.8, 0.68, 0.66]), 0.4)
        _blend(face, _line(upper, 4), 1, floats([30, 20, 18]), 0.95)
        _blend(face, _line(lower, 2), 1, floats([70, 45, 40]), 0.6)
    for rows, tone in ((LIPS_UPPER, 0.88), (LIPS_LOWER, 1.0)):
        lip = cv2.fillPoly(_blank(), [_points(rows[0] + rows[3][::-1])], 1.0)
        _blend(face, floats(lip), 1.5, floats(identity.lips) * tone, 0.9)
        _blend(face, _line(rows[3], 3), 1.5, floats(identity.lips) * 0.45, 0.8)
    _blend(face, _spot((85, 315), 14, 4), 4, floats(identity.lips) * 0.5 + 120, 0.35)


def _strands(identity: Identity, random: np.random.Generator) -> Floats:
    """Hair that runs along the rows, SIZE×SIZE×3."""
    noise = random.standard_normal((SIZE, SIZE)).astype(np.float32)
    fine = floats(cv2.GaussianBlur(noise, (0, 0), sigmaX=60, sigmaY=1.5))
    coarse = floats(cv2.GaussianBlur(noise.T.copy(), (0, 0), sigmaX=90, sigmaY=6))
    streaks = fine + 2 * coarse
    return floats(floats(identity.hair) * (1 + 0.17 * streaks / streaks.std())[..., None] + 4)


def _noise(random: np.random.Generator, size: int, scale: float) -> Floats:
    """Smooth noise, size×size, of unit variance and blobs of this many pixels."""
    noise = cv2.GaussianBlur(random.standard_normal((size, size)).astype(np.float32), (0, 0), scale)
    smooth: Floats = noise / noise.std()
    return smooth


def _blend(
    face: Floats,
    mask: Floats,
    blur: float,
    colour: Floats,
    opacity: float,
) -> None:
    soft = floats(opacity * cv2.GaussianBlur(mask, (0, 0), blur))[..., None]
    face += soft * (colour - face)


def _blank() -> Floats:
    return np.zeros((SIZE, SIZE), np.float32)


def _points(vertices: Sequence[int]) -> NDArray[np.int32]:
    return np.rint(canonical_mesh().uv[list(vertices)] * SIZE).astype(np.int32)


def _line(vertices: Sequence[int], width: int) -> Floats:
    return floats(cv2.polylines(_blank(), [_points(vertices)], False, 1.0, width))


def _spot(vertices: Sequence[int], width: int, height: int) -> Floats:
    x, y = _points(vertices).mean(axis=0)
    return floats(cv2.ellipse(_blank(), (int(x), int(y)), (width, height), 0, 0, 360, 1.0, -1))
