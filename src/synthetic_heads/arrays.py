"""Array types that the whole package uses, and their conversion."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.floating[Any]]
Bytes = NDArray[np.uint8]
Triangles = NDArray[np.int32]


def as_float32(values: Any) -> Floats:
    """Convert numbers to a 32 bit array."""
    return np.asarray(values, dtype=np.float32)
