"""A person as meshes: built once, then deformed from frame to frame."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.clothing.clothing_surfaces import clothes_parts
from synthetic_heads.clothing.glasses import glasses_parts
from synthetic_heads.conventions import ACTION_UNITS, FACE, MOTION_NAMES
from synthetic_heads.face import skin
from synthetic_heads.face.canonical_face import canonical_mesh
from synthetic_heads.face.expression import Rig
from synthetic_heads.face.eyes import Eyes
from synthetic_heads.face.mesh_part import Material, Part
from synthetic_heads.face.mouth import Mouth
from synthetic_heads.face.shape import neutral_face
from synthetic_heads.face.skull import Skull, ears, fine_face, neck, skull_part
from synthetic_heads.hair.beard import BeardShells
from synthetic_heads.hair.hair_surfaces import hair_parts
from synthetic_heads.hair.strand_surfaces import strand_texture
from synthetic_heads.rendering.rasterizer import vertex_normals
from synthetic_heads.rendering.shading import Appearance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_heads.hair.hair import Color
    from synthetic_heads.identity import Identity

COVERING = ("bob", "straight", "wavy")
"""Styles of hair that lie over the ears."""
ATLAS_PIXELS = 256
"""Images of about this side show two texels of the atlas in a pixel."""
_UNIT = {name: i for i, name in enumerate(MOTION_NAMES)}


class DeformedHead(NamedTuple):
    """A person's meshes with an expression, in the head's axes."""

    vertices: Floats
    uv: Floats
    shade: Floats
    points: Floats
    """478×3: MediaPipe's points."""


