"""Random changes of a training pair: mirrored, other light, and the source as a poorer photograph."""

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
    """Changes a pair so that one picture still shows what the other does.

    ``flip`` and ``color`` change source, driver and background alike: the answer has the source's colors.
    The others make the source a poorer photograph, taken from another place, and leave driver and
    background, from which the answer is made, as they are. Pairs without pictures are only mirrored.

    Args:
        flip: probability of mirroring.
        color: largest relative change of brightness, contrast and saturation; 0 for none.
        blur: largest standard deviation of a Gaussian blur in pixels; 0 for none.
        jpeg: lowest quality of a JPEG compression, 1..100; 100 for none.
        affine: how far the middle of an edge moves at most, as a share of the side, by a shift in each
            direction, by a scale (1 ± 2 affine) and by a rotation (± 2 affine radians) each; 0 for none.
            Landmarks, segmentation and the head's rotation follow.
        source_only: False changes source, driver and background alike in these three ways too.
    """

    def __init__(
        self,
        flip: float = 0.5,
        color: float = 0.1,
        *,
        blur: float = 0.0,
        jpeg: int = 100,
        affine: float = 0.0,
        source_only: bool = True,
    ) -> None:
        os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
        import albumentations as augment
        import cv2

        self.flip = flip
        self.affine = affine
        self.source_only = source_only
        self._light = _composed([augment.ColorJitter(color, color, color, hue=0, p=1)] if color else [])
        steps: list[Any] = []
        if affine:
            turn = math.degrees(2 * affine)
            steps += [
                augment.Affine(
                    scale=(1 - 2 * affine, 1 + 2 * affine),
                    translate_percent=(-affine, affine),
                    rotate=(-turn, turn),
                    keep_ratio=True,
                    border_mode=cv2.BORDER_REPLICATE,
                    p=1,
                )
            ]
        if blur:
            steps += [augment.GaussianBlur(blur_limit=0, sigma_limit=(0, blur), p=1)]
        if jpeg < 100:
            steps += [augment.ImageCompression(quality_range=(jpeg, 100), p=1)]
        self._photograph = _composed(steps, moves=bool(affine))

    def __call__(self, pair: FacePair, generator: torch.Generator) -> FacePair:
        """A changed pair, its pictures floats or bytes as in the given one, which is left as it is."""
        if pair.source_image is not None:
            fields = pair._asdict()
            if self._light:
                self._change(self._light, fields, ROLES, generator)
            if self._photograph:
                roles = ROLES[:1] if self.source_only else ROLES
                change = self._change(self._photograph, fields, roles, generator, moves=bool(self.affine))
                if self.affine:
                    self._turn(fields, roles, change)
            pair = FacePair(**fields)
        return mirrored(pair) if torch.rand((), generator=generator).item() < self.flip else pair

    def _change(
        self,
        transform: Any,
        fields: dict[str, Tensor],
        roles: tuple[str, ...],
        generator: torch.Generator,
        *,
        moves: bool = False,
    ) -> dict[str, Any]:
        """Applies a transform with the same random numbers to several roles of a pair; returns these."""
        transform.set_random_seed(int(torch.randint(2**31, (), generator=generator).item()))
        size = fields["source_image"].shape[-1]
        given = {_target(role, "image"): _to_uint8(fields[f"{role}_image"]) for role in roles}
        points = [role for role in roles if f"{role}_landmarks" in fields]
        if moves:
            for role in roles:
                given[_target(role, "mask")] = fields[f"{role}_segmentation"].numpy()
            for role in points:
                numbers = fields[f"{role}_landmarks"].numpy()
                given[_target(role, "keypoints")] = denormalize_points(numbers, size)
        done = transform(**given)
        for role in roles:
            image = np.ascontiguousarray(done[_target(role, "image")])
            floats = fields[f"{role}_image"].is_floating_point()
            fields[f"{role}_image"] = (
                image_to_tensor(image) if floats else torch.from_numpy(image).permute(2, 0, 1)
            )
            if moves:
                fields[f"{role}_segmentation"] = torch.from_numpy(done[_target(role, "mask")])
        for role in points if moves else ():
            moved = np.asarray(done[_target(role, "keypoints")], np.float32)
            fields[f"{role}_landmarks"] = torch.from_numpy(normalize_points(moved, size))
        return dict(done["replay"])

    def _turn(self, fields: dict[str, Tensor], roles: tuple[str, ...], replay: dict[str, Any]) -> None:
        """The heads turn with their pictures."""
        matrix = replay["transforms"][0]["params"]["matrix"]
        angle = math.degrees(math.atan2(matrix[1][0], matrix[0][0]))
        for role in roles:
            if f"{role}_motion" in fields:
                fields[f"{role}_motion"] = rotate_in_plane(fields[f"{role}_motion"], angle)


def mirrored(pair: FacePair) -> FacePair:
    """The pair in a mirror: pictures, landmarks and motion."""
    result = {}
    for name, value in pair._asdict().items():
        if value is None:
            continue
        if name.endswith("landmarks"):
            result[name] = flip_landmarks(value)
        elif name.endswith("motion"):
            result[name] = flip_motion(value)
        else:
            result[name] = value.flip(-1)
    return FacePair(**result)


def _composed(steps: list[Any], *, moves: bool = False) -> Any:
    """The steps for all roles of a pair at once, or None if there are none."""
    if not steps:
        return None
    import albumentations as augment

    kinds = ("image", "mask", "keypoints") if moves else ("image",)
    return augment.ReplayCompose(
        steps,
        keypoint_params=augment.KeypointParams("xy", remove_invisible=False) if moves else None,
        additional_targets={_target(role, kind): kind for role in ROLES[1:] for kind in kinds},
    )


def _target(role: str, kind: str) -> str:
    return kind if role == ROLES[0] else f"{role}_{kind}"


def _to_uint8(picture: Tensor) -> np.ndarray:
    if picture.is_floating_point():
        return tensor_to_images(picture)
    return np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
