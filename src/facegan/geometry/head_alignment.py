"""Alignment of a source's head with target landmarks, before the reenactor repaints it.

The paper's G_r sees the source where it is. Here the source's head is first moved to where the target
landmarks say, so that the generator only repairs. The map goes from the target to the source image: a
thin-plate spline of the 68 landmarks and of a rigid ring behind the face, without which hair and forehead
would fold at a turn.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from facegan.geometry.head_pose import CANONICAL_FACE
from facegan.geometry.landmarks import (
    INNER_LIPS,
    JAW,
    LEFT_BROW,
    LEFT_EYE,
    MESH_INDICES,
    NOSE_BASE,
    NOSE_BRIDGE,
    OUTER_LIPS,
    RIGHT_BROW,
    RIGHT_EYE,
    flip_landmarks,
)
from facegan.geometry.motion import flip_motion, rotation_matrix
from facegan.geometry.mouth_opening import draw_mouth_opening, unseen_opening
from facegan.geometry.segmentation import FACE, HAIR
from facegan.geometry.thin_plate_spline import fit_spline, squared_distances, thin_plate_kernel

RIGID_LANDMARKS = (
    *JAW[:4],
    *JAW[-4:],
    *RIGHT_BROW,
    *LEFT_BROW,
    *NOSE_BRIDGE,
    *NOSE_BASE,
    *RIGHT_EYE,
    *LEFT_EYE,
)
"""Landmarks that the canonical face is fitted to: they hardly move with the expression."""
RING_DEGREES = tuple(range(-20, 201, 22))
RING_WIDTH, RING_HEIGHT, RING_DEPTH = 11.0, 13.5, 1.5
"""Half axes of the ring around the ears, and its distance behind them, in cm of the canonical face."""
RING_WEIGHT = 0.5
"""Weight of a point of the ring in the spline; a landmark that both images show has 1."""
EXPRESSION_WEIGHT = 10.0
"""Weight of a landmark of eyes and lips relative to the others. They are small and close together, so that a
stiff spline would leave eyes open and mouths shut."""
STIFFNESS = 0.05
"""Of the spline, in the landmarks' units."""
MIN_SCALE = 0.01
"""Of a head in the landmarks' units per cm; a face that fills its crop has about 0.06."""
GRID_SIZE = 64
"""Of the spline's evaluation, enlarged to the image."""
VISIBILITY_SLOPE, VISIBILITY_OFFSET = 8.0, 0.15
"""Of the sigmoid of the cosine between a normal and the view; at a frontal face's outline it is above 0.5."""
CONFIDENCE_SIGMA = 0.12
"""Of the Gaussian by which a landmark's visibility counts in the confidence around it."""
MIRROR_CONFIDENCE = (0.2, 0.6)
"""The mirrored image is used where the confidence of the source is at most the first and that of the mirrored
image at least the second; in between partly."""

MOUTH_COLOR = torch.tensor([-0.5, -0.72, -0.7])
"""Of the inside of a mouth that the source does not show, RGB in -1..1."""


def _read_canonical_head() -> tuple[Tensor, Tensor, Tensor]:
    """Read positions and normals of the 68 landmarks, and the ring; x right, y down, z from the camera."""
    with np.load(CANONICAL_FACE) as data:
        positions, normals = (
            data[name][list(MESH_INDICES)] * np.array([1, -1, -1], np.float32)
            for name in ("vertices", "normals")
        )
    _, y, z = positions[[JAW[0], JAW[-1]]].mean(axis=0)
    angles = np.radians(RING_DEGREES)
    ring = np.stack(
        (
            RING_WIDTH * np.cos(angles),
            y - RING_HEIGHT * np.sin(angles),
            np.full(len(angles), z + RING_DEPTH),
        ),
        axis=1,
    )
    return torch.from_numpy(positions), torch.from_numpy(normals), torch.from_numpy(ring.astype(np.float32))


def _landmark_weights() -> Tensor:
    weights = torch.ones(len(MESH_INDICES))
    weights[list(RIGHT_EYE + LEFT_EYE + OUTER_LIPS + INNER_LIPS)] = EXPRESSION_WEIGHT
    return weights


# Made once, here: what is made while a model is exported belongs to the exporter.
POSITIONS, NORMALS, RING = _read_canonical_head()
LANDMARK_WEIGHTS = _landmark_weights()


