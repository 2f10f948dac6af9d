"""A photograph that moves with the face before the camera."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Self

import torch

from facegan.inference.frame_composer import RenderConfig, Scene
from facegan.inference.motion_transfer import MotionTransfer, MotionTransferConfig
from facegan.perception import FaceAnalyzer

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from facegan.inference import Animator, Source

RATE_OVER = 12
"""Frames that the shown rate is a mean of."""


@dataclass(frozen=True)
class LiveFrame:
    """One frame of the result."""

    image: NDArray[np.uint8]
    """H×W×3."""
    found: bool
    """Whether the camera sees a face; else the last motion stays."""
    rate: float
    """Frames per second, 0 for the first."""
    latency: float
    """Seconds from the camera's frame to the result."""


class LiveFace:
    """Follows one camera.

    Args:
        animator: the model.
        source: the face of the photograph.
        control: what of the motion is taken over.
        look: what is behind the head.

    Raises:
        InputError: if the background cannot be read.
    """

    def __init__(
        self, animator: Animator, source: Source, control: MotionTransferConfig, look: RenderConfig
    ) -> None:
        self._control = control
        self._own = source.motion[0].cpu()
        self._scene = Scene(animator, source, look)
        self._analyzer = FaceAnalyzer(1, scores=False)
        self._began = perf_counter()
        self._ends: deque[float] = deque(maxlen=RATE_OVER + 1)
        self._steering: MotionTransfer | None = None
        self._motion = self._own

    def __call__(self, image: NDArray[np.uint8], began: float | None = None) -> LiveFrame:
        """The result for the camera's next frame.

        Args:
            image: H×W×3, RGB.
            began: when it came in, by the performance counter.
        """
        now = perf_counter()
        began = now if began is None else began
        faces = self._analyzer(image, now - self._began)
        motion = torch.from_numpy(faces[0].motion) if faces else None
        if motion is not None:
            if self._steering is None:
                reference = motion if self._control.relative else None
                self._steering = MotionTransfer(self._control, self._own, reference)
            self._motion = self._steering(motion, now - self._began)
        shown = self._scene.draw(self._motion[None], times=[now - self._began])[0]
        self._ends.append(perf_counter())
        span = self._ends[-1] - self._ends[0]
        rate = (len(self._ends) - 1) / span if span else 0.0
        return LiveFrame(shown, bool(faces), rate, self._ends[-1] - began)

    def close(self) -> None:
        """Frees the analyzer."""
        self._analyzer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
