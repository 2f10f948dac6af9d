"""Reenactment of a source image by the face in front of a camera."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import torch

from facegan.inference.frame_composer import FrameComposer, RenderConfig
from facegan.inference.motion_transfer import MotionTransfer, MotionTransferConfig
from facegan.perception import FaceAnalyzer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facegan.inference import Animator, Source

FPS_WINDOW = 12
"""Frames over which the displayed frame rate is averaged."""


@dataclass(frozen=True)
class LiveFrame:
    """One frame of the result.

    Attributes:
        image: H×W×3, RGB.
        detected: whether the camera shows a face; without one the last motion stays.
        fps: mean frames per second, 0 for the first frame.
        latency: seconds from the arrival of the camera frame to the result.
    """

    image: NDArray[np.uint8]
    detected: bool
    fps: float
    latency: float


class LiveReenactor:
    """Reenacts a source image by the frames of one camera.

    Args:
        animator: the model.
        source: the face of the source image.
        transfer: how motion is transferred.
        render: what the result shows besides the face.

    Raises:
        InputError: if the background cannot be read.
    """

    def __init__(
        self, animator: Animator, source: Source, transfer: MotionTransferConfig, render: RenderConfig
    ) -> None:
        self._motion = source.motion[0].cpu()
        self._transfer = MotionTransfer(transfer, self._motion)
        self._composer = FrameComposer(animator, source, render)
        self._analyzer = FaceAnalyzer(1, scores=False)
        self._start = perf_counter()
        self._completed: deque[float] = deque(maxlen=FPS_WINDOW + 1)

    def __call__(self, image: NDArray[np.uint8], arrival: float | None = None) -> LiveFrame:
        """Compute the result for the next camera frame.

        Args:
            image: H×W×3, RGB.
            arrival: when the frame came in, by ``time.perf_counter``.
        """
        now = perf_counter()
        arrival = now if arrival is None else arrival
        time = now - self._start
        faces = self._analyzer(image, time)
        if faces:
            self._motion = self._transfer(torch.from_numpy(faces[0].motion), time)
        result = self._composer.compose(self._motion[None], times=[time])[0]
        self._completed.append(perf_counter())
        duration = self._completed[-1] - self._completed[0]
        fps = (len(self._completed) - 1) / duration if duration else 0.0
        return LiveFrame(result, bool(faces), fps, self._completed[-1] - arrival)

    def close(self) -> None:
        """Release the face analyzer."""
        self._analyzer.close()
