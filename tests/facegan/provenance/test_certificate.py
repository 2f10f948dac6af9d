from __future__ import annotations

import multiprocessing
import stat

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.facegan.provenance.certificate_chains import write_chain

from facegan.errors import InputError
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter
from facegan.provenance.certificate import local_anchor, local_credentials, local_file, read_credentials

CLAIM = ManifestClaim("model", ("facegan edit",))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "facegan"


def test_the_self_made_certificate_is_made_once_and_is_the_users_alone(home):
    assert local_anchor() is None
    made = local_credentials()
    assert local_file().parent == home
    assert stat.S_IMODE(local_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert local_credentials() == made
    assert local_anchor() in made.chain
    assert "PRIVATE" not in repr(made)


def test_the_self_made_certificate_names_nobody(home):
    leaf, root = x509.load_pem_x509_certificates(local_credentials().chain)
    names = [attribute.value for attribute in (*leaf.subject, *root.subject)]
    assert names == ["facegan", "facegan local signer", "facegan", "facegan local authority"]
    assert {attribute.oid for attribute in leaf.subject} == {NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME}
    leaf.verify_directly_issued_by(root)


def test_processes_that_make_it_at_once_agree(home):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        made = pool.starmap(local_credentials, [()] * 8)
    assert len({credentials.chain for credentials in made}) == 1
    assert {path.name for path in home.iterdir()} <= {"signing.pem", "signing.lock"}


def test_a_damaged_self_made_certificate_is_told(home):
    local_credentials()
    local_file().write_text("nonsense")
    assert local_anchor() is None
    with pytest.raises(InputError, match=r"signing\.pem holds no certificate .* delete it"):
        ProvenanceWriter(ProvenanceConfig(), CLAIM)


@pytest.mark.parametrize(
    ("kind", "algorithm"), [("p256", "es256"), ("p384", "es384"), ("rsa", "ps256"), ("ed25519", "ed25519")]
)
def test_own_certificates_of_all_allowed_kinds(tmp_path, kind, algorithm):
    certificate, key = write_chain(tmp_path, kind=kind)
    assert read_credentials(certificate, key).algorithm == algorithm
    ProvenanceWriter(ProvenanceConfig(certificate=certificate, key=key), CLAIM)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"days": (-30, -1)}, "not today"),
        ({"days": (1, 30)}, "not today"),
        ({"password": b"secret"}, "encrypted"),
        ({"kind": "k1"}, "a kind that C2PA does not allow"),
        ({"kind": "short"}, "a kind that C2PA does not allow"),
        ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, "C2PA does not allow"),
    ],
)
def test_certificates_that_cannot_sign_are_told_before_work_begins(tmp_path, wrong, reason):
    certificate, key = write_chain(tmp_path, **wrong)
    with pytest.raises(InputError, match=reason) as error:
        ProvenanceWriter(ProvenanceConfig(certificate=certificate, key=key), CLAIM)
    assert "\n" not in str(error.value)


def test_files_that_are_not_what_they_should_be(tmp_path):
    certificate, key = write_chain(tmp_path)
    _, other = write_chain(tmp_path, kind="p384")
    for pair, reason in {
        (certificate, other): "does not belong to the first certificate",
        (key, key): "holds no certificate",
        (certificate, certificate): "holds no private key",
        (tmp_path / "nothing", key): "nothing: No such file",
        (certificate, tmp_path): "Is a directory",
        (certificate, None): "name the key too",
        (None, key): "name the certificate too",
    }.items():
        with pytest.raises(InputError, match=reason):
            ProvenanceWriter(ProvenanceConfig(certificate=pair[0], key=pair[1]), CLAIM)


def test_what_is_not_marked_needs_no_certificate(home, tmp_path):
    ProvenanceWriter(ProvenanceConfig(marks=False, certificate=tmp_path / "nothing"), CLAIM)
    assert not home.exists()
