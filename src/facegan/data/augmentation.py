"""Random changes of a training pair: mirrored, and other light."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from facegan import landmarks, motion

if TYPE_CHECKING:
    from facegan.data.pair import Pair


class Augmentation:
    """Changes source and driver of a pair alike, so that one still shows what the other does.

    Args:
        flip: probability of mirroring.
        colour: largest relative change of brightness, contrast and saturation; 0 for none.
    """

    def __init__(self, flip: float = 0.5, colour: float = 0.1) -> None:
        os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
        import albumentations as augment

        self.flip = flip
        self._colour = (
            augment.ReplayCompose([augment.ColorJitter(colour, colour, colour, hue=0, p=1)])
            if colour
            else None
        )

    def __call__(self, pair: Pair, generator: torch.Generator) -> Pair:
        """A changed pair; the given one is left as it is."""
        pair = pair.copy()
        if self._colour and "source" in pair:
            self._colour.set_random_seed(int(torch.randint(2**31, (), generator=generator).item()))
            first = self._colour(image=_to_uint8(pair["source"]))
            pair["source"] = _to_float(first["image"])
            for name in ("driving", "background"):
                again = type(self._colour).replay(first["replay"], image=_to_uint8(pair[name]))
                pair[name] = _to_float(again["image"])
        return mirrored(pair) if torch.rand((), generator=generator).item() < self.flip else pair


def mirrored(pair: Pair) -> Pair:
    """The pair in a mirror: pictures, landmarks and motion."""
    result = {}
    for name, value in pair.items():
        if name.endswith("landmarks"):
            result[name] = landmarks.flip(value)
        elif name.endswith("motion"):
            result[name] = motion.flip(value)
        else:
            result[name] = value.flip(-1)
    return result


def _to_uint8(picture: Tensor) -> np.ndarray:
    return ((picture + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()


def _to_float(image: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float().div_(127.5).sub_(1)
