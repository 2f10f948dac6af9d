"""MediaPipe's Tasks API, imported when first needed: that takes a second."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_TURN = threading.RLock()


def import_vision() -> Any:
    """The module ``mediapipe.tasks.python.vision``.

    Raises:
        InputError: if a system library that MediaPipe is linked with is missing.
    """
    if sys.platform == "linux":
        for library in ("libEGL.so.1", "libGLESv2.so.2"):
            try:
                ctypes.CDLL(library)
            except OSError as error:
                msg = f"MediaPipe needs the system library {library}: apt-get install libegl1 libgles2"
                raise InputError(msg) from error
    # The library's own profiler would send SIGPROF to a process that nothing handles it in, and end it.
    os.environ.setdefault("CPUPROFILE_FREQUENCY", "0")
    from mediapipe.tasks.python import vision

    return vision


@contextmanager
def suppress_native_stderr() -> Iterator[None]:
    """Keeps what MediaPipe's C++ logs while it builds a task off the terminal; no setting does.

    Threads wait for each other: crossing, they would leave the terminal closed.
    """
    with _TURN:
        sys.stderr.flush()
        kept = os.dup(2)
        with Path(os.devnull).open("w") as sink:
            os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def base_options(**model: Any) -> Any:
    """MediaPipe's options for one model: ``model_asset_path`` or ``model_asset_buffer``."""
    from mediapipe.tasks.python import BaseOptions

    return BaseOptions(**model)


def to_mediapipe_image(image: NDArray[np.uint8]) -> Any:
    """An H×W×3 RGB array as MediaPipe's image."""
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