class HeadModel:
    """Meshes and colors of an identity."""

    def __init__(self, identity: Identity) -> None:
        random = np.random.default_rng([identity.seed, 4])
        fine = fine_face()
        self._rig = Rig.fit(neutral_face(identity.shape))
        face = fine.apply(self._rig.neutral)
        self._skull = Skull(face)
        self._eyes = Eyes(self._rig, identity.lashes)
        self._mouth = Mouth(self._rig)
        uv = fine.apply(canonical_mesh().uv)
        front = Part(face, fine.triangles, uv, Material.SKIN, FACE)
        behind = skull_part(self._skull, len(face))
        at = face[454] + as_float32([-0.25, -0.6, 0.9])
        # Long hair presses the ears to the head.
        angle = min(identity.ear_angle, 0.12) if identity.hair.style in COVERING else identity.ear_angle
        static = [
            ears(identity.ear_size, angle, identity.ear_lobe, at),
            neck(identity.shoulders, identity.neck, identity.masculine),
        ]
        styled = hair_parts(identity.hair, self._skull, face, random)
        if identity.glasses:
            static += glasses_parts(identity.glasses, face)
        garments = clothes_parts(identity.clothes, identity.shoulders, identity.neck)
        static += [replace(garment.part, variant=number) for number, garment in enumerate(garments)]
        static += styled
        moving = [*self._eyes.parts(), *self._mouth.parts()]
        self._beard = None
        if identity.beard and identity.beard.style != "stubble":
            self._beard = BeardShells(identity.beard, face)
            moving.append(replace(self._beard.part, variant=1))
        self._static = np.concatenate([part.vertices for part in static])
        self._ball = len(moving[0].vertices)

        parts = [front, behind, *moving, *static]
        starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
        self._eyes_at = int(starts[2])
        # The skull's triangles already count from the face's first vertex.
        offsets = [0, 0, *starts[2:-1]]
        self.triangles: NDArray[np.int32] = np.concatenate(
            [part.triangles + offset for part, offset in zip(parts, offsets, strict=True)]
        ).astype(np.int32)
        sizes = [len(part.triangles) for part in parts]
        self.materials = np.repeat([part.material for part in parts], sizes).astype(np.uint8)
        self.labels = np.repeat([part.label for part in parts], sizes).astype(np.uint8)
        self.variants = np.repeat([part.variant for part in parts], sizes).astype(np.uint8)
        self.closed = np.isin(self.materials, (Material.SKIN, Material.EYE)).astype(np.uint8)
        self._uv, self.transparency, self._shade, self.head_weight = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("uv", "transparency", "shade", "head_weight")
        )
        atlas = skin.paint_skin(identity.skin, random)
        beard = identity.beard.color if identity.beard else identity.hair.natural
        self._appearance = Appearance(
            atlas=atlas.atlas,
            regions=atlas.regions,
            parts=atlas.parts,
            strands=strand_texture(random, identity.hair.curl),
            cloth=np.stack([garment.tile for garment in garments]),
            hair=as_float32(
                [_hair_colors(identity.hair.root, identity.hair.tip), _hair_colors(beard, beard)]
            ),
            iris=skin.linear(identity.iris),
            hard=skin.linear(identity.glasses.color if identity.glasses else (0, 0, 0)),
            lash=as_float32([0.008, 0.006, 0.006]),
        )
        halved = skin.downsample_atlas(atlas)
        self._small = self._appearance._replace(
            atlas=halved.atlas, regions=halved.regions, parts=halved.parts
        )
        self._age = identity.age

    def deform(self, vector: Floats, gaze: Floats) -> DeformedHead:
        """The person with an expression and a gaze; the pose is left to the caller."""
        control = self._rig.deform(vector)
        face = fine_face().apply(control)
        self._eyes.cover(face, float(np.clip(vector[_UNIT["AU45"]], 0, 1)))
        eyes, ball_uv, ball_shade = self._eyes.deform(face, gaze)
        mouth = self._mouth.deform(face, float(np.clip(vector[_UNIT["AU26"]], 0, 1)))
        deformed = [face, self._skull.deform(face), eyes, mouth]
        if self._beard:
            normals = np.empty_like(face)
            vertex_normals(face, fine_face().triangles, normals)
            deformed.append(self._beard.deform(face, normals))
        vertices = np.concatenate((*deformed, self._static))
        uv, shade = self._uv.copy(), self._shade.copy()
        uv[self._eyes_at : self._eyes_at + self._ball] = ball_uv
        shade[self._eyes_at : self._eyes_at + self._ball] = ball_shade
        return DeformedHead(vertices, uv, shade, np.concatenate((control, self._eyes.iris(gaze))))

    def appearance(self, size: int) -> Appearance:
        """The colors for a image of this side; a small one takes a smaller atlas, as fine as it is."""
        return self._appearance if size > 1.5 * ATLAS_PIXELS else self._small

    def wrinkles(self, vector: Floats) -> Floats:
        """Strength of each region's wrinkles; the old fold more."""
        unit = dict(zip(ACTION_UNITS, np.clip(vector[:17], 0, 1).tolist(), strict=True))
        depth = np.zeros(8, np.float32)
        depth[skin.FOREHEAD] = max(unit["AU01"], unit["AU02"])
        depth[skin.GLABELLA] = max(unit["AU04"], 0.5 * unit["AU09"])
        depth[skin.NOSE] = unit["AU09"]
        depth[skin.CROW] = max(unit["AU06"], 0.5 * unit["AU07"])
        depth[skin.CHEEK] = max(unit["AU12"], 0.9 * unit["AU10"], 0.8 * unit["AU09"])
        depth[skin.CHIN] = unit["AU17"]
        depth[skin.CORNER] = max(0.6 * unit["AU14"], 0.35 * unit["AU15"], 0.4 * unit["AU20"])
        return as_float32(depth * (0.5 + 0.7 * self._age))


def _hair_colors(root: Color, tip: Color) -> Floats:
    """Root, tip, and the highlight between the hair's color and white."""
    colors = skin.linear(root), skin.linear(tip)
    return as_float32([*colors, 0.1 + 0.6 * colors[1]])


@functools.lru_cache(maxsize=8)
def head_model(identity: Identity) -> HeadModel:
    """The meshes of an identity; a few are kept, as building one takes a second."""
    return HeadModel(identity)
