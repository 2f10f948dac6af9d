"""Access MediaPipe's Tasks API; it is imported when first needed, because that takes a second."""

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

_STDERR_LOCK = threading.RLock()


def import_vision() -> Any:
    """Import ``mediapipe.tasks.python.vision``.

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
    """Suppress the log of MediaPipe's C++ code, which no setting does.

    One thread at a time: concurrent redirections would leave standard error closed.
    """
    with _STDERR_LOCK:
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
    """Build the options of one model: ``model_asset_path`` or ``model_asset_buffer``."""
    from mediapipe.tasks.python import BaseOptions

    return BaseOptions(**model)


def to_mediapipe_image(image: NDArray[np.uint8]) -> Any:
    """Convert an H×W×3 RGB array to MediaPipe's image type."""
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
