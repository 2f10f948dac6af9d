"""Composition of finished frames: background, stitching into the source image, comparison view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from facegan.errors import InputError
from facegan.inference.background_stream import open_background
from facegan.inference.side_by_side import crop_to_face, draw_side_by_side
from facegan.inference.stitching import Compositor
from facegan.io.images import tensor_to_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.inference.animator import Animator, Source
    from facegan.inference.driving_video import DrivingFrame


@dataclass(frozen=True)
class RenderConfig:
    """What a frame shows besides the animated face.

    Attributes:
        background: Image, video or color (#rrggbb or a name) behind the head, in place of the source's own.
        paste_back: Stitch the face into the whole source image.
        side_by_side: Show source, driving frame and landmarks beside the result.

    Raises:
        InputError: if the face is to be stitched and to have another background, which would end at the
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
        """Describe what is changed around the face."""
        words = ["new background"] if self.background is not None else []
        return tuple(words + ["pasted back into the photograph"] * self.paste_back)


class FrameComposer:
    """Animate a source and compose the finished frames.

    Args:
        animator: the model.
        source: the face.
        config: what the frames show besides the face.

    Raises:
        InputError: if the background cannot be read.
    """

    def __init__(self, animator: Animator, source: Source, config: RenderConfig) -> None:
        self._animator, self._source, self._config = animator, source, config
        self._background = open_background(config.background, animator.size) if config.background else None
        # The result of a gray source image is gray.
        self._gray = config.background is None and not np.ptp(source.photograph, axis=-1).any()
        self._compositor = None
        if config.paste_back:
            reconstruction = self._to_images(animator.animate(source, source.motion).result)[0]
            self._compositor = Compositor(source, reconstruction)

    def compose(
        self, motions: Tensor, driving: Sequence[DrivingFrame] = (), times: Sequence[float] = ()
    ) -> list[NDArray[np.uint8]]:
        """Compose a batch of frames.

        Args:
            motions: N×20, the motions of the source.
            driving: the N driving frames, if there are any.
            times: N times in seconds, in place of those of the driving frames; they must not decrease,
                from batch to batch either. Without both all are 0.

        Returns:
            N images H×W×3, RGB.
        """
        times = [frame.time for frame in driving] or times or [0.0] * len(motions)
        background = torch.cat([self._background.at(time) for time in times]) if self._background else None
        frames = self._animator.animate(self._source, motions, background)
        images = self._to_images(frames.result)
        if self._compositor:
            masks = frames.mask[:, 0].float().cpu().numpy()
            images = [self._compositor(image, mask) for image, mask in zip(images, masks, strict=True)]
        if self._config.side_by_side:
            landmarks = frames.landmarks.float().cpu().numpy()
            images = self._draw_side_by_side(images, landmarks, driving)
        return images

    def _draw_side_by_side(
        self,
        images: list[NDArray[np.uint8]],
        landmarks: NDArray[np.float32],
        driving: Sequence[DrivingFrame],
    ) -> list[NDArray[np.uint8]]:
        source = self._source.photograph if self._compositor else tensor_to_images(self._source.image)[0]
        driving_images: list[NDArray[np.uint8] | None] = [None] * len(images)
        if driving:
            driving_images = [crop_to_face(frame.image, frame.landmarks) for frame in driving]
        return [
            draw_side_by_side(source, driving_image, points, image)
            for driving_image, points, image in zip(driving_images, landmarks, images, strict=True)
        ]

    def _to_images(self, result: Tensor) -> list[NDArray[np.uint8]]:
        images = list(tensor_to_images(result))
        return [_to_gray(image) for image in images] if self._gray else images


def _to_gray(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)
