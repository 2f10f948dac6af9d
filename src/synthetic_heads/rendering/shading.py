"""What color is each pixel: light on skin, hair, eyes and cloth, compiled for the CPU.

All light is linear. Skin is lit around the terminator, red the furthest, as light that has been under it
comes out again; hair reflects as thin cylinders do (Kajiya and Kay, Rendering Fur with Three Dimensional
Textures, 1989); eyes are wet balls with an iris.

All that computes a color is one file, as Numba's cache of a function does not notice changes in other files.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synthetic_heads.rendering.compilation import njit
from synthetic_heads.rendering.fragments import collect_fragments, gather_fragments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_heads.arrays import Bytes, Floats


SKIN, HAIR, EYE, WET, CLOTH, HARD, LASH = range(7)  # as Material; compiled code takes plain numbers
IRIS = 0.47
"""Radius of the iris as a fraction of the eyeball's."""
TAPS = 10
"""Looks at the shadow map, to make its edges soft."""
CHANNELS = 9
"""Of a skin atlas: red, green, blue, shine; slope in u and v; and slopes and darkness of wrinkles."""


class Surface(NamedTuple):
    """Everything that is drawn in one frame, in the camera's axes.

    Attributes:
        positions: V×3.
        normals: V×3.
        uv: V×2.
        shade: V, share of the light that gets here.
        triangles: T×3.
        materials: T.
        tangents: T×6, unit vectors along u and along v.
        labels: T, of the segmentation.
        variants: T, which fabric or hair.
    """

    positions: Floats
    normals: Floats
    uv: Floats
    shade: Floats
    triangles: NDArray[np.int32]
    materials: Bytes
    tangents: Floats
    labels: Bytes
    variants: Bytes


class Appearance(NamedTuple):
    """What the surfaces of a person appearance like; all colors linear.

    Attributes:
        atlas: H×2H×9, see :data:`CHANNELS`.
        regions: H×2H, which wrinkle a place belongs to.
        parts: H×2H, label of a place of the skin; where it is 0, the triangle's.
        strands: h×w, strength of the hair's strands, 0..255.
        cloth: n×h×w×3, a tile of each fabric.
        hair: 2×3×3, of hair and beard: color at the root, at the tip, of the highlight.
        iris: 3.
        hard: 3, color of glasses.
        lash: 3.
    """

    atlas: Floats
    regions: Bytes
    parts: Bytes
    strands: Bytes
    cloth: Floats
    hair: Floats
    iris: Floats
    hard: Floats
    lash: Floats


class Lighting(NamedTuple):
    """Light.

    Attributes:
        rays: 5×3: direction from the head to the lamp; its color; color of what comes from everywhere,
            from above and from below; corner of the shadow map.
        axes: 3×3, the shadow map's axes as rows: column, row, distance.
        cell: centimeters of a cell of the map.
        depth: the map.
        taps: 4×TAPS×2, rows and columns of the map around a place to appearance at.
    """

    rays: Floats
    axes: Floats
    cell: float
    depth: Floats
    taps: Floats


class ShadedImage(NamedTuple):
    """What :func:`shade` draws.

    Attributes:
        color: size×size×3, linear light of what was triangle_ids, times ``cover``.
        cover: size×size, share of a pixel that saw something.
        segmentation: size×size, the label that most of a pixel has.
    """

    color: Floats
    cover: Floats
    segmentation: Bytes


