from __future__ import annotations

import errno
import io
import json
import resource
import signal
import subprocess
import sys

import c2pa
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.facegan.provenance.certificate_chains import write_chain

from facegan.errors import InputError
from facegan.io.images import write_image
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter, detect_provenance
from facegan.provenance.certificate import read_credentials
from facegan.provenance.manifest import DIGITAL_SOURCE_TYPE, read_manifest, sign_file

CLAIM = ManifestClaim("owner/model", ("facegan reenact", "relative motion", "new background"))

TAKEN = {"digitalSourceType": DIGITAL_SOURCE_TYPE.replace("trainedAlgorithmicMedia", "digitalCapture")}


@pytest.fixture(params=["png", "jpg", "jpeg", "mp4"])
def unsigned(request, tmp_path, photograph, heads, make_video, unmarked):
    if request.param == "mp4":
        return make_video("made.mp4", heads[:8])
    write_image(tmp_path / f"made.{request.param}", photograph, unmarked)
    return tmp_path / f"made.{request.param}"


@pytest.fixture
def png(tmp_path, photograph):
    write_image(tmp_path / "made.png", photograph)
    return tmp_path / "made.png"


def test_each_format_is_signed_and_read_by_c2pa_itself(unsigned):
    before = detect_provenance(unsigned)
    assert before.manifest is None
    ProvenanceWriter(ProvenanceConfig(), CLAIM).sign(unsigned)
    with c2pa.Reader(unsigned) as reader:
        assert reader.get_validation_state() == "Valid"
        active = reader.get_active_manifest()
    assert active["claim_generator_info"][0]["name"] == "facegan"
    (assertion,) = (part for part in active["assertions"] if part["label"] == "c2pa.actions.v2")
    created, *edits, watermarked = assertion["data"]["actions"]
    assert created["action"] == "c2pa.created"
    assert created["digitalSourceType"] == DIGITAL_SOURCE_TYPE
    assert created["softwareAgent"]["name"] == "facegan"
    assert [edit["action"] for edit in edits] == ["c2pa.edited"] * 2
    assert watermarked["action"] == "c2pa.watermarked.unbound"
    assert "thumbnail" not in active
    # Names of files tell more than is meant to be told.
    assert "made" not in json.dumps({key: active[key] for key in active if key != "assertions"})
    assert sorted(path.name for path in unsigned.parent.iterdir()) == [unsigned.name]


def test_what_was_signed_is_read_back(unsigned):
    ProvenanceWriter(ProvenanceConfig(), CLAIM).sign(unsigned)
    found = read_manifest(unsigned)
    assert found.state == "valid"
    assert found.signer == "facegan local signer"
    assert found.program.startswith("facegan ")
    assert found.model == CLAIM.model
    assert found.actions[:3] == CLAIM.actions
    assert found.is_generated
    assert detect_provenance(unsigned).score == pytest.approx(detect_provenance(unsigned).score)


def test_names_do_not_matter(unsigned):
    ProvenanceWriter(ProvenanceConfig(), CLAIM).sign(unsigned)
    for name in ("renamed.txt", "renamed.png", "renamed.mp4", "renamed"):
        renamed = unsigned.rename(unsigned.with_name(name))
        unsigned = renamed
        assert detect_provenance(renamed).manifest.state == "valid"


def test_a_changed_picture_is_told(unsigned):
    ProvenanceWriter(ProvenanceConfig(), CLAIM).sign(unsigned)
    content = bytearray(unsigned.read_bytes())
    # Near the end lies picture data, or sound, in all the formats.
    content[-60] ^= 1
    unsigned.write_bytes(content)
    found = read_manifest(unsigned)
    assert found.state == "invalid"
    assert "not what was signed" in found.errors[0]


def test_a_changed_claim_is_told(unsigned):
    ProvenanceWriter(ProvenanceConfig(), CLAIM).sign(unsigned)
    content = unsigned.read_bytes()
    assert content.count(b"relative motion") == 1
    unsigned.write_bytes(content.replace(b"relative motion", b"a camera's own "))
    assert read_manifest(unsigned).state == "invalid"


