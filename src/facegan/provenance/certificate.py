"""Certificate and key that sign results: the user's own, or a self-made one that is kept.

A self-made certificate proves that a file is unchanged since it was signed, but not who signed it. It holds
no name of a person or a computer.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import c2pa
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from filelock import FileLock

from facegan.errors import InputError
from facegan.io.atomic import atomic_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

T = TypeVar("T")

FILE_NAME = "signing.pem"
LIFETIME = timedelta(days=3653)


def read_signer(certificate: Path, key: Path) -> c2pa.C2paSignerInfo:
    """Read a certificate chain and its key; whether C2PA takes them is not checked.

    Args:
        certificate: PEM file, the signer's certificate first, then those of its issuers.
        key: PEM file of the private key, unencrypted; it may be the same file.

    Raises:
        InputError: if one of them cannot be read, or they do not fit together.
    """
    chain = _read_pem(certificate, "certificate", x509.load_pem_x509_certificates)
    secret = _read_pem(key, "private key", lambda content: load_pem_private_key(content, None))
    if secret.public_key() != chain[0].public_key():
        msg = f"the key {key} does not belong to the first certificate in {certificate}"
        raise InputError(msg)
    if isinstance(secret, ec.EllipticCurvePrivateKey):
        algorithm = {384: "es384", 521: "es512"}.get(secret.key_size, "es256")
    else:
        algorithm = "ps256" if isinstance(secret, rsa.RSAPrivateKey) else "ed25519"
    return c2pa.C2paSignerInfo(algorithm, _certificates_to_pem(chain), _key_to_pem(secret), None)


def create_local_certificate() -> Path:
    """Return the path of this user's self-made certificate and key; the first call creates them.

    Only the user can read the file.

    Raises:
        OSError: if it cannot be written.
    """
    path = local_path()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Two processes that make it at once end up with one certificate.
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                with atomic_file(path) as partial:
                    partial.touch(0o600)
                    partial.write_bytes(_make_certificate_and_key())
    return path


def read_local_certificate() -> str | None:
    """Return the self-made certificate in PEM; None if there is none yet, or it is damaged."""
    with suppress(OSError, ValueError):
        return _certificates_to_pem(x509.load_pem_x509_certificates(local_path().read_bytes())).decode()
    return None


def local_path() -> Path:
    """Return the path of the self-made certificate and key, in the user's XDG configuration folder."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "facegan" / FILE_NAME


def _make_certificate_and_key() -> bytes:
    """Make a certificate of C2PA's profile, and its key, in PEM.

    It is self-signed, which C2PA refuses to authorities only.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    public, now = key.public_key(), datetime.now(UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "facegan"),
            x509.NameAttribute(NameOID.COMMON_NAME, "facegan local signer"),
        ]
    )
    others = "content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
    others += "encipher_only decipher_only"
    usage = x509.KeyUsage(digital_signature=True, **dict.fromkeys(others.split(), False))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks differ
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, SHA256())
    )
    return _certificates_to_pem([certificate]) + _key_to_pem(key)


def _read_pem(path: Path, kind: str, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(path.read_bytes())
    except (OSError, TypeError, ValueError, UnsupportedAlgorithm) as error:
        msg = f"cannot read {path} as a {kind} in PEM: {error}"
        raise InputError(msg) from error


def _certificates_to_pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def _key_to_pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
