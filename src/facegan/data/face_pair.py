"""A pair of two frames of one track: source and driver, the driver being the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from facegan.data.face_crops import to_floats, to_tensor

if TYPE_CHECKING:
    from facegan.data.face_crops import FaceCrops

Pair = dict[str, Tensor]
"""``source`` and ``driving`` pictures 3×S×S in -1..1, and of each ``…_segmentation`` S×S,
``…_landmarks`` 68×2 and ``…_motion`` 20. ``background`` and ``background_segmentation`` are the source
as seen at the driver's place, which of one track shows what stands still where the driver has it.
On their way from a reader to a device, pictures are bytes (uint8, 0..255)."""
PICTURES = ("source", "driving", "background")


def read_pair(
    crops: FaceCrops,
    source: int,
    driving: int,
    *,
    pictures: bool = True,
    aligned: bool = True,
    floats: bool = True,
) -> Pair:
    """Two crops as a pair, by their indices.

    Args:
        crops: the data.
        source: index of the source.
        driving: index of the driver.
        pictures: False leaves pictures and segmentations out.
        aligned: False leaves the background where the source has it.
        floats: False leaves pictures as they are stored, in bytes, for :func:`normalize_images` later.
    """
    indices = {"source": source, "driving": driving}
    pair: Pair = {}
    for role, index in indices.items():
        pair[f"{role}_landmarks"] = torch.from_numpy(crops.landmarks[index])
        pair[f"{role}_motion"] = torch.from_numpy(crops.motion[index])
    if not pictures:
        return pair
    seen = {role: (crops.image(index), crops.labels(index)) for role, index in indices.items()}
    seen["background"] = crops.moved(*seen["source"], source, driving) if aligned else seen["source"]
    for role, (image, labels) in seen.items():
        pair[role] = to_tensor(image)
        pair[f"{role}_segmentation"] = torch.from_numpy(labels)
    return normalize_images(pair) if floats else pair


def normalize_images(pair: Pair) -> Pair:
    """A pair, or a batch of pairs, with its pictures in -1..1; those that are floats stay as they are.

    They get the precision of the landmarks.
    """
    pair = pair.copy()
    for role in PICTURES:
        if role in pair and pair[role].dtype == torch.uint8:
            pair[role] = to_floats(pair[role].contiguous()).to(pair["source_landmarks"].dtype)
    return pair
