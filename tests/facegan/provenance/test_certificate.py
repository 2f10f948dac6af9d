from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.facegan.provenance.certificate_chains import write_chain

from facegan.errors import InputError
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter
from facegan.provenance.certificate import (
    create_local_certificate,
    read_local_certificate,
    read_signer,
)

CLAIM = ManifestClaim("model", ("facegan edit",))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "facegan"


def test_create_local_certificate_is_made_once_and_readable_by_user_only(home):
    assert read_local_certificate() is None
    path = create_local_certificate()
    content = path.read_bytes()
    assert path == home / "signing.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert create_local_certificate().read_bytes() == content
    assert content.startswith(read_local_certificate().encode())
    assert "PRIVATE" not in read_local_certificate()


def test_create_local_certificate_names_nobody(home):
    (certificate,) = x509.load_pem_x509_certificates(create_local_certificate().read_bytes())
    names = [(part.oid._name, part.value) for part in (*certificate.subject, *certificate.issuer)]
    assert names == [("organizationName", "facegan"), ("commonName", "facegan local signer")] * 2


@pytest.mark.slow
def test_create_local_certificate_by_several_processes_makes_one(home):
    # Not forked: a fork of a process with threads may wait for their locks for ever.
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        paths = pool.starmap(create_local_certificate, [()] * 8)
        contents = pool.map(Path.read_bytes, paths)
    assert len(set(contents)) == 1
    assert {path.name for path in home.iterdir()} <= {"signing.pem", "signing.lock"}


def test_provenance_writer_local_certificate_damaged_says_so(home):
    create_local_certificate().write_text("nonsense")
    assert read_local_certificate() is None
    with pytest.raises(InputError, match=r"signing\.pem as a certificate in PEM.* delete it"):
        ProvenanceWriter(ProvenanceConfig(), CLAIM)


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("p256", b"es256"), ("p384", b"es384"), ("rsa", b"ps256"), ("ed25519", b"ed25519")],
)
def test_provenance_writer_allowed_key_is_accepted(tmp_path, kind, algorithm):
    certificate, key = write_chain(tmp_path, kind=kind)
    assert read_signer(certificate, key).alg == algorithm
    ProvenanceWriter(ProvenanceConfig(certificate=certificate, key=key), CLAIM)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"days": (-30, -1)}, "not valid at time of signing"),
        ({"days": (1, 30)}, "not valid at time of signing"),
        ({"password": b"secret"}, "private key is encrypted"),
        ({"kind": "k1"}, "unsupported"),
        ({"kind": "short"}, "RSA of at least 2048 bits"),
        ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, "for e-mail protection or document signing"),
    ],
)
def test_provenance_writer_certificate_that_cannot_sign_is_refused(tmp_path, wrong, reason):
    certificate, key = write_chain(tmp_path, **wrong)
    with pytest.raises(InputError, match=reason) as error:
        ProvenanceWriter(ProvenanceConfig(certificate=certificate, key=key), CLAIM)
    assert "\n" not in str(error.value)


def test_provenance_writer_wrong_files_are_refused(tmp_path):
    certificate, key = write_chain(tmp_path)
    _, other = write_chain(tmp_path, kind="p384")
    for pair, reason in {
        (certificate, other): "does not belong to the first certificate",
        (key, key): "p256.key as a certificate",
        (certificate, certificate): "p256.pem as a private key",
        (tmp_path / "nothing", key): "No such file",
        (certificate, tmp_path): "Is a directory",
        (certificate, None): "name the key too",
        (None, key): "name the certificate too",
    }.items():
        with pytest.raises(InputError, match=reason):
            ProvenanceWriter(ProvenanceConfig(certificate=pair[0], key=pair[1]), CLAIM)


def test_provenance_writer_without_marks_needs_no_certificate(home, tmp_path):
    ProvenanceWriter(ProvenanceConfig(marks=False, certificate=tmp_path / "nothing"), CLAIM)
    assert not home.exists()
