"""MediaPipe's Tasks API, imported when first needed: it takes a second and logs to standard error."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from facegan.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def vision() -> Any:
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
    os.environ.setdefault("GLOG_minloglevel", "2")
    from mediapipe.tasks.python import vision

    return vision


def base_options(**model: Any) -> Any:
    """MediaPipe's options for one model: ``model_asset_path`` or ``model_asset_buffer``."""
    from mediapipe.tasks.python import BaseOptions

    return BaseOptions(**model)


def picture(image: NDArray[np.uint8]) -> Any:
    """An H×W×3 RGB array as MediaPipe's image."""
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
