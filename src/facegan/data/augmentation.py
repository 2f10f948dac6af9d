"""Random augmentation of a training pair."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facegan.data.face_pair import ROLES, FacePair
from facegan.geometry.landmarks import denormalize_points, flip_landmarks, normalize_points
from facegan.geometry.motion import flip_motion, rotate_in_plane
from facegan.io.images import image_to_tensor, tensor_to_images


class Augmentation:
    """Augment a pair so that its target stays the correct answer.

    ``flip`` and ``color`` change source, driving and background image alike, because the target has the
    colors of the source. ``blur``, ``jpeg`` and ``affine_strength`` degrade and move the source alone. A pair
    without images is only flipped.

    Args:
        flip: probability of a horizontal flip.
        color: largest relative change of brightness, contrast and saturation; 0 for none.
        blur: largest standard deviation of a Gaussian blur in pixels; 0 for none.
        jpeg: lowest quality of a JPEG compression, 1..100; 100 for none.
        affine_strength: bound a of a random shift (± a of the side), scale (1 ± 2a) and rotation (± 2a
            radians), each of which displaces the middle of an edge by at most a; 0 for none. Landmarks,
            segmentation and head rotation follow.
        augment_source_only: False applies the last three to source, driving and background image alike.
    """

    def __init__(
        self,
        flip: float = 0.5,
        color: float = 0.1,
        *,
        blur: float = 0.0,
        jpeg: int = 100,
        affine_strength: float = 0.0,
        augment_source_only: bool = True,
    ) -> None:
        os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
        import albumentations
        import cv2

        self.flip = flip
        self.has_affine = affine_strength > 0
        self.degraded_roles = ROLES[:1] if augment_source_only else ROLES
        jitter = [albumentations.ColorJitter(color, color, color, hue=0, p=1)] if color else []
        self._color = _compose(jitter)
        steps: list[Any] = []
        if affine_strength:
            angle = math.degrees(2 * affine_strength)
            steps += [
                albumentations.Affine(
                    scale=(1 - 2 * affine_strength, 1 + 2 * affine_strength),
                    translate_percent=(-affine_strength, affine_strength),
                    rotate=(-angle, angle),
                    keep_ratio=True,
                    border_mode=cv2.BORDER_REPLICATE,
                    p=1,
                )
            ]
        if blur:
            steps += [albumentations.GaussianBlur(blur_limit=0, sigma_limit=(0, blur), p=1)]
        if jpeg < 100:
            steps += [albumentations.ImageCompression(quality_range=(jpeg, 100), p=1)]
        self._degrade = _compose(steps, spatial=self.has_affine)

    def __call__(self, pair: FacePair, generator: torch.Generator) -> FacePair:
        """Return an augmented pair, its images of the given type; the given pair is not changed."""
        if pair.source_image is not None:
            fields = pair._asdict()
            if self._color:
                _transform(self._color, fields, ROLES, generator)
            if self._degrade:
                roles = self.degraded_roles
                replay = _transform(self._degrade, fields, roles, generator, spatial=self.has_affine)
                if self.has_affine:
                    _rotate_heads(fields, roles, replay)
            pair = FacePair(**fields)
        return flip_pair(pair) if torch.rand((), generator=generator).item() < self.flip else pair


def flip_pair(pair: FacePair) -> FacePair:
    """Flip images, landmarks and motion of a pair horizontally."""
    fields = {}
    for name, value in pair._asdict().items():
        if value is None:
            continue
        if name.endswith("landmarks"):
            fields[name] = flip_landmarks(value)
        elif name.endswith("motion"):
            fields[name] = flip_motion(value)
        else:
            fields[name] = value.flip(-1)
    return FacePair(**fields)


def _transform(
    transform: Any,
    fields: dict[str, Tensor],
    roles: tuple[str, ...],
    generator: torch.Generator,
    *,
    spatial: bool = False,
) -> dict[str, Any]:
    """Apply a transform with the same random numbers to several roles of a pair; return these numbers."""
    roles = tuple(role for role in roles if fields[f"{role}_image"] is not None)
    transform.set_random_seed(int(torch.randint(2**31, (), generator=generator).item()))
    size = fields["source_image"].shape[-1]
    targets = {_target(role, "image"): _to_array(fields[f"{role}_image"]) for role in roles}
    with_landmarks = [role for role in roles if f"{role}_landmarks" in fields]
    if spatial:
        for role in roles:
            targets[_target(role, "mask")] = fields[f"{role}_segmentation"].numpy()
        for role in with_landmarks:
            points = denormalize_points(fields[f"{role}_landmarks"].numpy(), size)
            targets[_target(role, "keypoints")] = points
    results = transform(**targets)
    for role in roles:
        image = np.ascontiguousarray(results[_target(role, "image")])
        is_float = fields[f"{role}_image"].is_floating_point()
        fields[f"{role}_image"] = (
            image_to_tensor(image) if is_float else torch.from_numpy(image).permute(2, 0, 1)
        )
        if spatial:
            fields[f"{role}_segmentation"] = torch.from_numpy(results[_target(role, "mask")])
    for role in with_landmarks if spatial else ():
        points = np.asarray(results[_target(role, "keypoints")], np.float32)
        fields[f"{role}_landmarks"] = torch.from_numpy(normalize_points(points, size))
    return dict(results["replay"])


def _rotate_heads(fields: dict[str, Tensor], roles: tuple[str, ...], replay: dict[str, Any]) -> None:
    """Rotate the head poses with their images."""
    matrix = replay["transforms"][0]["params"]["matrix"]
    angle = math.degrees(math.atan2(matrix[1][0], matrix[0][0]))
    for role in roles:
        if f"{role}_motion" in fields:
            fields[f"{role}_motion"] = rotate_in_plane(fields[f"{role}_motion"], angle)


def _compose(steps: list[Any], *, spatial: bool = False) -> Any:
    """Compose steps for all roles of a pair at once; None if there are none."""
    if not steps:
        return None
    import albumentations

    kinds = ("image", "mask", "keypoints") if spatial else ("image",)
    return albumentations.ReplayCompose(
        steps,
        keypoint_params=albumentations.KeypointParams("xy", remove_invisible=False) if spatial else None,
        additional_targets={_target(role, kind): kind for role in ROLES[1:] for kind in kinds},
    )


def _target(role: str, kind: str) -> str:
    return kind if role == ROLES[0] else f"{role}_{kind}"


def _to_array(image: Tensor) -> np.ndarray:
    if image.is_floating_point():
        return tensor_to_images(image)
    return np.ascontiguousarray(image.permute(1, 2, 0).numpy())
