"""Certificate chains as users might bring them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat as Format
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "short": lambda: rsa.generate_private_key(65537, 1024),
}


def write_chain(
    folder: Path,
    *,
    kind: str = "p256",
    days: tuple[int, int] = (-1, 30),
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
    password: bytes | None = None,
) -> tuple[Path, Path]:
    """Files with a certificate of Ada Example and its key."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), KEYS[kind]()
    root = certificate("Example Authority", authority, authority, (-40, 400)).sign(authority, hashes.SHA256())
    leaf = certificate("Ada Example", key, authority, days)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([purpose]), False).sign(authority, hashes.SHA256())
    paths = folder / f"{kind}.pem", folder / f"{kind}.key"
    paths[0].write_bytes(leaf.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM))
    secrecy = BestAvailableEncryption(password) if password else NoEncryption()
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, Format.PKCS8, secrecy))
    return paths


def certificate(name: str, key: Any, authority: Any, days: tuple[int, int]) -> x509.CertificateBuilder:
    subject, issuer = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, "Example Authority")
    )
    first, last = (datetime.now(UTC) + timedelta(days=count) for count in days)
    signs = key is not authority
    usage = x509.KeyUsage(signs, False, False, False, False, not signs, not signs, False, False)
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), first, last)
        .add_extension(x509.BasicConstraints(not signs, None), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), False)
    )
