from __future__ import annotations

import errno
import io
import json
import os
import resource
import signal
import subprocess
import sys

import av
import c2pa
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.facegan.provenance.certificate_chains import write_chain

from facegan.errors import InputError
from facegan.io.images import write_image
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter, detect_provenance
from facegan.provenance.certificate import read_signer
from facegan.provenance.manifest import DIGITAL_SOURCE_TYPE, _RecordingFile, read_manifest, sign_file

CLAIM = ManifestClaim("owner/model", ("facegan reenact", "relative motion", "new background"))
TAKEN = {"digitalSourceType": DIGITAL_SOURCE_TYPE.replace("trainedAlgorithmicMedia", "digitalCapture")}


@pytest.fixture(params=["png", "jpg", "jpeg", "mp4"])
def unsigned(request, tmp_path, photograph, heads, make_video, unmarked):
    if request.param == "mp4":
        return make_video("made.mp4", heads[:8])
    write_image(tmp_path / f"made.{request.param}", photograph, unmarked)
    return tmp_path / f"made.{request.param}"


@pytest.fixture
def signed(unsigned):
    sign(unsigned)
    return unsigned


@pytest.fixture
def png(tmp_path, photograph):
    write_image(tmp_path / "made.png", photograph)
    return tmp_path / "made.png"


def sign(path, **config):
    ProvenanceWriter(ProvenanceConfig(**config), CLAIM).sign(path)


def test_sign_is_read_by_c2pa_itself(unsigned):
    assert read_manifest(unsigned) is None
    sign(unsigned)
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
    assert [path.name for path in unsigned.parent.iterdir()] == [unsigned.name]


@pytest.mark.parametrize("name", ["renamed.txt", "renamed.png", "renamed.mp4", "renamed"])
def test_read_manifest_any_name_returns_what_was_signed(signed, name):
    found = read_manifest(signed.rename(signed.with_name(name)))
    assert found.state == "valid"
    assert found.signer == "facegan local signer"
    assert found.program.startswith("facegan ")
    assert found.model == CLAIM.model
    assert found.actions[:3] == CLAIM.actions
    assert found.is_generated


def test_read_manifest_image_changed_is_invalid(signed):
    content = bytearray(signed.read_bytes())
    # Image data, or sound, is stored near the end in all formats.
    content[-60] ^= 1
    signed.write_bytes(content)
    found = read_manifest(signed)
    assert found.state == "invalid"
    assert "not what was signed" in found.errors[0]


def test_read_manifest_claim_changed_is_invalid(signed):
    content = signed.read_bytes()
    assert content.count(b"relative motion") == 1
    signed.write_bytes(content.replace(b"relative motion", b"a camera's own "))
    assert read_manifest(signed).state == "invalid"