def test_a_manifest_moved_to_another_picture_is_told(tmp_path, heads):
    for name, image in zip("ab", heads[::20], strict=True):
        write_image(tmp_path / f"{name}.png", image)
    ProvenanceWriter(ProvenanceConfig(), CLAIM).sign(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    start = content.index(b"caBX") - 4
    chunk = content[start : start + 12 + int.from_bytes(content[start : start + 4], "big")]
    other = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(other[:33] + chunk + other[33:])
    assert read_manifest(tmp_path / "b.png").state == "invalid"


def test_an_own_certificate_is_named_but_not_vouched_for(png, tmp_path):
    certificate, key = write_chain(tmp_path)
    ProvenanceWriter(ProvenanceConfig(certificate=certificate, key=key), CLAIM).sign(png)
    found = detect_provenance(png)
    assert found.manifest.state == "untrusted"
    assert found.manifest.signer == "Ada Example"
    assert "an unknown signer" in found.describe()


def test_manifests_of_other_programs_are_read(png, tmp_path):
    sign_as_another(png, tmp_path, {"description": "taken", **TAKEN})
    found = detect_provenance(png)
    assert found.manifest.program == "Camera 2"
    assert found.manifest.actions == ("taken",)
    assert not found.manifest.is_generated
    assert found.describe().endswith("unchanged since it was signed")


def test_what_others_wrote_cannot_write_over_the_terminal(png, tmp_path):
    sign_as_another(png, tmp_path, {"description": "\x1b[2J\r\nfile: genuine\u202e" + "x" * 999, **TAKEN})
    text = detect_provenance(png).describe()
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.count("\n") == 3
    assert len(text) < 900


def sign_as_another(path, folder, action):
    certificate, key = write_chain(folder)
    credentials = read_credentials(certificate, key)
    definition = {
        "claim_generator_info": [{"name": "Camera", "version": "2"}],
        "assertions": [
            {"label": "c2pa.actions", "data": {"actions": [{"action": "c2pa.created", **action}]}}
        ],
    }
    info = c2pa.C2paSignerInfo(b"es256", credentials.chain, credentials.key, None)
    result = io.BytesIO()
    c2pa.Builder(json.dumps(definition)).sign(
        c2pa.Signer.from_info(info), "image/png", io.BytesIO(path.read_bytes()), result
    )
    path.write_bytes(result.getvalue())


@pytest.fixture(scope="module")
def signed_bytes(tmp_path_factory):
    path = tmp_path_factory.mktemp("signed") / "made.png"
    write_image(path, np.zeros((32, 32, 3), np.uint8))
    ProvenanceWriter(ProvenanceConfig(), CLAIM).sign(path)
    return path.read_bytes()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_told_or_found(signed_bytes, tmp_path, data):
    content = bytearray(signed_bytes)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    path = tmp_path / "damaged"
    path.write_bytes(content)
    try:
        found = detect_provenance(path)
    except InputError:
        return
    assert bytes(content) == signed_bytes or found.manifest is None or found.manifest.state == "invalid"


@pytest.mark.parametrize("content", [b"", b"nonsense", b"jumdc2pa" * 40, b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_told(tmp_path, content):
    path = tmp_path / "file.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"file\.png"):
        detect_provenance(path)


def test_missing_files_and_folders_are_told(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.png"):
        with pytest.raises(InputError, match="cannot read"):
            detect_provenance(path)


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter, manifest

write = manifest._Stream.write

def interrupt(stream, data):
    manifest._Stream.write = write
    os.kill(os.getpid(), signal.SIGINT)
    return write(stream, data)

signal.signal(signal.SIGINT, signal.default_int_handler)
manifest._Stream.write = interrupt
try:
    ProvenanceWriter(ProvenanceConfig(), ManifestClaim("model", ("made",))).sign(Path(sys.argv[1]))
except KeyboardInterrupt:
    print("interrupted")
"""


def test_interrupted_signing_leaves_the_unsigned_file(unsigned):
    """In a process of its own."""
    before = unsigned.read_bytes()
    line = [sys.executable, "-c", INTERRUPTED, str(unsigned)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
    assert unsigned.read_bytes() == before
    assert [path.name for path in unsigned.parent.iterdir()] == [unsigned.name]


def test_a_full_disk_leaves_the_unsigned_file(unsigned):
    before = unsigned.read_bytes()
    marker = ProvenanceWriter(ProvenanceConfig(), CLAIM)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(OSError, match="too large") as error:
            marker.sign(unsigned)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert error.value.errno == errno.EFBIG
    assert unsigned.read_bytes() == before
    assert [path.name for path in unsigned.parent.iterdir()] == [unsigned.name]


def test_a_file_that_c2pa_cannot_take_stays(tmp_path):
    path = tmp_path / "made.png"
    path.write_bytes(b"nonsense")
    with pytest.raises(OSError, match="cannot sign"):
        ProvenanceWriter(ProvenanceConfig(), CLAIM).sign(path)
    assert path.read_bytes() == b"nonsense"


def test_signing_twice_is_signing_anew(png):
    for _ in range(2):
        sign_file(png, CLAIM, read_credentials(*write_chain(png.parent)))
    assert read_manifest(png).state == "untrusted"
