"""Which triangle does each sample of a image see: a z-buffer, compiled for the CPU."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.rendering.compilation import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_heads.arrays import Floats


BELOW_ONE = np.float32(1 - 2**-20)
"""Added to a positive number before it is cut to an integer: rounds up."""
AWAY = np.float32(2**16)
"""A multiple of a texture's sides; added to its coordinates it makes cutting them round down."""
FAR = np.float32(1e9)


@njit(cache=True)
def rasterize(
    points: Floats,
    triangles: NDArray[np.int32],
    closed: NDArray[np.uint8],
    uv: Floats,
    transparency: Floats,
    strands: NDArray[np.uint8],
    triangle_ids: NDArray[np.int32],
    weights: Floats,
    inverse_depth: Floats,
) -> None:
    """Find the nearest triangle at the middle of every sample.

    Args:
        points: V×3, x and y in samples (0 is the left edge of the first one), z the distance.
        triangles: T×3.
        closed: T, not 0 where only the outer side of a triangle can be seen.
        uv: V×2, texture coordinates.
        transparency: V, how much of the surface is missing, 0..1: a sample falls through where the texture's
            strand is weaker than this.
        strands: H×W, both powers of two, strength of the strand at each place of the texture, 0..255.
        triangle_ids: rows×columns, filled with the triangle or -1.
        weights: rows×columns×2, filled with the shares of its second and third corner.
        inverse_depth: rows×columns, filled with 1 / distance.
    """
    rows, columns = triangle_ids.shape
    height, width = strands.shape
    triangle_ids[:] = -1
    inverse_depth[:] = 0
    for index in range(len(triangles)):
        i, j, k = triangles[index, 0], triangles[index, 1], triangles[index, 2]
        ax, ay, az = points[i, 0], points[i, 1], points[i, 2]
        bx, by, bz = points[j, 0], points[j, 1], points[j, 2]
        cx, cy, cz = points[k, 0], points[k, 1], points[k, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < np.float32(1e-6) or (closed[index] and area > 0):
            continue
        left = max(0, math.ceil(min(ax, bx, cx) - np.float32(0.5)))
        right = min(columns - 1, math.floor(max(ax, bx, cx) - np.float32(0.5)))
        top = max(0, math.ceil(min(ay, by, cy) - np.float32(0.5)))
        bottom = min(rows - 1, math.floor(max(ay, by, cy) - np.float32(0.5)))
        if left > right or top > bottom:
            continue
        scale = np.float32(1) / area
        # Shares of b and c are linear in x and y, and so is the inverse of the distance.
        b_x, b_y = (cy - ay) * scale, -(cx - ax) * scale
        c_x, c_y = -(by - ay) * scale, (bx - ax) * scale
        az, bz, cz = np.float32(1) / az, np.float32(1) / bz, np.float32(1) / cz
        cut = max(transparency[i], transparency[j], transparency[k]) > 0
        # Of the corners, once: in the loops below they would be read again at every sample.
        u_a, v_a, transparency_a = uv[i, 0] * width, uv[i, 1] * height, transparency[i] * np.float32(255)
        u_b, v_b, transparency_b = (
            uv[j, 0] * width - u_a,
            uv[j, 1] * height - v_a,
            transparency[j] * np.float32(255) - transparency_a,
        )
        u_c, v_c, transparency_c = (
            uv[k, 0] * width - u_a,
            uv[k, 1] * height - v_a,
            transparency[k] * np.float32(255) - transparency_a,
        )
        a_x = -b_x - c_x
        per_a, per_b, per_c = _inverse(a_x), _inverse(b_x), _inverse(c_x)
        x = np.float32(left + 0.5) - ax
        for row in range(top, bottom + 1):
            y = np.float32(row + 0.5) - ay
            b = x * b_x + y * b_y
            c = x * c_x + y * c_y
            first, last = _span(np.float32(1) - b - c, per_a, np.float32(0), np.float32(right - left))
            first, last = _span(b, per_b, first, last)
            first, last = _span(c, per_c, first, last)
            if last < first:
                continue
            start, end = int(first + BELOW_ONE), int(last)
            b += np.float32(start) * b_x
            c += np.float32(start) * c_x
            for column in range(left + start, left + end + 1):
                near = az + b * (bz - az) + c * (cz - az)
                if near > inverse_depth[row, column]:
                    distance = np.float32(1) / near
                    share_b, share_c = b * bz * distance, c * cz * distance
                    kept = True
                    if cut:
                        u = u_a + share_b * u_b + share_c * u_c
                        v = v_a + share_b * v_b + share_c * v_c
                        missing = transparency_a + share_b * transparency_b + share_c * transparency_c
                        strand = strands[int(v + AWAY) & (height - 1), int(u + AWAY) & (width - 1)]
                        kept = strand >= missing
                    if kept:
                        inverse_depth[row, column] = near
                        triangle_ids[row, column] = index
                        weights[row, column, 0] = share_b
                        weights[row, column, 1] = share_c
                b += b_x
                c += c_x


@njit(cache=True, inline="always")
def _inverse(step: float) -> float:
    """1 / step; a step of zero becomes a tiny one."""
    tiny = np.float32(1e-9)
    return np.float32(1) / (step if abs(step) > tiny else tiny)


@njit(cache=True, inline="always")
def _span(value: float, inverse: float, first: float, last: float) -> tuple[float, float]:
    """Narrow first..last to where value + place / inverse is not negative."""
    # Neighboring triangles leave no gap between them.
    zero = -(value + np.float32(1e-4)) * inverse
    return (max(first, zero), last) if inverse > 0 else (first, min(last, zero))


@njit(cache=True)
def render_shadow_map(
    points: Floats, triangles: NDArray[np.int32], transparency: Floats, depth: Floats
) -> None:
    """Distances from the light, for shadows.

    Args:
        points: V×3, x and y in cells of the map, z the distance along the light.
        triangles: T×3.
        transparency: V, how much of the surface is missing; where it is more than half, no shadow falls.
        depth: rows×columns, filled with the distance of the nearest surface.
    """
    rows, columns = depth.shape
    depth[:] = FAR
    for index in range(len(triangles)):
        i, j, k = triangles[index, 0], triangles[index, 1], triangles[index, 2]
        ax, ay, az = points[i, 0], points[i, 1], points[i, 2]
        bx, by, bz = points[j, 0], points[j, 1], points[j, 2]
        cx, cy, cz = points[k, 0], points[k, 1], points[k, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < np.float32(1e-6) or transparency[i] + transparency[j] + transparency[k] > np.float32(
            1.5
        ):
            continue
        left = max(0, math.ceil(min(ax, bx, cx) - np.float32(0.5)))
        right = min(columns - 1, math.floor(max(ax, bx, cx) - np.float32(0.5)))
        top = max(0, math.ceil(min(ay, by, cy) - np.float32(0.5)))
        bottom = min(rows - 1, math.floor(max(ay, by, cy) - np.float32(0.5)))
        scale = np.float32(1) / area
        b_x, b_y = (cy - ay) * scale, -(cx - ax) * scale
        c_x, c_y = -(by - ay) * scale, (bx - ax) * scale
        for row in range(top, bottom + 1):
            y = np.float32(row + 0.5) - ay
            for column in range(left, right + 1):
                x = np.float32(column + 0.5) - ax
                b = x * b_x + y * b_y
                c = x * c_x + y * c_y
                if b < 0 or c < 0 or b + c > 1:
                    continue
                near = az + b * (bz - az) + c * (cz - az)
                depth[row, column] = min(depth[row, column], near)


@njit(cache=True)
def vertex_normals(points: Floats, triangles: NDArray[np.int32], normals: Floats) -> None:
    """Mean normal of the triangles around each vertex, weighted by their area; fills ``normals`` V×3."""
    normals[:] = 0
    for index in range(len(triangles)):
        i, j, k = triangles[index, 0], triangles[index, 1], triangles[index, 2]
        ax, ay, az = points[i, 0], points[i, 1], points[i, 2]
        ux, uy, uz = points[j, 0] - ax, points[j, 1] - ay, points[j, 2] - az
        vx, vy, vz = points[k, 0] - ax, points[k, 1] - ay, points[k, 2] - az
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (i, j, k):
            normals[corner, 0] += x
            normals[corner, 1] += y
            normals[corner, 2] += z
    for vertex in range(len(normals)):
        x, y, z = normals[vertex, 0], normals[vertex, 1], normals[vertex, 2]
        scale = np.float32(1) / (math.sqrt(x * x + y * y + z * z) + np.float32(1e-12))
        normals[vertex, 0], normals[vertex, 1], normals[vertex, 2] = x * scale, y * scale, z * scale


@njit(cache=True)
def triangle_tangents(positions: Floats, uv: Floats, triangles: NDArray[np.int32], tangents: Floats) -> None:
    """Unit vectors along u and v of each triangle; fills ``tangents`` T×6."""
    for index in range(len(triangles)):
        i, j, k = triangles[index, 0], triangles[index, 1], triangles[index, 2]
        x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
        ux, uy, uz = positions[j, 0] - x, positions[j, 1] - y, positions[j, 2] - z
        vx, vy, vz = positions[k, 0] - x, positions[k, 1] - y, positions[k, 2] - z
        a, b = uv[j, 0] - uv[i, 0], uv[j, 1] - uv[i, 1]
        c, d = uv[k, 0] - uv[i, 0], uv[k, 1] - uv[i, 1]
        sign = np.float32(1) if a * d - b * c >= 0 else np.float32(-1)
        for start, p, q in ((0, d * sign, -b * sign), (3, -c * sign, a * sign)):
            x, y, z = p * ux + q * vx, p * uy + q * vy, p * uz + q * vz
            scale = np.float32(1) / (math.sqrt(x * x + y * y + z * z) + np.float32(1e-12))
            tangents[index, start], tangents[index, start + 1], tangents[index, start + 2] = (
                x * scale, y * scale, z * scale,
            )  # fmt: skip