class SourceFace(NamedTuple):
    """A batch of source faces.

    Attributes:
        image: I_s, N×3×H×W in -1..1.
        segmentation: of it, N×H×W, uint8 of 0 background, 1 face, 2 hair.
        landmarks: l_s, N×68×2 in -1..1.
        motion: of the source itself, N×20.
    """

    image: Tensor
    segmentation: Tensor
    landmarks: Tensor
    motion: Tensor

    def expand(self, count: int) -> SourceFace:
        """Repeat a single source face without copying it."""
        return SourceFace(*(part.expand(count, *part.shape[1:]) for part in self))

    def select(self, index: Tensor | slice) -> SourceFace:
        """Select some of the batch."""
        return SourceFace(*(part[index] for part in self))

    def to(self, device: torch.device | str) -> SourceFace:
        """Move all tensors to a device."""
        return SourceFace(*(part.to(device) for part in self))


class AlignedHead(NamedTuple):
    """The source's head where the target landmarks are.

    Attributes:
        image: N×3×H×W in -1..1, zero outside the head.
        labels: shares of face and hair, N×2×H×W in 0..1.
        confidence: N×1×H×W in 0..1, low where the source shows nothing of what the target shows.
    """

    image: Tensor
    labels: Tensor
    confidence: Tensor


class PlacedHead(NamedTuple):
    """The canonical head, turned and fitted to landmarks.

    Attributes:
        points: N×79×2, the landmarks and the ring in the landmarks' units.
        visibility: of the landmarks, N×68 in 0..1.
        scale: the landmarks' units per cm of the canonical head, N.
    """

    points: Tensor
    visibility: Tensor
    scale: Tensor


class _Target(NamedTuple):
    """What the target fixes, for the source and for its mirrored image.

    Attributes:
        head: placed at the target landmarks.
        nodes: of the grid, G²×2.
        kernel: of the spline between nodes and points, N×G²×79.
        shares: of the landmarks in the confidence at the nodes, those that the target shows and that are
            near, N×G²×68.
    """

    head: PlacedHead
    nodes: Tensor
    kernel: Tensor
    shares: Tensor


def align_head(face: SourceFace, landmarks: Tensor, motion: Tensor) -> AlignedHead:
    """Move the source's head to the target landmarks by a thin-plate spline.

    Where the source shows little of what the target shows, such as the far cheek of a profile, its mirrored
    image is used instead if that shows more. Where the mouth opens wider than the source's, its inside is
    dark. Computed in 32 bit or more under any autocast. Gradients reach the target landmarks.

    Args:
        face: the sources; the angles of their motion are used.
        landmarks: l_t, N×68×2.
        motion: AU_d, N×20; its angles are used.
    """
    with torch.autocast(landmarks.device.type, enabled=False):
        both = SourceFace(*(torch.cat(parts) for parts in zip(face, _mirror(face), strict=True)))
        moved = _move_heads(both, _place_target(landmarks, motion, face.image.shape[-1]))
        count = landmarks.shape[0]
        (own, mirrored), (confidence, other) = ((part[:count], part[count:]) for part in moved)
        low, high = MIRROR_CONFIDENCE
        weight = ((high - confidence) / (high - low)).clamp(0, 1) * ((other - low) / (high - low)).clamp(0, 1)
        blended = own + weight * (mirrored - own)
        image, labels = blended[:, :3], blended[:, 3:]
        opening = draw_mouth_opening(landmarks.to(image.dtype), image.shape[-1])
        opening = opening * unseen_opening(face.landmarks, landmarks).to(image.dtype)[:, None, None, None]
        color = MOUTH_COLOR.to(image)[:, None, None]
        image = image + opening * (color * labels.sum(dim=1, keepdim=True) - image)
        return AlignedHead(image, labels, confidence * (1 - opening))


def _mirror(face: SourceFace) -> SourceFace:
    image, segmentation = face.image.flip(-1), face.segmentation.flip(-1)
    return SourceFace(image, segmentation, flip_landmarks(face.landmarks), flip_motion(face.motion))


def _place_target(landmarks: Tensor, motion: Tensor, size: int) -> _Target:
    head = place_head(landmarks, motion)
    nodes = _grid_nodes(size, head.points)
    squared = squared_distances(nodes, head.points)
    logits = head.visibility.log()[:, None] - squared[..., : len(MESH_INDICES)] / (2 * CONFIDENCE_SIGMA**2)
    return _Target(head, nodes, thin_plate_kernel(squared), logits.softmax(dim=-1))


