"""A pair of two frames of one track: a source, and a driving frame that is the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import default_collate
from torch.utils.data._utils.collate import default_collate_fn_map

from facegan.geometry.head_alignment import SourceFace
from facegan.io.images import normalize_levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facegan.data.face_crops import FaceCrops

ROLES = ("source", "driving", "background")
"""Roles of the images of a pair."""
SampleKey = tuple[int, int]
"""Index of a driving frame, and the seed of all random choices about its pair."""
_ABSENT: Any = None


class FacePair(NamedTuple):
    """One pair, or a batch of N pairs with a first dimension N; moves to a device as any named tuple.

    The background image I_b is the source frame, in the driving frame's crop window where both are of one
    track. Images and segmentations are None in pairs that were read without their roles; their type
    does not say so, because a training stage knows which data it asks for.

    Attributes:
        source_landmarks: 68×2 in -1..1, l_s.
        source_motion: 20 motion parameters.
        driving_landmarks: 68×2 in -1..1, l_d.
        driving_motion: 20 motion parameters, m_d.
        source_image: 3×S×S in -1..1, or uint8 0..255 between reader and device; I_s.
        source_segmentation: S×S, uint8, 0 background, 1 face, 2 hair.
        driving_image: 3×S×S, the target I_d.
        driving_segmentation: S×S.
        background_image: 3×S×S, I_b.
        background_segmentation: S×S.
    """

    source_landmarks: Tensor
    source_motion: Tensor
    driving_landmarks: Tensor
    driving_motion: Tensor
    source_image: Tensor = _ABSENT
    source_segmentation: Tensor = _ABSENT
    driving_image: Tensor = _ABSENT
    driving_segmentation: Tensor = _ABSENT
    background_image: Tensor = _ABSENT
    background_segmentation: Tensor = _ABSENT

    @property
    def source(self) -> SourceFace:
        """Image, segmentation, landmarks and motion of the source."""
        return SourceFace(
            self.source_image, self.source_segmentation, self.source_landmarks, self.source_motion
        )


def collate_pairs(pairs: list[FacePair], **_: Any) -> FacePair:
    """Stack pairs into a batch; fields that are None stay None."""
    fields: list[Any] = [
        _ABSENT if values[0] is None else default_collate(list(values)) for values in zip(*pairs, strict=True)
    ]
    return FacePair(*fields)


# The extension point that default_collate documents for types of one's own.
default_collate_fn_map[FacePair] = collate_pairs


def read_pair(
    crops: FaceCrops,
    source: int,
    driving: int,
    *,
    roles: Sequence[str] = ROLES,
    align_background: bool = True,
    normalize: bool = True,
) -> FacePair:
    """Read two crops as a pair.

    Args:
        crops: the data.
        source: index of the source crop.
        driving: index of the driving crop.
        roles: whose images and segmentations are read, the others are None; see :data:`ROLES`.
        align_background: False leaves the background where it is in the source's crop.
        normalize: False leaves images as uint8, to be converted later by :func:`normalize_images`.
    """
    pair = FacePair(
        torch.from_numpy(crops.landmarks[source]),
        torch.from_numpy(crops.motion[source]),
        torch.from_numpy(crops.landmarks[driving]),
        torch.from_numpy(crops.motion[driving]),
    )
    frames = {}
    if "source" in roles or "background" in roles:
        frames["source"] = frames["background"] = crops.image(source), crops.labels(source)
    if "driving" in roles:
        frames["driving"] = crops.image(driving), crops.labels(driving)
    if "background" in roles and align_background:
        frames["background"] = crops.warp_to_crop(*frames["source"], source, driving)
    images: dict[str, Tensor] = {}
    for role in roles:
        image, labels = frames[role]
        images[f"{role}_image"] = torch.from_numpy(image).permute(2, 0, 1)
        images[f"{role}_segmentation"] = torch.from_numpy(labels)
    pair = pair._replace(**images)
    return normalize_images(pair) if normalize else pair


def normalize_images(pair: FacePair) -> FacePair:
    """Convert the uint8 images of a pair or batch to -1..1 in the precision of its landmarks."""
    images = {f"{role}_image": getattr(pair, f"{role}_image") for role in ROLES}
    return pair._replace(
        **{
            name: normalize_levels(image.contiguous()).to(pair.source_landmarks.dtype)
            for name, image in images.items()
            if image is not None and image.dtype == torch.uint8
        }
    )