def shade(
    triangle_ids: NDArray[np.int32],
    weights: Floats,
    surface: Surface,
    appearance: Appearance,
    wrinkles: Floats,
    lighting: Lighting,
    size: int,
) -> ShadedImage:
    """Light what the samples see and gathers them into pixels.

    Samples of a pixel that lie together on one surface are lit once: a fragment.

    Args:
        triangle_ids: n·size × n·size, triangle of each sample or -1; n is 1, 2 or 3.
        weights: shares of its corners, as from :func:`synthetic_heads.rendering.rasterizer.rasterize`.
        surface: what is drawn; the camera is far along -z.
        appearance: its colors.
        wrinkles: strength of each region's wrinkles.
        lighting: the light.
        size: pixels of a side.
    """
    fragments, fragment_ids = (
        np.empty((triangle_ids.size, 4), np.float32),
        np.empty((triangle_ids.size, 3), np.int32),
    )
    count = gather_fragments(
        triangle_ids, weights, surface.uv, surface.triangles, surface.materials, size, fragments, fragment_ids
    )
    fragments, fragment_ids = fragments[:count], fragment_ids[:count]
    colors, labels = np.empty((count, 3), np.float32), np.empty(count, np.uint8)
    _light(fragments, fragment_ids, size, surface, appearance, wrinkles, lighting, colors, labels)
    image = ShadedImage(
        np.zeros((size, size, 3), np.float32),
        np.zeros((size, size), np.float32),
        np.empty((size, size), np.uint8),
    )
    collect_fragments(fragment_ids, colors, labels, (len(triangle_ids) // size) ** 2, *image)
    return image


@njit(cache=True, inline="always")
def _mix(
    values: Floats, triangles: NDArray[np.int32], triangle: int, channel: int, b: float, c: float
) -> float:
    """A value between the corners of a triangle, by the shares of its second and third one."""
    first = values[triangles[triangle, 0], channel]
    return (
        first
        + b * (values[triangles[triangle, 1], channel] - first)
        + c * (values[triangles[triangle, 2], channel] - first)
    )


@njit(cache=True, error_model="numpy")
def _light(
    fragments: Floats,
    fragment_ids: NDArray[np.int32],
    size: int,
    surface: Surface,
    appearance: Appearance,
    wrinkles: Floats,
    lighting: Lighting,
    colors: Floats,
    found: Bytes,
) -> None:
    """Light every fragment; fill ``colors`` and ``found`` (labels)."""
    # Taken apart once: in the loop, references to the fields would be counted at every fragment.
    positions, normals, _, shades, corners, materials, tangents, labels, variants = surface
    atlas, regions, parts, strands, cloth, hair, iris, hard, lash = appearance
    rays, axes, cell, depth, taps = lighting
    texel = np.empty(CHANNELS, np.float32)
    for fragment in range(len(fragments)):
        triangle = fragment_ids[fragment, 1]
        pattern = (fragment_ids[fragment, 0] & 1) + 2 * (fragment_ids[fragment, 0] // size & 1)
        b, c, u, v = (
            fragments[fragment, 0],
            fragments[fragment, 1],
            fragments[fragment, 2],
            fragments[fragment, 3],
        )
        x = _mix(positions, corners, triangle, 0, b, c)
        y = _mix(positions, corners, triangle, 1, b, c)
        z = _mix(positions, corners, triangle, 2, b, c)
        nx = _mix(normals, corners, triangle, 0, b, c)
        ny = _mix(normals, corners, triangle, 1, b, c)
        nz = _mix(normals, corners, triangle, 2, b, c)
        i, j, k = corners[triangle, 0], corners[triangle, 1], corners[triangle, 2]
        ao = (1 - b - c) * shades[i] + b * shades[j] + c * shades[k]
        material, label, variant = materials[triangle], labels[triangle], variants[triangle]
        red = green = blue = shine = np.float32(0)
        if material in (SKIN, WET):
            _texel(atlas, u, v, texel)
            red, green, blue, shine = texel[0], texel[1], texel[2], texel[3]
        if material == SKIN:
            height = regions.shape[0]
            at_row = min(max(int(v * height), 0), height - 1)
            at_column = min(max(int(u * height), 0), 2 * height - 1)
            fold = wrinkles[regions[at_row, at_column]]
            dark = 1 - fold * texel[8]
            red, green, blue = red * dark, green * dark * dark, blue * dark * dark
            du, dv = texel[4] + fold * texel[6], texel[5] + fold * texel[7]
            nx -= du * tangents[triangle, 0] + dv * tangents[triangle, 3]
            ny -= du * tangents[triangle, 1] + dv * tangents[triangle, 4]
            nz -= du * tangents[triangle, 2] + dv * tangents[triangle, 5]
            if parts[at_row, at_column]:
                label = parts[at_row, at_column]
        scale = np.float32(1) / (math.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-9))
        if nz > np.float32(0.3) / scale:  # seen from behind: strands and cloth have two sides
            scale = -scale
        nx, ny, nz = nx * scale, ny * scale, nz * scale

        lx, ly, lz = rays[0, 0], rays[0, 1], rays[0, 2]
        lambert = nx * lx + ny * ly + nz * lz
        # Half way between the lamp and the camera, which is far along -z.
        hx, hy, hz = lx, ly, lz - 1
        scale = np.float32(1) / math.sqrt(hx * hx + hy * hy + hz * hz)
        hx, hy, hz = hx * scale, hy * scale, hz * scale
        half = max(nx * hx + ny * hy + nz * hz, np.float32(0))
        sky = np.float32(0.5) - np.float32(0.5) * ny
        edge = 1 - min(max(-nz, np.float32(0)), np.float32(1))
        edge *= edge * edge
        # Powers of what is bright where the half way lies: broad and narrow highlights.
        half_4 = half * half * half * half
        half_12 = half_4 * half_4 * half_4
        half_36 = half_12 * half_12 * half_12
        lit = (
            _lit(rays, axes, cell, depth, taps, x, y, z, pattern)
            if lambert > np.float32(-0.5)
            else np.float32(0)
        )

        wrap_red = wrap_green = wrap_blue = np.float32(0.15)
        gloss = np.float32(0)
        # Light comes into the mouth only as far as all else does.
        open_to = ao if material == WET else np.float32(0.35) + np.float32(0.65) * ao
        if material in (SKIN, WET):
            wrap_red, wrap_green, wrap_blue = np.float32(0.38), np.float32(0.22), np.float32(0.16)
            gloss = shine * (np.float32(0.10) * half_12 + np.float32(0.25) * half_36)
            gloss += shine * np.float32(0.12) * edge * sky
            if material == WET:
                gloss += np.float32(0.25) * half_36 * half_36
        elif material == HAIR:
            strand = _strand(strands, u, v)
            red, green, blue = _hair(hair, variant, v, strand)
            bend = np.float32(0.35) * (strand - np.float32(0.5))
            tx = tangents[triangle, 3] + bend * nx
            ty = tangents[triangle, 4] + bend * ny
            tz = tangents[triangle, 5] + bend * nz
            along = (tx * hx + ty * hy + tz * hz) / math.sqrt(tx * tx + ty * ty + tz * tz)
            gloss = _hair_gloss(along, lambert) * strand
            wrap_red = wrap_green = wrap_blue = np.float32(0.4)
        elif material == EYE:
            red, green, blue = _eye(strands, iris, u, v, lx, ly)
            half_216 = half_36 * half_36 * half_36 * half_36 * half_36 * half_36
            gloss = (
                half_36 * np.float32(0.2)
                + half_216 * half_216 * np.float32(2.5)
                + edge * np.float32(0.05) * sky
            )
            wrap_red, wrap_green, wrap_blue = np.float32(0.5), np.float32(0.4), np.float32(0.4)
        elif material == CLOTH:
            red, green, blue = _cloth(cloth[variant], u, v)
            gloss = np.float32(0.03) * edge
        elif material == HARD:
            red, green, blue = hard[0], hard[1], hard[2]
            gloss = half_36 * np.float32(0.6) + edge * np.float32(0.1)
        else:
            red, green, blue = lash[0], lash[1], lash[2]

        gloss *= ao * (np.float32(0.25) + np.float32(0.75) * lit)
        # Hair colors its highlights.
        tinted = material == HAIR
        sky_red = rays[3, 0] + sky * (rays[2, 0] - rays[3, 0])
        sky_green = rays[3, 1] + sky * (rays[2, 1] - rays[3, 1])
        sky_blue = rays[3, 2] + sky * (rays[2, 2] - rays[3, 2])
        red = red * (sky_red * ao + rays[1, 0] * open_to * _diffuse(lambert, wrap_red, lit))
        green = green * (sky_green * ao + rays[1, 1] * open_to * _diffuse(lambert, wrap_green, lit))
        blue = blue * (sky_blue * ao + rays[1, 2] * open_to * _diffuse(lambert, wrap_blue, lit))
        red += gloss * rays[1, 0] * (hair[variant, 2, 0] if tinted else np.float32(1))
        green += gloss * rays[1, 1] * (hair[variant, 2, 1] if tinted else np.float32(1))
        blue += gloss * rays[1, 2] * (hair[variant, 2, 2] if tinted else np.float32(1))
        colors[fragment, 0], colors[fragment, 1], colors[fragment, 2] = red, green, blue
        found[fragment] = label


@njit(cache=True, inline="always")
def _diffuse(lambert: float, wrap: float, lit: float) -> float:
    """Share of the lamp's light that comes back: wrapped around the terminator, less in a shadow."""
    diffuse = min(max((lambert + wrap) / (1 + wrap), np.float32(0)), np.float32(1))
    # In a shadow some red still comes through skin.
    return diffuse * (lit + (1 - lit) * np.float32(0.25) * (wrap - np.float32(0.15)))


@njit(cache=True)
def _texel(texture: Floats, u: float, v: float, out: Floats) -> None:
    """Read a texture between its texels; 1 in u is its height."""
    height, width = texture.shape[0], texture.shape[1]
    x = min(max(u * height - np.float32(0.5), np.float32(0)), np.float32(width - 1.001))
    y = min(max(v * height - np.float32(0.5), np.float32(0)), np.float32(height - 1.001))
    left, top = int(x), int(y)
    x, y = x - left, y - top
    a, b, c, d = (1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y
    for channel in range(len(out)):
        out[channel] = (
            a * texture[top, left, channel]
            + b * texture[top, left + 1, channel]
            + c * texture[top + 1, left, channel]
            + d * texture[top + 1, left + 1, channel]
        )


@njit(cache=True)
def _lit(
    rays: Floats,
    axes: Floats,
    cell: float,
    depth: Floats,
    taps: Floats,
    x: float,
    y: float,
    z: float,
    pattern: int,
) -> float:
    """Share of the lamp that reaches a place, 0..1; ``pattern`` 0..3 turns the samples."""
    x, y, z = x - rays[4, 0], y - rays[4, 1], z - rays[4, 2]
    column = (axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z) / cell
    row = (axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z) / cell
    far = axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z
    rows, columns = depth.shape
    light = np.float32(0)
    for tap in range(TAPS):
        i = int(row + taps[pattern, tap, 0])
        j = int(column + taps[pattern, tap, 1])
        if i < 0 or j < 0 or i >= rows or j >= columns:
            light += 1
            continue
        # Fades in with the distance of what casts the shadow: the skin does not shade itself.
        light += 1 - min(
            max((far - depth[i, j] - np.float32(0.45)) / np.float32(0.6), np.float32(0)), np.float32(1)
        )
    return light / np.float32(TAPS)


@njit(cache=True)
def _strand(strands: Bytes, u: float, v: float) -> float:
    """Strength of the strand at a place of the hair, 0..1."""
    height, width = strands.shape
    row = int((v - math.floor(v)) * height) % height
    column = int((u - math.floor(u)) * width) % width
    return np.float32(strands[row, column]) / np.float32(255)


@njit(cache=True)
def _hair(hair: Floats, variant: int, v: float, strand: float) -> tuple[float, float, float]:
    tip = min(max(v, np.float32(0)), np.float32(1))
    bright = np.float32(0.68) + np.float32(0.5) * strand
    return (
        (hair[variant, 0, 0] + tip * (hair[variant, 1, 0] - hair[variant, 0, 0])) * bright,
        (hair[variant, 0, 1] + tip * (hair[variant, 1, 1] - hair[variant, 0, 1])) * bright,
        (hair[variant, 0, 2] + tip * (hair[variant, 1, 2] - hair[variant, 0, 2])) * bright,
    )


@njit(cache=True)
def _hair_gloss(along: float, lambert: float) -> float:
    """Two highlights of a thin cylinder (Kajiya and Kay) by the cosine to the half way vector."""
    ring = math.sqrt(max(np.float32(1) - along * along, np.float32(0)))
    facing = min(max(np.float32(0.3) + lambert, np.float32(0)), np.float32(1))
    ring *= ring
    ring *= ring
    ring_28 = ring * ring * ring * ring * ring * ring * ring
    return ring_28 * (np.float32(0.9) + ring_28 * ring_28 * np.float32(0.7)) * facing


@njit(cache=True)
def _cloth(tile: Floats, u: float, v: float) -> tuple[float, float, float]:
    height, width = tile.shape[0], tile.shape[1]
    row = int((v - math.floor(v)) * height) % height
    column = int((u - math.floor(u)) * width) % width
    return tile[row, column, 0], tile[row, column, 1], tile[row, column, 2]


@njit(cache=True)
def _eye(
    strands: Bytes, iris: Floats, u: float, v: float, lx: float, ly: float
) -> tuple[float, float, float]:
    """Color of an eyeball where the direction from its middle is u, v across the gaze."""
    radius = math.sqrt(u * u + v * v)
    rosy = min(max(radius - np.float32(0.5), np.float32(0)), np.float32(0.5))
    red = np.float32(0.66) - np.float32(0.1) * rosy
    green = np.float32(0.62) - np.float32(0.35) * rosy
    blue = np.float32(0.60) - np.float32(0.35) * rosy
    inside = min(max((np.float32(IRIS) - radius) / np.float32(0.06), np.float32(0)), np.float32(1))
    if inside > 0:
        fiber = _strand(
            strands,
            (math.atan2(v, u) + np.float32(math.pi)) * np.float32(1.2732395),
            radius * np.float32(0.7),
        )
        inner = radius / np.float32(IRIS)
        tone = (np.float32(0.55) + np.float32(0.7) * fiber) * (
            np.float32(1.25) - np.float32(0.75) * inner * inner * inner
        )
        # Light that enters on one side shines through on the other.
        tone *= 1 - np.float32(0.5) * (u * lx + v * ly) / np.float32(IRIS)
        tone *= min(max((inner - np.float32(0.36)) / np.float32(0.1), np.float32(0)), np.float32(1))
        red += inside * (iris[0] * tone + np.float32(0.004) - red)
        green += inside * (iris[1] * tone + np.float32(0.004) - green)
        blue += inside * (iris[2] * tone + np.float32(0.004) - blue)
    return red, green, blue
