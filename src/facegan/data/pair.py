"""A pair of two frames of one track: source and driver, the driver being the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from facegan.data.crops import FaceCrops

Pair = dict[str, Tensor]
"""``source`` and ``driving`` pictures 3×S×S in -1..1, and of each ``…_segmentation`` S×S,
``…_landmarks`` 68×2 and ``…_motion`` 20. ``background`` and ``background_segmentation`` are the source
as seen at the driver's place, which of one track shows what stands still where the driver has it."""


def read_pair(
    crops: FaceCrops, source: int, driving: int, *, pictures: bool = True, aligned: bool = True
) -> Pair:
    """Two crops as a pair, by their indices.

    Args:
        crops: the data.
        source: index of the source.
        driving: index of the driver.
        pictures: False leaves pictures and segmentations out.
        aligned: False leaves the background where the source has it.
    """
    pair: Pair = {}
    for role, index in (("source", source), ("driving", driving)):
        if pictures:
            pair[role] = crops.picture(index)
            pair[f"{role}_segmentation"] = crops.segmentation(index)
        pair[f"{role}_landmarks"] = torch.from_numpy(crops.landmarks[index])
        pair[f"{role}_motion"] = torch.from_numpy(crops.motion[index])
    if pictures:
        pair["background"], pair["background_segmentation"] = crops.background(
            source, driving if aligned else source
        )
    return pair
