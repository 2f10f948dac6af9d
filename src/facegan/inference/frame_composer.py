"""What a result shows besides the moved face: its background, its place in the photograph, its makings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from facegan.errors import InputError
from facegan.inference.backgrounds import open_background
from facegan.inference.side_by_side import close_up, side_by_side
from facegan.inference.stitching import Compositor
from facegan.io.images import tensor_to_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.inference.animator import Animator, Source
    from facegan.inference.driving_video import Step


@dataclass(frozen=True)
class RenderConfig:
    """What a result shows besides the moved face.

    Attributes:
        background: picture, video or color behind the head, in place of the photograph's own background.
        paste_back: put the face back into the whole photograph.
        side_by_side: show source, driver and landmarks beside the result.

    Raises:
        InputError: if the face is to be pasted back and to have another background: that would end at the
            edge of the crop.
    """

    background: str | None = None
    paste_back: bool = False
    side_by_side: bool = False

    def __post_init__(self) -> None:
        if self.background is not None and self.paste_back:
            msg = "a face that is pasted back keeps its photograph's background: choose one of the two"
            raise InputError(msg)

    def describe(self) -> tuple[str, ...]:
        """In words, what was done to the picture around the face."""
        words = ["new background"] if self.background is not None else []
        return tuple(words + ["pasted back into the photograph"] * self.paste_back)


class Scene:
    """Draws results.

    Args:
        animator: the model.
        source: the face.
        look: what there is besides it.

    Raises:
        InputError: if the background cannot be read.
    """

    def __init__(self, animator: Animator, source: Source, look: RenderConfig) -> None:
        self._animator, self._source, self._look = animator, source, look
        self._background = open_background(look.background, animator.size) if look.background else None
        # A photograph without color gets none.
        self._gray = look.background is None and not np.ptp(source.photograph, axis=-1).any()
        self._paster = None
        if look.paste_back:
            unmoved = self._images(animator.animate(source, source.motion).result)[0]
            self._paster = Compositor(source, unmoved)

    def draw(
        self, motion: Tensor, steps: Sequence[Step] = (), times: Sequence[float] = ()
    ) -> list[NDArray[np.uint8]]:
        """A batch of results.

        Args:
            motion: of the source, N×20.
            steps: the N frames of the driver, if there is one; their times must not run backwards, from
                batch to batch either.
            times: N, in seconds, if there is none; where a background does not move they do not count.
        """
        times = [step.time for step in steps] or times or [0.0] * len(motion)
        behind = None
        if self._background:
            behind = torch.cat([self._background.at(time) for time in times])
        made = self._animator.animate(self._source, motion, behind)
        images = self._images(made.result)
        if self._paster:
            masks = made.mask[:, 0].float().cpu().numpy()
            images = [self._paster(image, mask) for image, mask in zip(images, masks, strict=True)]
        if self._look.side_by_side:
            photograph = self._source.photograph if self._paster else tensor_to_images(self._source.image)[0]
            points = made.landmarks.float().cpu().numpy()
            shown: list[NDArray[np.uint8] | None] = [None] * len(images)
            if steps:
                shown = [close_up(step.image, step.landmarks) for step in steps]
            images = [
                side_by_side(photograph, driver, landmarks, image)
                for driver, landmarks, image in zip(shown, points, images, strict=True)
            ]
        return images

    def _images(self, result: Tensor) -> list[NDArray[np.uint8]]:
        images = list(tensor_to_images(result))
        return [_without_color(image) for image in images] if self._gray else images


def _without_color(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)
