"""One model for all sessions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from facegan.geometry.head_alignment import SourceFace
    from facegan.inference.engines import Engine, Frames


class SharedEngine:
    """An engine that several threads may call: it computes one batch after the other.

    Args:
        engine: the networks.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self.size = engine.size
        self.device = engine.device

    def __call__(self, source: SourceFace, motion: Tensor, background: Tensor) -> Frames:
        """See :class:`~facegan.inference.engines.Engine`."""
        with self._lock:
            return self._engine(source, motion, background)
