"""Certificate and key that sign results: the user's own, or a self-made one that is kept.

A self-made certificate proves that a file is unchanged since it was signed, but not who signed it. It holds
no name of a person or a computer.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from filelock import FileLock

from facegan.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

FILE_NAME = "signing.pem"
LIFETIME = timedelta(days=3653)
MIN_RSA_BITS = 2048
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Credentials:
    """Certificate chain and key of a signer.

    Attributes:
        chain: certificates in PEM, the signer's first.
        key: its private key, unencrypted PKCS#8 in PEM; not shown when printed.
        algorithm: C2PA's name for the signature algorithm.
    """

    chain: bytes
    key: bytes
    algorithm: str

    def __repr__(self) -> str:
        return f"Credentials({self.algorithm})"


def read_credentials(certificate: Path, key: Path) -> Credentials:
    """Read a certificate chain and its key.

    Args:
        certificate: PEM file, the signer's certificate first, then those of its issuers.
        key: PEM file of the private key, unencrypted; it may be the same file.

    Raises:
        InputError: if one of them cannot be read, they do not fit together, or the certificate is not
            valid today.
    """
    chain_pem, key_pem = _read(certificate), _read(key)
    try:
        chain = x509.load_pem_x509_certificates(chain_pem)
    except ValueError as error:
        msg = f"{certificate} holds no certificate in PEM: name the file with your certificate chain"
        raise InputError(msg) from error
    try:
        secret = load_pem_private_key(key_pem, None)
    except TypeError as error:
        msg = f"the private key {key} is encrypted: decrypt it first (openssl pkey -in KEY -out PLAIN)"
        raise InputError(msg) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        msg = f"{key} holds no private key in PEM that can be read: name the file with the key"
        raise InputError(msg) from error
    if _public(secret.public_key()) != _public(chain[0].public_key()):
        msg = f"the key {key} does not belong to the first certificate in {certificate}"
        raise InputError(msg)
    first, last = chain[0].not_valid_before_utc, chain[0].not_valid_after_utc
    if not first <= datetime.now(UTC) <= last:
        msg = f"the certificate {certificate} is valid from {first:%Y-%m-%d} to {last:%Y-%m-%d}, not today"
        raise InputError(msg)
    pem = b"".join(link.public_bytes(Encoding.PEM) for link in chain)
    return Credentials(pem, _pem(secret), _algorithm(secret, key))


def local_credentials() -> Credentials:
    """Return the self-made credentials of this user; created at the first call, readable by the user only.

    Raises:
        InputError: if the file is there and damaged or expired.
        OSError: if it cannot be written.
    """
    path = local_file()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Two processes that make it at once end up with one certificate.
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                _write_private(path, _create_credentials())
    try:
        return read_credentials(path, path)
    except InputError as error:
        msg = f"{error}; this is facegan's own file: delete it, and a new one is made"
        raise InputError(msg) from error


def local_anchor() -> bytes | None:
    """Return the self-made issuer certificate in PEM; None if there is none yet."""
    with suppress(OSError, ValueError, IndexError):
        return x509.load_pem_x509_certificates(local_file().read_bytes())[1].public_bytes(Encoding.PEM)
    return None


def local_file() -> Path:
    """Return the path of the self-made certificate and key, in the user's XDG configuration folder."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "facegan" / FILE_NAME


def _create_credentials() -> bytes:
    """Create a leaf certificate, its issuer's certificate and the leaf's key, as C2PA requires."""
    authority, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, subject = _name("facegan local authority"), _name("facegan local signer")
    root = (
        _certificate(issuer, issuer, authority)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(authority, hashes.SHA256())
    )
    # The issuer's key is not kept: it never signs another certificate.
    signer = (
        _certificate(subject, issuer, leaf)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), False)
        .sign(authority, hashes.SHA256())
    )
    return signer.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM) + _pem(leaf)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks differ
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, "facegan"), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])


def _usage(
    digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_private(path: Path, content: bytes) -> None:
    """Write a file with mode 600 atomically."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise InputError(msg) from error


def _algorithm(key: PrivateKeyTypes, path: Path) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= MIN_RSA_BITS:
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    msg = f"the key {path} is of a kind that C2PA does not allow: take EC P-256, RSA of 2048 bits, or Ed25519"
    raise InputError(msg)


def _pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
