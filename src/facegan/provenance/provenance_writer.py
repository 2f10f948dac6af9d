"""Marking of results: invisible watermark, signed manifest and, on request, a visible label."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  the command line reads the types of ProvenanceConfig
from typing import TYPE_CHECKING

import c2pa

from facegan.errors import InputError
from facegan.provenance.certificate import local_credentials, read_credentials
from facegan.provenance.manifest import ManifestClaim, check_credentials, sign_file
from facegan.provenance.visible_label import draw_visible_label
from facegan.provenance.watermark import embed_watermark

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facegan.provenance.certificate import Credentials


@dataclass(frozen=True)
class ProvenanceConfig:
    """How results are marked as generated.

    Attributes:
        marks: Mark results; --no-marks leaves out the watermark, the signed manifest and the label.
        visible_label: Draw a visible label in the corner.
        certificate: PEM chain to sign results with, in place of one that is made on this machine.
        key: PEM file with the private key of the certificate.
    """

    marks: bool = True
    visible_label: bool = False
    certificate: Path | None = None
    key: Path | None = None


class ProvenanceWriter:
    """Mark one result, an image or a video.

    Args:
        config: which marks.
        claim: content of the manifest.

    Raises:
        InputError: if the certificate or the key cannot be read, do not fit together, or are not allowed by
            C2PA.
        OSError: if the self-made certificate cannot be stored.
    """

    def __init__(self, config: ProvenanceConfig, claim: ManifestClaim) -> None:
        self._config = config
        self._claim = claim
        self._credentials = _load_credentials(config) if config.marks else None

    def mark(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image or a frame with the watermark and, if asked for, the visible label.

        Args:
            image: H×W×3, RGB, 32 pixels a side or more; not changed.
        """
        if not self._config.marks:
            return image
        return embed_watermark(draw_visible_label(image) if self._config.visible_label else image)

    def sign(self, path: Path) -> None:
        """Sign the finished file in place; memory does not grow with its length.

        Args:
            path: .mp4, .png, .jpg or .jpeg.

        Raises:
            OSError: if it cannot be written, for example to a full disk; the file stays unsigned.
        """
        if self._credentials:
            sign_file(path, self._claim, self._credentials)


def _load_credentials(config: ProvenanceConfig) -> Credentials:
    if (config.certificate is None) != (config.key is None):
        missing = "key" if config.key is None else "certificate"
        msg = f"a certificate and its key go together: name the {missing} too"
        raise InputError(msg)
    if config.certificate is None or config.key is None:
        return local_credentials()
    credentials = read_credentials(config.certificate, config.key)
    try:
        check_credentials(credentials)
    except c2pa.C2paError as error:
        msg = (
            f"C2PA does not allow signing with {config.certificate} ({error}): "
            "it must be for e-mail protection or document signing, and not self-signed"
        )
        raise InputError(msg) from error
    return credentials
