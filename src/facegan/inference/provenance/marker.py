"""What puts the marks into a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Marks:
    """Which marks a result gets."""

    enabled: bool = True
    badge: bool = False
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class Claim:
    """What the signed manifest says."""

    model: str
    actions: tuple[str, ...]


class Marker:
    """One a result."""

    def __init__(self, marks: Marks, claim: Claim) -> None:
        self.marks, self.claim = marks, claim

    def mark(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Invisible mark and badge."""
        return image

    def sign(self, path: Path) -> None:
        """Signs a file in place."""
