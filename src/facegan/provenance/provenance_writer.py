"""Marking of results: invisible watermark, signed manifest and, on request, a visible label."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  the command line reads the types of ProvenanceConfig
from typing import TYPE_CHECKING

import c2pa

from facegan.errors import InputError
from facegan.provenance.certificate import create_local_certificate, read_signer
from facegan.provenance.manifest import ManifestClaim, check_signer, sign_file
from facegan.provenance.visible_label import draw_visible_label
from facegan.provenance.watermark import embed_watermark

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
        self._signer = _load_signer(config) if config.marks else None

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
        if self._signer:
            sign_file(path, self._claim, self._signer)


def _load_signer(config: ProvenanceConfig) -> c2pa.C2paSignerInfo:
    if (config.certificate is None) != (config.key is None):
        missing = "key" if config.key is None else "certificate"
        msg = f"a certificate and its key go together: name the {missing} too"
        raise InputError(msg)
    certificate = config.certificate or create_local_certificate()
    try:
        signer = read_signer(certificate, config.key or certificate)
        check_signer(signer)
    except (InputError, c2pa.C2paError) as error:
        advice = (
            "it is facegan's own: delete it, and a new one is made"
            if config.certificate is None
            else "C2PA takes certificates for e-mail protection or document signing, valid today, with an "
            "unencrypted key, EC P-256 to P-521, RSA of at least 2048 bits or Ed25519"
        )
        msg = f"cannot sign with {certificate} ({error}): {advice}"
        raise InputError(msg) from error
    return signer