def _move_heads(faces: SourceFace, target: _Target) -> tuple[Tensor, Tensor]:
    """Move the sources and their mirrored images, 2N, without their background.

    Returns:
        Image and labels 2N×5×H×W, and the confidence 2N×1×H×W.
    """
    source = place_head(faces.landmarks, faces.motion)
    points, visibility, scale = (torch.cat((part, part)) for part in target.head)
    # Points that one of the images hides are the detector's guesses.
    weights = visibility * (0.2 + 0.8 * source.visibility) * LANDMARK_WEIGHTS.to(visibility)
    ring = weights.new_full((1, len(RING_DEGREES)), RING_WEIGHT).expand(weights.shape[0], -1)
    weights = torch.cat((weights, ring), dim=1).clamp(min=1e-3)
    spline = fit_spline(points, source.points - points, weights, STIFFNESS)
    size = faces.image.shape[-1]
    bending = _multiply_halves(target.kernel, spline.coefficients)
    field = target.nodes + bending + spline.affine_displacement(target.nodes)
    field = field.reshape(-1, GRID_SIZE, GRID_SIZE, 2).permute(0, 3, 1, 2)
    confidence = _multiply_halves(target.shares, source.visibility[..., None])
    confidence = confidence.reshape(-1, GRID_SIZE, GRID_SIZE)
    confidence = confidence * _coverage(field, (source.scale / scale).square(), size)
    field = _enlarge(field, size).permute(0, 2, 3, 1)
    labels = torch.stack([faces.segmentation == label for label in (FACE, HAIR)], dim=1).to(field.dtype)
    head = faces.image.to(field.dtype) * labels.sum(dim=1, keepdim=True)
    moved = functional.grid_sample(torch.cat((head, labels), dim=1), field, align_corners=False)
    return moved, _enlarge(confidence[:, None], size)


def _multiply_halves(matrix: Tensor, values: Tensor) -> Tensor:
    """Multiply both halves of 2N×K×C by the same N×M×K."""
    count = matrix.shape[0]
    return torch.cat((matrix @ values[:count], matrix @ values[count:]))


def place_head(landmarks: Tensor, motion: Tensor) -> PlacedHead:
    """Turn the canonical head by the motion's angles and fit it to the landmarks by scale and shift.

    Args:
        landmarks: N×68×2.
        motion: N×20.
    """
    landmarks = landmarks if landmarks.dtype == torch.float64 else landmarks.float()
    positions, normals, ring = (part.to(landmarks) for part in (POSITIONS, NORMALS, RING))
    rotation = rotation_matrix(motion.to(landmarks)).transpose(1, 2)
    rigid = list(RIGID_LANDMARKS)
    model, observed = (positions[rigid] @ rotation)[..., :2], landmarks[:, rigid]
    model_mean, observed_mean = model.mean(dim=1, keepdim=True), observed.mean(dim=1, keepdim=True)
    centered = model - model_mean
    scale = (centered * (observed - observed_mean)).sum(dim=(1, 2)) / centered.square().sum(dim=(1, 2))
    # Landmarks of no face, as at the start of a training, must not make the ring a point.
    scale = scale.clamp(min=MIN_SCALE)
    placed_ring = ((ring @ rotation)[..., :2] - model_mean) * scale[:, None, None] + observed_mean
    towards_camera = -(normals @ rotation)[..., 2]
    visibility = torch.sigmoid(VISIBILITY_SLOPE * (towards_camera + VISIBILITY_OFFSET))
    return PlacedHead(torch.cat((landmarks, placed_ring), dim=1), visibility, scale)


def _coverage(field: Tensor, area: Tensor, size: int) -> Tensor:
    """Compute how much of the source the map has for a pixel of the target, N×G×G: 0 in a fold, at most 1.

    Args:
        field: positions in the source at the nodes, N×2×G×G.
        area: of the source for an area of the target, where the head is not turned, N.
        size: of the image in pixels.
    """
    corner = field[:, :, :-1, :-1]
    right, down = field[:, :, :-1, 1:] - corner, field[:, :, 1:, :-1] - corner
    determinant = right[:, 0] * down[:, 1] - right[:, 1] * down[:, 0]
    cell = ((2 - 2 / size) / (GRID_SIZE - 1)) ** 2
    coverage = (determinant / (cell * area[:, None, None])).clamp(0, 1)
    return functional.pad(coverage[:, None], (0, 1, 0, 1), mode="replicate")[:, 0]


def _grid_nodes(size: int, like: Tensor) -> Tensor:
    """Return GRID_SIZE² positions, row by row, from the center of the first pixel to that of the last."""
    line = torch.linspace(1 / size - 1, 1 - 1 / size, GRID_SIZE, device=like.device, dtype=like.dtype)
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    return torch.stack((columns, rows), dim=-1).reshape(-1, 2)


def _enlarge(values: Tensor, size: int) -> Tensor:
    """Interpolate values at the nodes, N×C×GRID_SIZE×GRID_SIZE, to the pixels."""
    return functional.interpolate(values, size=(size, size), mode="bilinear", align_corners=True)
