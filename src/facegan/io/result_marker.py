"""What a writer of results needs of whoever marks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class ResultMarker(Protocol):
    """Marks an image or a video as machine-made while it is written."""

    def mark(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Mark an image or a frame of a video, H×W×3 RGB; the argument stays unchanged."""
        ...

    def sign(self, path: Path) -> None:
        """Sign the finished file in place.

        Raises:
            OSError: if it cannot be written.
        """
        ...
