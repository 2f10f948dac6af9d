"""Marking what the networks made: visibly if asked for, invisibly, and with a signed manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import c2pa

from facegan.errors import InputError
from facegan.provenance.certificate import local_credentials, read_credentials
from facegan.provenance.manifest import ManifestClaim, sign_file, try_credentials
from facegan.provenance.visible_label import draw_badge
from facegan.provenance.watermark import embed

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from facegan.provenance.certificate import Credentials


@dataclass(frozen=True)
class ProvenanceConfig:
    """Which marks a result gets.

    Attributes:
        enabled: False leaves all marks away.
        badge: draw a small visible badge too.
        certificate: PEM file with the user's own certificate chain; None for the self-made one.
        key: PEM file with its private key.
    """

    enabled: bool = True
    badge: bool = False
    certificate: Path | None = None
    key: Path | None = None


class ProvenanceWriter:
    """Marks one result, a picture or a video.

    Args:
        marks: which marks.
        claim: what the manifest says.

    Raises:
        InputError: if the certificate or the key cannot be read, do not fit together, or are not such
            as C2PA allows.
        OSError: if the self-made certificate cannot be stored.
    """

    def __init__(self, marks: ProvenanceConfig, claim: ManifestClaim) -> None:
        self._marks = marks
        self._claim = claim
        self._credentials = _credentials(marks) if marks.enabled else None

    def mark(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture or a frame of a video with the invisible mark and, if asked for, the badge.

        Args:
            image: H×W×3, RGB, 32 pixels a side or more; not changed.
        """
        if not self._marks.enabled:
            return image
        return embed(draw_badge(image) if self._marks.badge else image)

    def sign(self, path: Path) -> None:
        """Signs the finished file in place; memory does not grow with its length.

        Args:
            path: .mp4, .png, .jpg or .jpeg.

        Raises:
            OSError: if it cannot be written, for example to a full disk; the file stays unsigned.
        """
        if self._credentials:
            sign_file(path, self._claim, self._credentials)


def _credentials(marks: ProvenanceConfig) -> Credentials:
    if (marks.certificate is None) != (marks.key is None):
        missing = "key" if marks.key is None else "certificate"
        msg = f"a certificate and its key go together: name the {missing} too"
        raise InputError(msg)
    if marks.certificate is None or marks.key is None:
        return local_credentials()
    credentials = read_credentials(marks.certificate, marks.key)
    try:
        try_credentials(credentials)
    except c2pa.C2paError as error:
        msg = (
            f"C2PA does not allow signing with {marks.certificate} ({error}): "
            "it must be for e-mail protection or document signing, and not self-signed"
        )
        raise InputError(msg) from error
    return credentials