def test_read_manifest_moved_to_another_image_is_invalid(tmp_path, heads):
    for name, image in zip("ab", heads[::20], strict=True):
        write_image(tmp_path / f"{name}.png", image)
    sign(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    start = content.index(b"caBX") - 4
    chunk = content[start : start + 12 + int.from_bytes(content[start : start + 4], "big")]
    other = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(other[:33] + chunk + other[33:])
    assert read_manifest(tmp_path / "b.png").state == "invalid"


def test_read_manifest_own_certificate_is_untrusted(png, tmp_path):
    certificate, key = write_chain(tmp_path)
    sign(png, certificate=certificate, key=key)
    found = detect_provenance(png)
    assert found.manifest.state == "untrusted"
    assert found.manifest.signer == "Ada Example"
    assert "an unknown signer" in found.describe()


def test_read_manifest_of_another_program(png, tmp_path):
    sign_as_camera(png, tmp_path, {"description": "taken", **TAKEN})
    found = detect_provenance(png)
    assert found.manifest.program == "Camera 2"
    assert found.manifest.actions == ("taken",)
    assert not found.manifest.is_generated
    assert found.describe().endswith("unchanged since it was signed")


def test_describe_control_characters_are_left_out(png, tmp_path):
    sign_as_camera(png, tmp_path, {"description": "\x1b[2J\r\nfile: genuine\u202e" + "x" * 999, **TAKEN})
    text = detect_provenance(png).describe()
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.count("\n") == 3
    assert len(text) < 900


@pytest.mark.parametrize("data", [7, {"actions": 7}, {"actions": ["created"]}, {"actions": [{"action": {}}]}])
def test_read_manifest_actions_of_another_structure_is_invalid(png, tmp_path, data):
    sign_as_camera(png, tmp_path, TAKEN, {"label": "org.x.action", "data": data})
    png.write_bytes(png.read_bytes().replace(b"org.x.action", b"c2pa.actions"))
    assert read_manifest(png).state == "invalid"


def sign_as_camera(path, folder, action, *assertions):
    actions = {"label": "c2pa.actions", "data": {"actions": [{"action": "c2pa.created", **action}]}}
    definition = {
        "claim_generator_info": [{"name": "Camera", "version": "2"}],
        "assertions": [actions, *assertions],
    }
    signer = c2pa.Signer.from_info(read_signer(*write_chain(folder)))
    result = io.BytesIO()
    c2pa.Builder(json.dumps(definition)).sign(signer, "image/png", io.BytesIO(path.read_bytes()), result)
    path.write_bytes(result.getvalue())


@pytest.fixture(scope="module")
def signed_bytes(tmp_path_factory):
    path = tmp_path_factory.mktemp("signed") / "made.png"
    write_image(path, np.zeros((32, 32, 3), np.uint8))
    sign(path)
    return path.read_bytes()


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_detect_provenance_any_damage_is_noticed(signed_bytes, tmp_path, data):
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


def test_sign_file_interrupted_leaves_unsigned_file(unsigned, monkeypatch):
    """The interrupt comes while the native library calls back."""
    before = unsigned.read_bytes()

    class InterruptingFile(_RecordingFile):
        def write(self, data):
            if self.tell() == 0:
                os.kill(os.getpid(), signal.SIGINT)
            return self._file.write(data)

    monkeypatch.setattr("facegan.provenance.manifest._RecordingFile", InterruptingFile)
    with pytest.raises(KeyboardInterrupt):
        sign(unsigned)
    assert unsigned.read_bytes() == before
    assert [path.name for path in unsigned.parent.iterdir()] == [unsigned.name]


def test_sign_file_disk_full_leaves_unsigned_file(unsigned):
    before = unsigned.read_bytes()
    writer = ProvenanceWriter(ProvenanceConfig(), CLAIM)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(OSError, match="too large") as error:
            writer.sign(unsigned)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert error.value.errno == errno.EFBIG
    assert unsigned.read_bytes() == before
    assert [path.name for path in unsigned.parent.iterdir()] == [unsigned.name]


def test_sign_file_no_image_is_refused(tmp_path):
    path = tmp_path / "made.png"
    path.write_bytes(b"nonsense")
    with pytest.raises(OSError, match="cannot sign"):
        sign(path)
    assert path.read_bytes() == b"nonsense"


def test_sign_file_signed_before_is_signed_anew(png):
    for _ in range(2):
        sign_file(png, CLAIM, read_signer(*write_chain(png.parent)))
    assert read_manifest(png).state == "untrusted"


SIGN_AND_MEASURE = """
import resource, sys
from pathlib import Path
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter

def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

writer = ProvenanceWriter(ProvenanceConfig(), ManifestClaim("model", ("facegan reenact",)))
before = peak_megabytes()
writer.sign(Path(sys.argv[1]))
print(peak_megabytes() - before)
"""


@pytest.mark.slow
def test_sign_large_video_needs_little_memory(tmp_path):
    path, size = tmp_path / "large.mp4", 100 * 2**20
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    with av.open(path, "w") as container:
        stream = container.add_stream("mjpeg", rate=25, options={"qmin": "1", "qmax": "1"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuvj420p"
        (packet, *_) = stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")) or stream.encode()
        for number in range(-(-size // packet.size)):
            copy = av.Packet(bytes(packet))
            copy.stream, copy.pts, copy.dts = stream, number, number
            copy.time_base, copy.is_keyframe = packet.time_base, True
            container.mux(copy)
    assert path.stat().st_size > size
    line = [sys.executable, "-c", SIGN_AND_MEASURE, str(path)]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 20
    assert detect_provenance(path).manifest.state == "valid"
